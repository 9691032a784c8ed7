"""What a rep reads on the record and in the task, after whole laps: true at that moment, and about one person at a time."""

from datetime import timedelta

from databases import BOTH_DATABASES
from lap_world import CSAT, DAY, HOUR, UNHAPPY, LapWorld

from connector.store import tables
from connector.store.crm.records import mark_stale


def texts(world: LapWorld, account: str) -> tuple[str, str]:
    """Return Needs attention and What they say."""
    shown = world.shows(account)
    return shown.get("Attention", ""), shown.get("Summary", "")


@BOTH_DATABASES
def test_one_persons_good_answer_does_not_stand_beside_the_call_to_another(world: LapWorld) -> None:
    account = world.account()
    world.rated(account, 1, who="Maria Virtanen", comment="Nobody called back.")
    world.rated(account, 5, who="Pekka Salo", comment="Great.")
    attention, summary = texts(world, account)
    assert attention.startswith("Maria Virtanen: 1 of 5, very dissatisfied, case ")
    assert "; Ritva Laine calls by " in attention
    assert summary.startswith("Pekka Salo: 5 of 5, very satisfied, case ")
    assert "Maria Virtanen: 1 of 5, very dissatisfied" in summary
    assert "calls" not in summary


def test_a_call_that_was_to_be_made_yesterday_is_overdue_on_the_record_and_written_once(world: LapWorld) -> None:
    account = world.account()
    world.rated(account, 1, who="Maria Virtanen")
    due = world.rows(tables.follow_up)[0].due_at
    assert "calls by" in texts(world, account)[0]
    world.lap(due - world.clock.now() - timedelta(minutes=1))
    assert "calls by" in texts(world, account)[0]
    world.lap(timedelta(minutes=2))
    attention, _ = texts(world, account)
    assert f"call overdue since {due:%-d %b %Y} (Ritva Laine)" in attention
    writes = world.writes()
    for _ in range(3):
        world.lap(HOUR)
    assert world.writes() == writes


def test_a_task_completed_without_an_outcome_is_told_for_ten_working_days(world: LapWorld) -> None:
    world.configure(CSAT + UNHAPPY + '[company]\nworking_hours = "mon-fri 08:00-17:00"\ntimezone = "Europe/Helsinki"\n')
    account = world.account()
    world.rated(account, 1, who="Maria Virtanen")
    world.lap(2 * DAY)
    (task,) = world.tasks()
    world.crm.finish(task["Id"])
    done = world.clock.now()
    world.lap(HOUR)
    waited = f"; task completed on {done:%-d %b %Y}, no outcome noted yet (Ritva Laine)."
    assert waited in texts(world, account)[0]
    world.lap(13 * DAY)
    assert waited in texts(world, account)[0]
    world.lap(2 * DAY)
    attention, summary = texts(world, account)
    assert attention == ""
    assert summary.startswith("Maria Virtanen: 1 of 5, very dissatisfied, case ")


def test_the_case_is_told_by_its_subject_on_the_record_and_in_the_task(world: LapWorld) -> None:
    account = world.account()
    contact = world.crm.contact(account, "Maria Virtanen")
    case = world.crm.case(account, contact, Subject="Printer offline again")
    world.clock.advance(timedelta(minutes=1))
    world.crm.close(case)
    world.lap()
    world.answer(world.rows(tables.invitation)[0].id, 1, "Nobody called back.\n\nStill broken.\nOutcome: Solved")
    world.lap()
    number = world.crm.get(case)["CaseNumber"]
    assert f'case {number} "Printer offline again"' in texts(world, account)[0]
    (task,) = world.tasks()
    assert task["Subject"].endswith(': 1 of 5 (very dissatisfied), "Printer offline again"')
    lines = task["Description"].splitlines()
    assert (
        lines[0] == f"Everything they said: https://feedback.acme.example/accounts/{world.rows(tables.account)[0].id}"
    )
    assert "Why you see this: we call when a customer gives 2 of 5 or less for satisfaction." in lines
    assert [line for line in lines if line.startswith(">")] == [
        "> Nobody called back.",
        "> Still broken.",
        "> Outcome: Solved",
    ]
    assert "When you have called, note how it ended: choose one." in lines
    assert lines[-1].startswith("No action needed: https://feedback.acme.example/f/")
    assert world.shows(contact)["Last_Rating"].startswith(f"1 of 5, very dissatisfied, case {number}, ")


def test_records_speak_the_companys_language(world: LapWorld) -> None:
    world.configure(
        CSAT + UNHAPPY + 'notify = ["account_owner"]\n[company]\nlanguage = "fi"\ntimezone = "Europe/Helsinki"\n'
    )
    account = world.account()
    world.rated(account, 1, who="Maria Virtanen")
    attention, summary = texts(world, account)
    assert attention.startswith("Maria Virtanen: 1/5, erittäin tyytymätön, case ")
    assert "; Ritva Laine soittaa viimeistään " in attention
    assert summary.endswith(" mennessä 1 henkilöltä, vastanneita 1.")
    (task,) = world.tasks()
    assert task["Subject"].startswith("Soita viimeistään ")
    (mail,) = (message for message in world.mailbox.messages if "1/5" in message.subject)
    assert mail.subject.startswith("Soita viimeistään ")


def test_a_task_about_silence_names_who_was_asked_about_what_and_since_when(world: LapWorld) -> None:
    world.configure(CSAT + '[follow_up.silent]\nwhen = "silence >= 2"\n')
    world.lap()
    account = world.account("Northwind")
    asked_on = []
    for who in ("Maria Virtanen", "Pekka Salo"):
        contact = world.crm.contact(account, who)
        world.ask(account, contact)
        asked_on.append(world.clock.now())
        world.lap(2 * DAY)
    world.lap(15 * DAY)
    world.lap()
    (task,) = world.tasks()
    day = f"{world.clock.now():%-d %b %Y}"
    assert task["Subject"].endswith(f": asked 2 times, no answer by {day}")
    for who, at in zip(("Maria Virtanen", "Pekka Salo"), asked_on, strict=True):
        assert f"- {who}, on {at:%-d %b %Y}, about case " in task["Description"]
    assert "A good reason to call: ask Pekka Salo how case " in task["Description"]
    assert texts(world, account)[0].startswith(f"Northwind: asked 2 times, no answer by {day}; Ritva Laine calls by ")
    world.rated(account, 5, who="Eva Lund")
    attention, summary = texts(world, account)
    assert f"no answer by {day}" in attention, "it stays true after somebody has answered"
    assert summary.startswith("Eva Lund: 5 of 5, very satisfied, case ")


def test_somebody_with_two_contacts_is_told_of_once(world: LapWorld) -> None:
    account = world.account()
    world.rated(account, 1, who="Jari Toivonen")
    twice = [world.crm.contact(account, "Antti Virtanen", Email="antti@customer.example") for _ in range(2)]
    for contact, value in zip(twice, (2, 3), strict=True):
        world.answer(world.ask(account, contact), value)
        world.lap()
    shown = world.shows(account)
    assert "Antti Virtanen" in shown["Attention"]
    assert shown["Summary"].count("Antti Virtanen") == 1


def test_how_many_were_asked_stays_true_while_more_people_are_asked(world: LapWorld) -> None:
    """That somebody is asked writes no account: so the sentence tells up to when it counts, and nobody who was asked later."""
    account = world.account()
    world.rated(account, 5, who="Pekka Salo")
    _, summary = texts(world, account)
    answered = world.rows(tables.response)[0].at
    assert summary.endswith(f"Answered by {answered:%-d %b %Y}: 1 of 1 asked.")
    world.lap(DAY)
    world.ask(account, world.crm.contact(account, "Jan Vos"))
    world.lap(DAY)
    assert texts(world, account)[1] == summary
    with world.store.write() as tx:
        mark_stale(tx, world.rows(tables.response)[0].account_id, world.clock.now())
    world.lap(HOUR)
    assert texts(world, account)[1] == summary, "looked at again for another reason, it says the same"
