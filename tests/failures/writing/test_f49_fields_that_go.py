"""A field that goes between two laps costs no more than what cannot be known without it, and says so; one that comes is seen."""

import json

from default_mappings import packaged
from environment import DAY, HOUR, Environment
from incidents import (
    answering,
    edit_mapping,
    fact_of_accounts,
    give_back,
    names,
    new_field,
    rename,
    rows,
    take_away,
)

from adapters.sandbox.web import Request, Response, json_response
from connector.store import tables


def test_a_fact_that_goes_is_left_out_in_the_same_lap(either: Environment) -> None:
    field = new_field(either, "region", "text")
    fact_of_accounts(either, "region", f'"{field}"')
    account = either.account("Northwind")
    either.org.update(either.ACCOUNT, account, {field: "North"})
    either.later(HOUR)
    assert [row.facts.get("region") for row in rows(either, tables.account)] == ["North"]
    take_away(either, field)
    rename(either, account, "Southwind")
    report = either.later(DAY)
    assert report.exit_code == 0
    assert names(either) == {"Southwind"}
    assert any(field in problem.what for problem in report.mapping_problems["acme"])


def test_without_a_field_that_decides_who_is_asked_its_object_waits_alone_and_says_why(either: Environment) -> None:
    field = new_field(either, "tier", "text")
    line = next(one for one in packaged(either.ADAPTER).splitlines() if one.startswith("is_customer = "))
    edit_mapping(either, line, f'is_customer = {{ field = "{field}", is = "gold" }}')
    account = either.account("Northwind")
    either.org.update(either.ACCOUNT, account, {field: "gold"})
    contact = either.contact(account, "Maria Virtanen", "maria@nw.example")
    either.later(HOUR)
    take_away(either, field)
    case = either.case(account, contact)
    either.close_case(case)
    either.advance(HOUR)
    assert either.later(DAY).exit_code == 2
    assert case in {row.ref.partition("/")[2] for row in rows(either, tables.interaction)}
    assert either.later(2 * DAY).exit_code == 2
    assert either.mailbox.mails == []
    (told,) = either.status()["crm"]["acme"]["unread"]
    assert field in told["what"]
    assert told["remedy"]
    give_back(either, field)
    either.org.update(either.ACCOUNT, account, {field: "gold"})
    assert either.later(HOUR).exit_code == 0
    assert [mail.to for mail in either.mailbox.mails] == ["maria@nw.example"]


def test_a_field_that_is_left_out_of_an_answer_is_not_taken_for_empty(either: Environment) -> None:
    account = either.account("Northwind")
    contact = either.contact(account, "Maria Virtanen", "maria@nw.example")
    either.later(HOUR)
    email, last = ("Email", "LastName") if either.CONTACT == "Contact" else ("email", "lastname")
    either.org.update(either.CONTACT, contact, {last: "Laine"})

    def without_email(_page: int, _request: Request, right: Response) -> Response:
        body = json.loads(right.body)
        for row in body.get("results") or body.get("records") or ():
            row.get("properties", row).pop(email, None)
        return json_response(body, right.status, right.headers)

    with answering(either, r"contacts/search|/sobjects/Contact/", without_email):
        assert either.later(HOUR).exit_code == 1
    assert [row.email for row in rows(either, tables.contact)] == ["maria@nw.example"]
    (told,) = either.status()["refused"]
    assert email in told["what"]
    assert "right" in told["remedy"]


def test_an_address_that_knows_nothing_is_told_as_that_and_not_as_missing_objects(either: Environment) -> None:
    either.account("Northwind")
    either.later(HOUR)
    body = [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]
    for path in ("/describe", "/crm/properties/"):
        either.org.faults.fail(
            404, body if path == "/describe" else {"message": "resource not found"}, path=path, times=None
        )
    checked = either.command("check")
    assert checked.code == 2
    assert "knows none of" in checked.out
    assert "Check the url of this connection" in checked.out
    assert "there is no object" not in checked.out
    report = either.later(DAY)
    assert report.exit_code == 3
    assert "knows none of" in str(report.failures["acme"][0])
    assert names(either) == {"Northwind"}
