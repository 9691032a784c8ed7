"""A CRM that answers what nobody can understand: its own part of the lap ends, that of the others does not."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from two_worlds import TwoWorlds

from adapters.memory.faults import CallFault
from connector.ports import Page
from connector.store import tables
from tests.databases import ONE_DATABASE

KINDS = (ValueError, UnicodeError, TypeError, OverflowError, RecursionError, OSError)


@ONE_DATABASE
@pytest.mark.parametrize("kind", KINDS)
def test_s9_what_one_crm_answers_ends_its_part_alone(both: TwoWorlds, kind: type[Exception]) -> None:
    account = both.account("Northwind")
    contact = both.crm.contact(account, "Maria Virtanen")
    both.lap()
    odd: Any = kind("odd")
    both.other.faults.calls.append(CallFault(error=odd, times=None))
    report = both.lap()
    assert report.exit_code == 3
    assert set(report.failures) == {"other"}
    both.answer(both.ask(account, contact), 2)
    both.lap()
    assert both.tasks()
    both.other.faults.clear()
    assert both.lap().exit_code == 0


@ONE_DATABASE
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
    honest = both.adapter.changes

    def changes(*args: Any, **rest: Any) -> Iterator[Page]:
        for page in honest(*args, **rest):
            records = [replace(one, fields=one.fields | {"ClosedDate": odd}) for one in page.records if one.id == case]
            yield replace(page, records=[*records, *(one for one in page.records if one.id != case)])

    monkeypatch.setattr(both.adapter, "changes", changes)
    both.lap()
    (refused,) = both.rows(tables.refused)
    assert (refused.key, refused.direction) == (f"read:Case/{case}", "read")
    assert "ClosedDate" in refused.what
    assert len(both.rows(tables.invitation)) == 1
