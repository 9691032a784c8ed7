"""What managers are told by week and by month: whole laps on a CRM in memory, as weeks go by."""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from io import BytesIO
from threading import Barrier, BrokenBarrierError
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from beginnings import Begin, live
from lap_world import CONFIG, CSAT, LapWorld
from python_calamine import CalamineWorkbook
from sqlalchemy import update

from connector.commands import plan
from connector.errors import MailboxRefused, MailInDoubt, MailUnavailable
from connector.ports.mail import Message
from connector.stages import lap
from connector.stages.order import AFTER_AN_ANSWER
from connector.stages.reports import stage as reports
from connector.store import tables
from connector.store.ops.leases import held

HELSINKI = ZoneInfo("Europe/Helsinki")
CX, CEO = "cx@acme.example", "ceo@acme.example"
RULE = CSAT + '[follow_up.low]\nwhen = "low"\ndue = "24h"\nnotify = []\nescalate = []\n'
HOLIDAY = "2026-12-01"
REPORTS = f"""
[company]
timezone = "Europe/Helsinki"
language = "LANGUAGE"
working_hours = "mon-fri 08:00-17:00"
holidays = ["{HOLIDAY}"]
[reports]
weekly = "mon 08:00"
[web]
managers = ["{CX}", "{CEO}", "CX@acme.example"]
"""


def set_up(world: LapWorld, language: str = "en", due: str = "24h") -> None:
    config = CONFIG.replace("[web]\n", REPORTS.replace("LANGUAGE", language), 1)
    world.configure(RULE.replace("24h", due), config=config)


@pytest.fixture
def office(begin: Begin) -> LapWorld:
    """Live since Monday 16 November, 10:00 in Helsinki: after the time at which the report of that week would have been due."""
    return begin(_office)


def _office(world: LapWorld) -> None:
    live(world)
    set_up(world)
    world.lap()


def at(world: LapWorld, moment: str) -> None:
    """Run a lap at a time of Helsinki."""
    wanted = datetime.fromisoformat(moment).replace(tzinfo=HELSINKI).astimezone(UTC)
    world.lap(after=wanted - world.clock.now())


def mails(world: LapWorld, to: str = CX) -> Sequence[Message]:
    """Return the reports that somebody got."""
    about = ("Customer feedback", "Asiakaspalaute")
    return [one for one in world.mailbox.messages if one.to == to and one.subject.startswith(about)]


def only(world: LapWorld, to: str = CX) -> Message:
    (mail,) = mails(world, to)
    return mail


def rated(
    world: LapWorld, value: float, who: str = "Maria Virtanen", comment: str = "", account: str = "Northwind"
) -> None:
    world.rated(world.account(account), value, who=who, comment=comment)


def rate_together(world: LapWorld, values: Sequence[float]) -> None:
    """Let somebody of an account each give these ratings, in few laps."""
    for number in range(len(values)):
        account = world.account(f"Account {number}")
        world.crm.close(world.crm.case(account, world.crm.contact(account, f"Person {number}")))
    world.lap()
    for invitation in world.rows(tables.invitation):
        world.answer(invitation.id, values[int(invitation.name.removeprefix("Person "))])
    world.lap()


# ── what it says ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("language", "says"),
    [
        (
            "en",
            [
                "None: nobody answered.",
                "Nobody was asked.",
                "Customer feedback, 16 Nov 2026 to 22 Nov 2026: no answers",
            ],
        ),
        (
            "fi",
            [
                "Ei yhtään: kukaan ei vastannut.",
                "Keneltäkään ei kysytty.",
                "Asiakaspalaute 16.11.2026 – 22.11.2026: ei vastauksia",
            ],
        ),
    ],
)
def test_a_week_in_which_nothing_happened_says_so(office: LapWorld, language: str, says: list[str]) -> None:
    set_up(office, language)
    at(office, "2026-11-23T08:05")
    mail = only(office)
    assert mail.language == language
    for sentence in says:
        assert sentence in mail.subject + "\n" + mail.text


@pytest.mark.parametrize(
    ("language", "says"),
    [
        (
            "en",
            [
                "nobody who answered was unhappy",
                "1 answer came in: 1 good, 0 in between, 0 bad.",
                "1 survey was sent; answered so far: 1.",
            ],
        ),
        (
            "fi",
            [
                "kukaan vastanneista ei ollut tyytymätön",
                "Saatiin 1 vastaus: hyviä 1, siltä väliltä 0, huonoja 0.",
                "Lähetettiin 1 kysely; vastattu tähän mennessä: 1.",
            ],
        ),
    ],
)
def test_a_quiet_week_says_that_nobody_was_unhappy_and_how_many_were_asked(
    office: LapWorld, language: str, says: list[str]
) -> None:
    set_up(office, language)
    at(office, "2026-11-18T10:00")
    rated(office, 5)
    at(office, "2026-11-23T08:05")
    for sentence in says:
        assert sentence in only(office).subject + "\n" + only(office).text


@pytest.mark.parametrize(
    ("language", "subject", "says"),
    [
        ("en", "1 bad answer", ["Maria Virtanen: 1 of 5, very dissatisfied", "Ritva Laine calls by"]),
        (
            "fi",
            "1 huono vastaus",
            ["Maria Virtanen: 1/5, erittäin tyytymätön", "Ritva Laine soittaa viimeistään"],
        ),
    ],
)
def test_a_bad_answer_comes_first_and_says_who_calls_by_when(
    office: LapWorld, language: str, subject: str, says: list[str]
) -> None:
    set_up(office, language, due="72h")
    at(office, "2026-11-20T16:00")
    rated(office, 1, comment="It is broken\nagain.")
    at(office, "2026-11-23T08:05")
    mail = only(office)
    assert mail.subject.endswith(f": {subject}")
    for sentence in [*says, "> It is broken again."]:
        assert sentence in mail.text
    (account,) = office.crm.all("Account")
    assert f"/{account['Id']}" in mail.text.splitlines()[mail.text.splitlines().index("> It is broken again.") + 2]
    assert account["Id"] in mail.html


def test_of_many_bad_answers_the_worst_stand_there_and_the_rest_are_counted(office: LapWorld) -> None:
    at(office, "2026-11-17T10:00")
    rate_together(office, [1, *[2] * 11, 4])
    at(office, "2026-11-23T08:05")
    mail = only(office)
    assert mail.subject.endswith("12 bad answers")
    assert mail.text.count("of 5, ") == 12, "ten bad answers, and two late calls that do not stand among them"
    assert mail.text.index("Person 0: 1 of 5") < mail.text.index("Person 1: 2 of 5")
    assert "And 2 more." in mail.text
    assert "13 answers came in: 1 good, 0 in between, 12 bad." in mail.text
    assert "13 surveys were sent; answered so far: 13 (100%)." in mail.text


def test_late_calls_and_missing_outcomes_of_earlier_weeks_are_told_too(office: LapWorld) -> None:
    at(office, "2026-11-16T11:00")
    rated(office, 1, who="Late Person", account="Late Oy")
    rated(office, 2, who="Done Person", account="Done Oy")
    done = next(task for task in office.tasks() if "Done Person" in task["Subject"])
    office.crm.update(done["Id"], {"Status": "Completed"})
    at(office, "2026-11-24T09:00")
    office.mailbox.messages.clear()
    at(office, "2026-11-30T08:05")
    text = only(office).text
    assert "None: nobody answered." in text
    late, waiting = text.index("Overdue calls"), text.index("No outcome noted\n=")
    assert late < text.index("Late Person: 1 of 5") < waiting < text.index("Done Person: 2 of 5")
    assert "Call overdue since 17 Nov 2026 (Ritva Laine)." in text
    assert "no outcome noted yet (Ritva Laine)." in text


def test_what_stands_above_does_not_stand_below_again(office: LapWorld) -> None:
    at(office, "2026-11-16T11:00")
    rated(office, 1)
    at(office, "2026-11-23T08:05")
    assert only(office).text.count("Maria Virtanen") == 1
    assert "Call overdue since 17 Nov 2026 (Ritva Laine)." in only(office).text


def test_a_bad_answer_that_was_settled_says_how(office: LapWorld) -> None:
    at(office, "2026-11-16T11:00")
    rated(office, 1)
    (task,) = office.tasks()
    office.crm.update(task["Id"], {"Status": "Completed", "Afterword_Outcome__c": "Solved"})
    at(office, "2026-11-18T11:00")
    at(office, "2026-11-23T08:05")
    assert "Outcome on 16 Nov 2026: Solved." in only(office).text


def test_a_bad_answer_that_no_rule_asks_anybody_to_call_about_says_so(office: LapWorld) -> None:
    config = CONFIG.replace("[web]\n", REPORTS.replace("LANGUAGE", "en"), 1)
    office.configure(CSAT + '[follow_up.high]\nwhen = "high"\n', config=config)
    at(office, "2026-11-18T10:00")
    rated(office, 1)
    at(office, "2026-11-23T08:05")
    assert "Nobody has to call: no follow-up was opened." in only(office).text


def test_who_was_not_heard_is_named_once_their_time_is_over(office: LapWorld) -> None:
    account = office.account("Silent Oy")
    office.crm.contact(office.account("Never Oy"), "Somebody")
    for who in ("First Person", "Second Person"):
        office.ask(account, office.crm.contact(account, who))
    at(office, "2026-11-23T08:05")
    assert "Silent Oy" not in only(office).text, "they can still answer"
    assert "1 customer whose people have an e-mail address was never asked." in only(office).text
    office.mailbox.messages.clear()
    expires = office.rows(tables.invitation)[0].expires_at.astimezone(HELSINKI)
    at(office, "2026-11-30T08:05")
    at(office, "2026-12-07T08:05")
    heard_of = [mail for mail in mails(office) if "Silent Oy: 2 people were asked, last on 16 Nov 2026." in mail.text]
    assert expires.day in range(23, 31)
    assert len(heard_of) == 1


def test_where_few_were_asked_the_most_frequent_reasons_are_told(office: LapWorld) -> None:
    account = office.account("Northwind")
    for number in range(3):
        contact = office.crm.contact(account, f"Person {number}", Email=None if number else "zero@customer.example")
        office.crm.close(office.crm.case(account, contact))
    at(office, "2026-11-17T10:00")
    at(office, "2026-11-23T08:05")
    assert "2 times somebody was not asked. Most often: no e-mail address in the CRM (2)." in only(office).text


def test_where_most_were_asked_no_reasons_are_told(office: LapWorld) -> None:
    account = office.account("Northwind")
    for number in range(3):
        contact = office.crm.contact(account, f"Person {number}", **({"Email": None} if number == 0 else {}))
        office.crm.close(office.crm.case(account, contact))
    at(office, "2026-11-17T10:00")
    at(office, "2026-11-23T08:05")
    text = only(office).text
    assert "2 surveys were sent; answered so far: 0." in text
    assert "not asked" not in text


def test_the_week_before_is_told_once_it_was_live_as_a_whole(office: LapWorld) -> None:
    at(office, "2026-11-24T10:00")
    rated(office, 5)
    for monday in ("2026-11-30T08:05", "2026-12-07T08:05"):
        office.mailbox.messages = [
            one for one in office.mailbox.messages if not one.subject.startswith("Customer feedback")
        ]
        at(office, monday)
        assert ("The week before:" in only(office).text) == (monday > "2026-12-01")
    assert "The week before: 1 answer; surveys sent 1, answered by now 1." in only(office).text


# ── to whom, when, and how often ─────────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_reported_of_a_time_before_anything_was_live(office: LapWorld) -> None:
    at(office, "2026-11-17T10:00")
    assert mails(office) == []
    at(office, "2026-11-23T08:00")
    assert len(mails(office)) == 1


def test_each_manager_gets_each_report_once(office: LapWorld) -> None:
    for moment in ("2026-11-23T07:55", "2026-11-23T08:05", "2026-11-23T12:00", "2026-11-25T08:00", "2026-11-27T08:00"):
        at(office, moment)
    assert sorted(one.to.lower() for one in office.mailbox.messages) == [CEO, CX]
    assert len({one.message_id for one in [*mails(office, CX), *mails(office, CEO)]}) == 2


def test_a_lap_after_an_answer_sends_no_report(office: LapWorld) -> None:
    office.clock.set(datetime(2026, 11, 23, 6, 30, tzinfo=UTC))
    lap.run(office.installation, stages=AFTER_AN_ANSWER)
    assert mails(office) == []
    lap.run(office.installation)
    assert len(mails(office)) == 1


def test_a_report_that_is_three_days_late_is_left_out(office: LapWorld) -> None:
    at(office, "2026-11-26T08:00")
    assert mails(office) == []


def test_a_mail_server_that_is_away_gets_the_report_later(office: LapWorld) -> None:
    office.mailbox.failing = [MailUnavailable("the server is away", where="e-mail", remedy="Wait.")]
    at(office, "2026-11-23T08:05")
    assert (mails(office, CX), mails(office, CEO)) == ([], []), "one refusal of the server ends it"
    at(office, "2026-11-23T08:30")
    assert (len(mails(office, CX)), len(mails(office, CEO))) == (1, 1)


def test_a_report_that_may_have_arrived_is_not_sent_again_and_a_refused_mailbox_stops_nobody_elses(
    office: LapWorld,
) -> None:
    office.mailbox.failing = [MailInDoubt("cut off"), None]
    at(office, "2026-11-23T08:05")
    office.mailbox.failing = [MailboxRefused("no such user", where="e-mail", remedy="")]
    at(office, "2026-11-30T08:05")
    assert (len(mails(office, CX)), len(mails(office, CEO))) == (0, 2)
    states = sorted(row.state for row in office.rows(tables.staff_mail) if row.kind == "weekly")
    assert states == ["in_doubt", "refused", "sent", "sent"]


def test_a_process_that_dies_while_it_sends_sends_no_second_report(office: LapWorld) -> None:
    office.mailbox.failing = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        at(office, "2026-11-23T08:05")
    office.mailbox.failing = []
    at(office, "2026-11-23T08:30")
    assert (len(mails(office, CX)), len(mails(office, CEO))) == (0, 1)


def test_plan_shows_the_report_and_sends_nothing(office: LapWorld) -> None:
    office.clock.set(datetime(2026, 11, 23, 6, 30, tzinfo=UTC))
    planned = plan.next_lap(office.installation).as_json()["mails"]
    assert [one["to"] for one in planned] == [CX, CEO]
    assert mails(office) == []
    lap.run(office.installation)
    assert len(mails(office)) == 1


def test_without_a_time_or_managers_there_is_no_report(world: LapWorld) -> None:
    for config in (REPORTS.replace('weekly = "mon 08:00"', 'weekly = "off"'), REPORTS.partition("managers =")[0]):
        world.configure(RULE, config=CONFIG.replace("[web]\n", config.replace("LANGUAGE", "en"), 1))
        at(world, "2026-11-23T08:05" if config.count("off") else "2026-11-30T08:05")
        assert mails(world) == []


def test_a_crm_that_is_paused_is_not_told_of(office: LapWorld) -> None:
    with office.store.write() as tx:
        tx.execute(update(tables.connection_state).values(paused_at=office.clock.now(), pause_reason="undo"))
    at(office, "2026-11-23T08:05")
    assert mails(office) == []


def test_a_test_org_is_told_of_to_those_alone_whom_its_mail_may_go_to(office: LapWorld) -> None:
    with office.store.write() as tx:
        known = {"id": "1", "name": "Acme", "test_kind": "a sandbox", "with": "other"}
        tx.execute(update(tables.connection_state).values(org=known))
    office.clock.set(datetime(2026, 11, 23, 6, 30, tzinfo=UTC))
    assert reports.run(lap.bare_context(office.installation), office.installation.site).sent == 0
    config = CONFIG.replace("[web]\n", REPORTS.replace("LANGUAGE", "en"), 1)
    office.configure(RULE, config=config.replace("[email]\n", f'[email]\nonly_to = ["{CEO.upper()}"]\n'))
    assert reports.run(lap.bare_context(office.installation), office.installation.site).sent == 1
    assert (len(mails(office, CX)), len(mails(office, CEO))) == (0, 1)


def test_a_crm_that_cannot_be_read_is_named_and_its_answers_stay_in_the_report(office: LapWorld) -> None:
    at(office, "2026-11-20T10:00")
    rated(office, 1)
    office.clock.set(datetime(2026, 11, 23, 6, 30, tzinfo=UTC))
    assert reports.run(lap.bare_context(office.installation), office.installation.site).sent == 2
    text = only(office).text
    assert "Maria Virtanen: 1 of 5" in text
    assert "Not readable at present: acme. What is new there is missing here." in text
    assert "https://feedback.acme.example/accounts/" in text, "our own page, while the CRM's is out of reach"


def test_while_another_process_has_a_part_of_the_work_no_report_goes_out(office: LapWorld) -> None:
    office.clock.set(datetime(2026, 11, 23, 6, 30, tzinfo=UTC))
    with held(office.store, "read:acme"):
        assert lap.run(office.installation).busy == ["acme"]
    assert mails(office) == []
    lap.run(office.installation)
    assert len(mails(office)) == 1


def test_two_processes_send_each_report_once(office: LapWorld) -> None:
    office.clock.set(datetime(2026, 11, 23, 6, 30, tzinfo=UTC))
    context = lap.bare_context(office.installation)
    both = Barrier(2, timeout=300)
    facts_of = reports.facts_of

    def together(*parts: Any) -> Any:
        """Both have seen that the report was not begun before either begins it."""
        with suppress(BrokenBarrierError):
            both.wait(timeout=300)
        return facts_of(*parts)

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(2) as pool:
        patch.setattr(reports, "facts_of", together)
        runs = [pool.submit(reports.run, context, office.installation.site) for _ in range(2)]
        assert sum(one.result().sent for one in runs) == 2
    assert (len(mails(office, CX)), len(mails(office, CEO))) == (1, 1)


# ── the month ────────────────────────────────────────────────────────────────────────────────────────────────────────


def sheets(mail: Message) -> dict[str, list[dict[str, object]]]:
    (workbook,) = mail.attachments
    assert workbook.mime_type == reports.XLSX
    book = CalamineWorkbook.from_filelike(BytesIO(workbook.content))
    tables_of = {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}
    return {name: [dict(zip(rows[0], row, strict=True)) for row in rows[1:]] for name, rows in tables_of.items()}


@pytest.mark.parametrize(
    ("language", "title", "attached"),
    [
        ("en", "Customer feedback, November 2026: 1 bad answer", "are in the attached workbook."),
        ("fi", "Asiakaspalaute, marraskuu 2026: 1 huono vastaus", "ovat liitteenä olevassa työkirjassa."),
    ],
)
def test_the_month_comes_on_the_first_working_day_with_its_workbook(
    office: LapWorld, language: str, title: str, attached: str
) -> None:
    set_up(office, language)
    at(office, "2026-11-30T10:00")
    rated(office, 1, comment="=still broken")
    rated(office, 5, who="Olli Oinonen", account="Happy Oy")
    at(office, "2026-12-01T09:00")
    assert not [one for one in mails(office) if one.attachments], f"{HOLIDAY} is a holiday"
    rated(office, 2, who="December Person", account="December Oy")
    at(office, "2026-12-02T08:05")
    mail = next(one for one in mails(office) if one.attachments)
    assert mail.subject == title
    assert attached in mail.text
    assert mail.attachments[0].name == "afterword-2026-11.xlsx"
    found = sheets(mail)
    assert list(found) == ["Answers", "Accounts", "Follow-ups", "Asked and not asked"]
    assert [(row["Account"], row["Rating"], row["Comment"]) for row in found["Answers"]] == [
        ("Northwind", 1.0, "=still broken"),
        ("Happy Oy", 5.0, ""),
    ]
    assert {row["Account"] for row in found["Accounts"]} == {"Northwind", "Happy Oy", "December Oy"}
    assert [row["Account"] for row in found["Follow-ups"]] == ["Northwind"]
    assert [row["Asked"] for row in found["Asked and not asked"]] == ["invited", "invited"]


# ── how it looks ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_customers_write_is_text_in_both_parts(office: LapWorld) -> None:
    at(office, "2026-11-20T10:00")
    account = office.account("<i>Co</i>")
    contact = office.crm.contact(account, "<b>Eve</b>", Email="eve@customer.example")
    office.answer(office.ask(account, contact), 1, "<img src=x>\n-- \nOpen https://evil.example")
    office.lap()
    at(office, "2026-11-23T08:05")
    mail = only(office)
    assert "<img src=x>" not in mail.html
    assert "<b>Eve" not in mail.html
    assert "<i>Co" not in mail.html
    assert "\nOpen https://evil.example" not in mail.text
    assert re.findall(r'href="([^"]*)"', mail.html) == re.findall(r"https://crm\S+", mail.text)
