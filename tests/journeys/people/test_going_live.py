"""Who is not asked: everybody while observing, history, and those whose case came back."""

from datetime import timedelta

from default_mappings import packaged
from environment import AFTER_CASE, DAY, HOUR, UNHAPPY, Environment, mapping_line


def history(env: Environment, cases: int = 12) -> list[str]:
    """Fill the org with cases that were closed before anybody asked."""
    account = env.account("Northwind")
    people = [env.contact(account, f"Past {number}", f"past{number}@nw.example") for number in range(cases)]
    return [env.closed_case(account, person) for person in people]


def closed(env: Environment, who: str = "maria") -> str:
    """Let one more case be closed, of somebody new."""
    account = env.account("Northwind of " + who)
    return env.closed_case(account, env.contact(account, who.title(), f"{who}@nw.example"))


def asked(env: Environment) -> list[str]:
    return [mail.to for mail in env.mailbox.mails]


def test_observing_sends_and_writes_nothing(env: Environment) -> None:
    env.configure(mode="observe")
    env.mark()
    closed(env)
    for _ in range(5):
        report = env.later(DAY)
        assert (report.exit_code, report.invited, report.sent) == (0, 0, 0)
    assert env.writes == []
    assert env.mailbox.mails == []


def test_the_first_live_lap_over_history_invites_nobody(env: Environment) -> None:
    env.configure(mode="observe")
    history(env)
    env.lap()
    env.advance(HOUR)
    env.configure(mode="live")
    env.mark()
    assert env.lap().not_invited == {"before_go_live": 12}
    for _ in range(4):
        env.later(DAY)
    assert (asked(env), env.writes) == ([], [])
    closed(env, "nina")
    env.lap()
    env.later(DAY)
    assert asked(env) == ["nina@nw.example"]


def test_a_survey_that_is_added_asks_about_nothing_that_ended_before_it(live: Environment) -> None:
    live.configure(AFTER_CASE.replace("case.closed", "deal.won"))
    live.lap()
    old = history(live)
    live.later(HOUR)
    live.advance(HOUR)
    live.configure(AFTER_CASE.replace("after-case", "another") + UNHAPPY)
    assert live.lap().invited == 0
    live.org.update("Case", old[0], {"Priority": "High"})
    assert live.later(HOUR).not_invited == {"before_go_live": 1}
    live.later(2 * DAY)
    assert asked(live) == []
    closed(live, "nina")
    live.lap()
    live.later(DAY)
    assert asked(live) == ["nina@nw.example"]


def test_an_edited_mapping_asks_about_nothing_that_ended_before_the_edit(live: Environment) -> None:
    prospect = live.account("Maybe Ltd", kind="Prospect")
    live.closed_case(prospect, live.contact(prospect, "Pat Maybe", "pat@maybe.example"))
    assert live.lap().not_invited == {"not_a_customer": 1}
    live.advance(HOUR)
    use_mapping(live, packaged("salesforce").replace('"Customer - Channel"]', '"Customer - Channel", "Prospect"]'))
    live.lap()
    live.later(2 * DAY)
    assert asked(live) == []
    live.closed_case(prospect, live.contact(prospect, "Nina Maybe", "nina@maybe.example"))
    live.lap()
    live.later(DAY)
    assert asked(live) == ["nina@maybe.example"]


def use_mapping(env: Environment, text: str) -> None:
    """Edit the mapping, and start again."""
    env.configure(extra=mapping_line(env, text))


def test_a_case_reopened_before_its_delay_is_over_asks_nobody_and_closed_again_asks_once(live: Environment) -> None:
    case = closed(live)
    assert live.lap().not_invited == {"delay": 1}
    live.advance(12 * HOUR)
    live.reopen(case)
    assert live.later(HOUR).not_invited == {"reopened": 1}
    live.later(3 * DAY)
    assert asked(live) == []
    live.close_case(case)
    live.lap()
    live.later(DAY)
    live.later(DAY)
    assert asked(live) == ["maria@nw.example"]


def test_a_case_reopened_between_the_lap_that_saw_it_and_the_mail_is_not_asked_about(live: Environment) -> None:
    case = closed(live)
    live.lap()
    live.advance(DAY)
    live.reopen(case)
    live.lap()
    live.later(timedelta(minutes=10))
    assert asked(live) == []
    live.close_case(case)
    for _ in range(4):
        live.later(DAY)
    assert asked(live) == ["maria@nw.example"]
