"""Whatever index answers a query, it finds what reading every record would find."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.salesforce import Salesforce
from adapters.sandbox.salesforce.filters import Filters
from adapters.sandbox.salesforce.org.store import OrgStore
from adapters.sandbox.salesforce.query import QueryRun

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
COUNT = 30
STAMPS = [f"2026-03-02T09:0{minute}:00" for minute in range(6)]


@pytest.fixture(scope="module")
def crowd():
    """Contacts with few stamps and few addresses, so that ties and misses are common; some of them are in the bin."""
    org = Salesforce(SandboxClock(START))
    for number in range(COUNT):
        at = START + timedelta(minutes=number % 5)
        record = org.insert("Contact", {"LastName": f"N{number % 7}", "Email": f"p{number % 4}@x.example"}, at=at)
        if number % 6 == 0:
            org.delete("Contact", record, at=at)
    return org


signs = st.sampled_from(["=", "<", "<=", ">", ">=", "!="])
stamps = st.tuples(signs, st.sampled_from(STAMPS)).map(lambda pair: f"SystemModstamp {pair[0]} {pair[1]}Z")
numbers = st.integers(1, 9).map(lambda number: f"003Kx0{number:09d}")
records = st.tuples(signs, numbers).map(lambda pair: f"Id {pair[0]} '{pair[1]}'")
emails = st.sampled_from(
    ["Email = 'P1@x.example'", "Email IN ('p1@x.example', 'p2@x.example')", "Email = null", "LastName = 'n3'"]
)
atoms = st.one_of(stamps, stamps, records, emails, stamps.map(lambda one: f"(NOT {one})"))
both = st.tuples(atoms, atoms).map(lambda pair: f"({pair[0]} AND {pair[1]})")
either = st.lists(st.one_of(stamps, atoms, both), min_size=2, max_size=3).map(lambda parts: f"({' OR '.join(parts)})")
conditions = st.lists(st.one_of(atoms, either, either), min_size=1, max_size=2).map(" AND ".join)
orders = st.sampled_from(["SystemModstamp, Id", "Id", "Email DESC NULLS LAST, Id", "LastName, SystemModstamp DESC, Id"])


def found(org, soql, *, deleted):
    access = org.permissions.of(org.integration_id)
    return [row["Id"] for row in QueryRun(org, access, deleted=deleted).run(soql).rows]


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=conditions, order=orders, limit=st.integers(1, 40), deleted=st.booleans())
def test_indexes_find_what_reading_everything_finds(crowd, where, order, limit, deleted):
    soql = f"SELECT Id FROM Contact WHERE {where} ORDER BY {order} LIMIT {limit}"  # noqa: S608
    by_index = found(crowd, soql, deleted=deleted)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Filters, "narrow", lambda *_: [])
        patch.setattr("adapters.sandbox.salesforce.query._leading", lambda _: None)
        assert by_index == found(crowd, soql, deleted=deleted)


class Undone(Exception):
    """Leaves a transaction."""


def write(store, row, *, keep):
    with store.transaction():
        store.put("T", row)
        if not keep:
            raise Undone


operations = st.lists(
    st.tuples(st.integers(0, 5), st.one_of(st.none(), st.sampled_from("abc")), st.booleans()), min_size=1, max_size=30
)


@settings(max_examples=100, deadline=None)
@given(operations)
def test_indexes_follow_every_change_and_every_undone_one(changes):
    store = OrgStore()
    table = store.table("T")
    hashed, ordered = table.hashed("F"), table.sorted_by("F")
    for number, value, keep in changes:
        row = {"Id": str(number)} | ({} if value is None else {"F": value})
        with suppress(Undone):
            write(store, row, keep=keep)
    held = {row["Id"]: row["F"] for row in table.rows.values() if "F" in row}
    assert {record: value for value in "abc" for record in hashed.ids(value)} == held
    assert ordered.between(None, None) == sorted((value, record) for record, value in held.items())
    assert ordered.between("b", "b") == sorted(("b", record) for record, value in held.items() if value == "b")
