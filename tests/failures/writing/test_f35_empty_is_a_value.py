"""Left alone, emptied and filled are three things: a field is cleared when it is to be empty, and nothing else is touched."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from environment import DAY, HOUR, Environment
from incidents import asked, words

from adapters.sandbox.web import Request, Response


@contextmanager
def sent(env: Environment) -> Iterator[list[dict[str, Any]]]:
    """Note the fields of every account in every change that is sent."""
    real, seen = env.org.handle, list[dict[str, Any]]()

    def handle(request: Request) -> Response:
        if "composite/sobjects" in request.target:
            records = json.loads(request.body)["records"]
            seen.extend(row for row in records if row["attributes"]["type"] == "Account")
        if "companies/batch/update" in request.target:
            seen.extend(row["properties"] for row in json.loads(request.body)["inputs"])
        return real(request)

    env.org.handle = handle  # type: ignore[method-assign]
    try:
        yield seen
    finally:
        env.org.handle = real  # type: ignore[method-assign]


def ours(fields: dict[str, Any]) -> dict[str, Any]:
    """Return what is sent of our own fields, by their names in lower case without prefix and suffix."""
    lower = {name.lower(): value for name, value in fields.items()}
    return {name[10:].removesuffix("__c"): value for name, value in lower.items() if name.startswith("afterword_")}


def test_only_what_differs_is_sent_and_what_is_empty_on_both_sides_is_not(either: Environment) -> None:
    who = asked(either)
    either.answer(either.mailbox.mails[0], 5)
    with sent(either) as changes:
        either.lap()
    (first,) = map(ours, changes)
    assert first["people"] in (1, "1")
    assert [name for name, value in first.items() if value in (None, "")] == []
    contact = either.contact(who["account"], "Olli Niemi", "olli@nw.example")
    either.closed_case(who["account"], contact)
    either.later(HOUR)
    either.later(DAY)
    (mail,) = either.mailbox.to("olli@nw.example")
    either.answer(mail, 5)
    with sent(either) as changes:
        either.lap()
    (second,) = map(ours, changes)
    assert "people" in second
    assert not {"details", "mood"} & set(second)


def test_a_field_that_is_to_be_empty_again_is_emptied(either: Environment) -> None:
    who = asked(either, 1, comment="Nobody called back.")
    account = words(either, "Account")
    assert either.figures(account, who["account"])["attention"]
    (task,) = either.tasks()
    done = {"Status": "Completed", "Afterword_Outcome__c": "Solved"}
    if account != "Account":
        done = {"hs_task_status": "COMPLETED", "afterword_outcome": "Solved"}
    either.org.update(words(either, "Task"), task.get("Id") or task["id"], done)
    either.later(HOUR)
    shown = either.figures(account, who["account"])
    assert "attention" not in shown
    assert shown["people"] in (1, "1")


def test_what_others_keep_on_the_record_is_left_alone(either: Environment) -> None:
    account = words(either, "Account")
    name = "Phone" if account == "Account" else "phone"
    who = asked(either)
    either.org.update(account, who["account"], {name: "+358 9 123 456"})
    before = {key: value for key, value in either.record(account, who["account"]).items() if _is_theirs(key)}
    either.answer(either.mailbox.mails[0], 1, "Nobody called back.")
    either.later(HOUR)
    after = {key: value for key, value in either.record(account, who["account"]).items() if _is_theirs(key)}
    assert after == before
    assert after[name] == "+358 9 123 456"


def _is_theirs(name: str) -> bool:
    """Tell whether a field is neither ours nor one that the CRM itself moves with every change."""
    moving = ("afterword_", "lastmodified", "systemmodstamp", "hs_lastmodified", "lastactivity", "notes_", "hs_object")
    return not name.lower().startswith(moving)
