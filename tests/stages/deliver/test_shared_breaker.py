"""A mail server that takes nothing costs a lap a few tries, whoever the mail is for; tasks are in the CRM all the same."""

from dataclasses import replace
from datetime import timedelta

import pytest
from beginnings import Begin, live
from lap_world import CONFIG, CSAT, LapWorld

from connector.errors import AfterwordError, MailboxRefused, MailInDoubt, MailUnavailable, MessageRefused
from connector.stages import lap
from connector.stages.deliver.breaker import too_many
from connector.stages.order import AFTER_AN_ANSWER
from connector.store import tables
from connector.store.surveys import mail_trouble

PEOPLE = 8
RULE = CSAT + '[follow_up.low]\nwhen = "low"\ndue = "24h"\nnotify = ["account_owner"]\n'
DOWN = MailUnavailable("no answer.", where="e-mail", remedy="Wait.")
REFUSED = MessageRefused("550 5.1.8 Sender address rejected.", where="e-mail", remedy="Mend it.")
DOUBT = MailInDoubt("cut off.", where="e-mail", remedy="Look.")
GONE = MailboxRefused("550 5.1.1 no such user.", where="e-mail", remedy="Correct it.")


@pytest.fixture
def unhappy(begin: Begin) -> LapWorld:
    """Eight customers of eight reps have been asked, and have given one of five since the last lap; two more are to be asked."""
    return begin(_unhappy)


def _unhappy(world: LapWorld) -> None:
    live(world)
    world.configure(RULE)
    for invitation in world.ask_for_reps(PEOPLE):
        world.answer(invitation, 1)
    for number in range(2):
        account = world.account(f"New {number}")
        world.crm.close(world.crm.case(account, world.crm.contact(account, f"New Person {number}")))
    world.mailbox.tries.clear()
    world.mailbox.messages.clear()


@pytest.mark.parametrize(("error", "tries"), [(DOWN, 1), (REFUSED, 3), (DOUBT, 3)])
def test_a_server_that_takes_nothing_costs_a_lap_a_few_tries(
    unhappy: LapWorld, error: AfterwordError, tries: int
) -> None:
    unhappy.mailbox.refuse = lambda _message: error
    report = unhappy.lap()
    assert len(unhappy.mailbox.tries) == tries
    assert (report.exit_code, report.mail_error, report.told) == (1, error, 0)
    assert len(unhappy.tasks()) == PEOPLE
    assert all(row.task_ref for row in unhappy.rows(tables.follow_up))


def test_everybody_is_told_once_when_it_works_again(unhappy: LapWorld) -> None:
    unhappy.mailbox.refuse = lambda _message: DOWN
    for _ in range(3):
        unhappy.lap()
    unhappy.mailbox.refuse = lambda _message: None
    for _ in range(3):
        unhappy.lap(after=timedelta(hours=1))
    staff = [message.to for message in unhappy.mailbox.messages if message.to.startswith("rep-")]
    assert sorted(staff) == [f"rep-{number}@acme.example" for number in range(PEOPLE)]
    with unhappy.store.read() as tx:
        assert mail_trouble.trouble(tx) is None


class PowerCut(BaseException):
    """The process is gone: nothing catches this."""


def test_cut_off_while_an_alert_is_made_it_goes_out_in_the_next_lap(
    unhappy: LapWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    unhappy.mailbox.unmakeable = PowerCut()
    with pytest.raises(PowerCut):
        lap.run(unhappy.installation, stages=AFTER_AN_ANSWER)
    unhappy.mailbox.unmakeable = None
    assert unhappy.lap().told == PEOPLE


def test_an_alert_that_cannot_be_made_is_refused_and_not_made_again(unhappy: LapWorld) -> None:
    for_good = MessageRefused("its header is not what it should be.")
    for_good.permanent = True
    unhappy.mailbox.unmakeable = for_good
    for _ in range(3):
        assert lap.run(unhappy.installation, stages=AFTER_AN_ANSWER).told == 0
    unhappy.mailbox.unmakeable = None
    assert unhappy.lap().told == 0
    assert {row.state for row in unhappy.rows(tables.staff_mail)} == {"refused"}


@pytest.mark.parametrize("error", [REFUSED, GONE])
def test_one_of_our_people_whose_mail_is_refused_keeps_no_other_from_theirs(
    unhappy: LapWorld, error: AfterwordError
) -> None:
    unhappy.mailbox.refuse = lambda message: error if message.to == "rep-2@acme.example" else None
    report = unhappy.lap()
    assert (report.told, report.exit_code) == (PEOPLE - 1, 0)


def test_those_whose_mail_is_refused_each_time_keep_the_others_from_theirs_once_at_most(unhappy: LapWorld) -> None:
    gone = {f"rep-{number}@acme.example" for number in range(3)}
    unhappy.mailbox.refuse = lambda message: REFUSED if message.to in gone else None
    told = sum(unhappy.lap().told for _ in range(2))
    assert told == PEOPLE - len(gone)


def test_alerts_go_out_while_mail_to_customers_waits_for_the_admin(unhappy: LapWorld) -> None:
    with unhappy.store.write() as tx:
        mail_trouble.stop(tx, too_many(3, 5, "550 5.1.1 no such user", unhappy.clock.now()))
    report = unhappy.lap()
    assert (report.exit_code, report.sent, report.told) == (1, 0, PEOPLE)


def test_a_chat_that_does_not_answer_is_tried_once_in_a_lap(unhappy: LapWorld) -> None:
    posts: list[str] = []

    def dead(url: str, _text: str) -> None:
        posts.append(url)
        raise DOWN

    unhappy.configure(RULE.replace('["account_owner"]', '["https://chat.example/hook"]'))
    unhappy.installation = replace(unhappy.installation, webhook=dead)
    unhappy.lap()
    assert posts == ["https://chat.example/hook"]


@pytest.mark.parametrize(("language", "words"), [("en", "afterword bounces list"), ("fi", "Yhtään viestiä")])
def test_the_admin_is_asked_once_for_each_stop(unhappy: LapWorld, language: str, words: str) -> None:
    company = f'[company]\nlanguage = "{language}"\n[admin]\nemail = "it@acme.example"\n'
    unhappy.configure(company + RULE)
    for hours in range(2):
        with unhappy.store.write() as tx:
            mail_trouble.stop(tx, too_many(11, 20, "550 5.1.1 <x>: no such user", unhappy.clock.now()))
        for _ in range(3):
            unhappy.lap(after=timedelta(hours=hours))
        asked = [message for message in unhappy.mailbox.messages if message.to == "it@acme.example"]
        assert len(asked) == hours + 1
        with unhappy.store.write() as tx:
            mail_trouble.go_on(tx, unhappy.clock.now())
        unhappy.clock.advance(timedelta(hours=1))
    assert words in asked[0].text
    assert "11" in asked[0].text
    assert "550 5.1.1 <x>: no such user" in asked[0].text
    assert "&lt;x&gt;" in asked[0].html


def test_the_admin_is_asked_from_an_address_of_any_script(unhappy: LapWorld) -> None:
    config = CONFIG.replace("care@acme.example", "care@bücher.example")
    unhappy.configure('[admin]\nemail = "it@acme.example"\n' + RULE, config=config)
    with unhappy.store.write() as tx:
        mail_trouble.stop(tx, too_many(11, 20, "550 5.1.1 no such user", unhappy.clock.now()))
    unhappy.lap()
    [asked] = [message for message in unhappy.mailbox.messages if message.to == "it@acme.example"]
    assert asked.message_id.endswith("@xn--bcher-kva.example"), "an id outside ASCII keeps a mail from being made"
