"""A CRM that answers what nobody can understand: its own part of the lap ends, that of the others does not."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from two_worlds import TwoWorlds

from adapters.hubspot.http.meter import HubSpotMeter
from adapters.memory.faults import MemoryCallFault
from adapters.salesforce.http.meter import SalesforceMeter
from connector.commands import reconcile, status
from connector.ports import Page
from connector.runtime.call_budget import CallBudget
from connector.store import tables

KINDS = (ValueError, UnicodeError, TypeError, OverflowError, RecursionError, OSError)


@pytest.mark.parametrize("kind", KINDS)
def test_s9_what_one_crm_answers_ends_its_part_alone(both: TwoWorlds, kind: type[Exception]) -> None:
    account = both.account("Northwind")
    contact = both.crm.contact(account, "Maria Virtanen")
    both.lap()
    odd: Any = kind("odd")
    both.other.faults.calls.append(MemoryCallFault(error=odd, times=None))
    report = both.lap()
    assert report.exit_code == 3
    assert set(report.failures) == {"other"}
    both.answer(both.ask(account, contact), 2)
    both.lap()
    assert both.tasks()
    both.other.faults.clear()
    assert both.lap().exit_code == 0


@pytest.mark.parametrize("odd", ["9" * 5000, float("nan"), [[[]]], "9999-12-31T23:59:59-14:00"])
def test_s9_a_record_that_cannot_be_understood_is_set_aside_with_the_reason(
    both: TwoWorlds, monkeypatch: pytest.MonkeyPatch, odd: Any
) -> None:
    account = both.account("Northwind")
    contact = both.crm.contact(account, "Maria Virtanen")
    case = both.crm.case(account, contact)
    both.crm.close(case)
    other = both.crm.case(account, contact)
    both.crm.close(other)
    _put(both, monkeypatch, case, {"ClosedDate": odd})
    both.lap()
    (refused,) = both.rows(tables.refused_record)
    assert (refused.key, refused.direction) == (f"read:Case/{case}", "read")
    assert "ClosedDate" in refused.what
    assert len(both.rows(tables.invitation)) == 1


NOISE = "".join(hashlib.sha256(bytes([n])).hexdigest() for n in range(200))
"""Text that no database packs into an entry of an index."""


@pytest.mark.parametrize("odd", [NOISE, "\0" * 300, "\ud800", [NOISE], [[["x"]]], 7.5, {"a": 1}])
def test_s9_a_lookup_that_leads_nowhere_stays_the_records_own_trouble(
    both: TwoWorlds, monkeypatch: pytest.MonkeyPatch, odd: Any
) -> None:
    account = both.account("Northwind")
    contact = both.crm.contact(account, "Maria Virtanen")
    _put(both, monkeypatch, contact, {"AccountId": odd, "Title": odd, "OwnerId": odd})
    assert both.lap().exit_code in (0, 1)


def test_s9_a_comparison_meets_a_record_that_cannot_be_understood(
    both: TwoWorlds, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = both.account("Northwind")
    contact = both.crm.contact(account, "Maria Virtanen")
    both.lap()
    honest = both.adapter.changes

    def changes(*args: Any, **rest: Any) -> Iterator[Page]:
        for page in honest(*args, **rest):
            yield replace(
                page,
                records=[
                    replace(one, modified="", fields={}, fault="no time of change.") if one.id == contact else one
                    for one in page.records
                ],
            )

    monkeypatch.setattr(both.adapter, "changes", changes)
    reconcile.run(both.installation, since=both.clock.now())
    (refused,) = both.rows(tables.refused_record)
    assert refused.what == "no time of change."


@pytest.mark.parametrize("number", ["9" * 5000, "9" * 15, "0", "-1", "NaN"])
def test_s9_no_figure_of_calls_is_more_than_the_store_can_keep(both: TwoWorlds, number: str) -> None:
    budget = CallBudget("acme", share=0.2, store=both.store, clock=both.clock)
    salesforces, hubspots = SalesforceMeter(budget), HubSpotMeter(both.clock, budget)
    salesforces.learn(f"api-usage={number}/{number}")
    hubspots.learn({"X-HubSpot-RateLimit-Daily": number, "X-HubSpot-RateLimit-Daily-Remaining": number})
    budget.return_unused()


ODD: tuple[Any, ...] = (
    NOISE,
    "\0 \ud800 \udfff x",
    float("nan"),
    float("inf"),
    -(10**400),
    "9" * 5000,
    [[[["x"]]]],
    {"a": {"\0": "\ud800"}},
    "9999-12-31T23:59:59-14:00",
    "0001-01-01",
    True,
    "",
    "=?utf-8?q?A=0D=0AB?= <a@b.example>\r\n",
    "\u202e" * 300,
)


def test_s9_whatever_stands_in_any_field_of_any_record_the_lap_goes_on(
    both: TwoWorlds, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd: dict[str, Any] = {}
    for value in ODD:
        account, owner = both.account("Northwind"), both.crm.user("Rep")
        contact = both.crm.contact(account, "Maria Virtanen")
        case = both.crm.case(account, contact, owner=owner)
        both.crm.close(case)
        odd |= dict.fromkeys((account, contact, case, owner), value)
    fine = both.account("Southwind")
    case = both.crm.case(fine, both.crm.contact(fine, "Jan Vos", Email="jan@sw.example"))
    both.crm.close(case)
    honest = both.adapter.changes

    def changes(*args: Any, **rest: Any) -> Iterator[Page]:
        for page in honest(*args, **rest):
            records = [
                replace(one, fields=dict.fromkeys(one.fields, odd[one.id])) if one.id in odd else one
                for one in page.records
            ]
            yield replace(page, records=records)

    monkeypatch.setattr(both.adapter, "changes", changes)
    for _ in range(2):
        report = both.lap()
        assert report.exit_code in (0, 1)
        assert report.failures == {}
    assert "jan@sw.example" in [row.email for row in both.rows(tables.invitation)]
    status.status(both.installation)


def _put(both: TwoWorlds, monkeypatch: pytest.MonkeyPatch, record: str, odd: dict[str, Any]) -> None:
    """Let a record be read with odd values, before all the others of its page."""
    honest = both.adapter.changes

    def changes(*args: Any, **rest: Any) -> Iterator[Page]:
        for page in honest(*args, **rest):
            hit = [replace(one, fields={**one.fields, **odd}) for one in page.records if one.id == record]
            yield replace(page, records=[*hit, *(one for one in page.records if one.id != record)])

    monkeypatch.setattr(both.adapter, "changes", changes)


def test_a_record_that_is_as_it_was_again_is_set_aside_no_more(
    both: TwoWorlds, monkeypatch: pytest.MonkeyPatch
) -> None:
    contact = both.crm.contact(both.account("Northwind"), "Maria Virtanen", Title="CFO")
    both.lap()
    honest = both.adapter.changes

    def changes(*args: Any, **rest: Any) -> Iterator[Page]:
        for page in honest(*args, **rest):
            odd = [replace(one, fields={}, fault="odd.") if one.id == contact else one for one in page.records]
            yield replace(page, records=odd)

    with monkeypatch.context() as for_now:
        for_now.setattr(both.adapter, "changes", changes)
        both.crm.update(contact, {"Title": "x"})
        both.lap()
        assert [one.key for one in both.rows(tables.refused_record)] == [f"read:Contact/{contact}"]
    both.crm.update(contact, {"Title": "CFO"})
    both.lap()
    assert both.rows(tables.refused_record) == []


def test_a_record_that_was_never_understood_and_is_deleted_is_set_aside_no_more(
    both: TwoWorlds, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = _closed_case(both)
    _put(both, monkeypatch, case, {"ClosedDate": "9" * 5000})
    both.lap()
    assert [one.key for one in both.rows(tables.refused_record)] == [f"read:Case/{case}"]
    both.crm.delete(case)
    both.lap()
    assert both.rows(tables.refused_record) == []


def _closed_case(both: TwoWorlds) -> str:
    account = both.account("Northwind")
    case: str = both.crm.case(account, both.crm.contact(account, "Maria Virtanen"))
    both.crm.close(case)
    return case
