"""A field that goes between two laps costs no more than what cannot be known without it, and says so; one that comes is seen."""

from house import DAY, HOUR, House
from house_hubspot import HubSpotHouse
from incidents import (
    edit_mapping,
    fact_of_accounts,
    give_back,
    names,
    new_field,
    rename,
    rows,
    take_away,
)

from connector.store import tables
from mappings.loading import packaged


def test_a_fact_that_goes_is_left_out_in_the_same_lap(either: House) -> None:
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


def test_without_a_field_that_decides_who_is_asked_its_object_waits_alone_and_says_why(either: House) -> None:
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


def test_a_property_that_search_leaves_out_without_a_word_is_not_taken_for_empty(hub: HubSpotHouse) -> None:
    account = hub.account("Northwind")
    hub.later(HOUR)
    assert [row.is_customer for row in rows(hub, tables.account)] == [True]
    held = hub.org.object("companies").properties
    gone = held.pop("lifecyclestage")
    rename(hub, account, "Southwind")
    hub.later(HOUR)
    held["lifecyclestage"] = gone
    assert [row.is_customer for row in rows(hub, tables.account)] == [True]
