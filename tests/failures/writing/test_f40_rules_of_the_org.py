"""A rule that somebody made in the CRM holds for us too: nothing asks for it to be set aside, and its words reach the admin."""

from datetime import timedelta

from environment import DAY, Environment
from incidents import answering, asked, words

from adapters.sandbox.web import Request, Response

MINUTE = timedelta(minutes=1)
RULE = "Tasks for Gold customers are made by their manager only."


def test_a_task_that_a_rule_refuses_is_told_in_its_words_and_not_tried_again_as_it_is(either: Environment) -> None:
    code = "FIELD_CUSTOM_VALIDATION_EXCEPTION" if words(either, "Task") == "Task" else "VALIDATION_ERROR"
    who = asked(either)
    either.org.faults.refuse_row(words(either, "Task"), code, RULE)
    either.answer(either.mailbox.mails[-1], 1)
    either.lap()
    assert either.tasks() == []
    (refused,) = either.status()["refused"]
    assert RULE in refused["what"]
    assert "rule" in refused["remedy"]
    assert either.figures(either.ACCOUNT, who["account"])["attention"]
    either.mark()
    assert either.later(MINUTE).exit_code == 1
    assert either.writes == []
    either.org.faults.clear()
    either.later(DAY)  # the rule may have been changed: once a day it is tried again
    either.later(MINUTE)
    assert len(either.tasks()) == 1


def test_a_rule_that_was_mended_lets_the_task_through_at_once_when_the_admin_asks(either: Environment) -> None:
    code = "FIELD_CUSTOM_VALIDATION_EXCEPTION" if words(either, "Task") == "Task" else "VALIDATION_ERROR"
    asked(either)
    either.org.faults.refuse_row(words(either, "Task"), code, RULE)
    either.answer(either.mailbox.mails[-1], 1)
    either.lap()
    still = either.command("retry", "acme")
    assert RULE in still.out
    assert either.tasks() == []
    either.org.faults.clear()
    assert either.command("retry", "acme").code == 0
    assert len(either.tasks()) == 1
    assert either.status()["refused"] == []


def test_nothing_that_is_sent_asks_for_rules_to_be_set_aside(either: Environment) -> None:
    asking = set[str]()

    def note(_page: int, request: Request, _right: Response) -> None:
        asking.update(name for name in request.headers if "rule" in name or "assignment" in name)

    with answering(either, "", note) as calls:
        asked(either, 1)
    assert len(either.tasks()) == 1
    assert (bool(calls), asking) == (True, set())
