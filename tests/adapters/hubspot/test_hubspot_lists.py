"""A first read of very many records goes by lists: every record once, from any place on, and what changes meanwhile is not lost."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from portal_rows import Rows
from written_hubspot import NOON, Wire

from adapters.hubspot.crm_adapter import HubSpotAdapter
from adapters.hubspot.records import reader
from connector.domain.cursor import Cursor, advance, dump, finish, load
from connector.ports import Condition, Page, Position, Query

COMPANIES = Query("companies", ("name",))


@pytest.fixture(autouse=True)
def _many_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MANY", 300)


@pytest.fixture
def rows(wire: Wire) -> Rows:
    """Of 650 records the youngest have the oldest stamps."""
    made = Rows(wire)
    for number in range(650):
        made.put(9 + 7 * number, 1000 - number)
    return made


def listing(hub: HubSpotAdapter, after: Position | None = None) -> Iterator[Page]:
    return hub.changes(COMPANIES, since=None, after=after)


def ids(pages: list[Page]) -> list[str]:
    return [str(record.id) for page in pages for record in page.records]


def test_every_record_comes_once_by_lists_of_a_hundred(hub: HubSpotAdapter, rows: Rows) -> None:
    found = list(listing(hub))
    assert sorted(ids(found), key=int) == [str(9 + 7 * number) for number in range(650)]
    assert (len(rows.searches), len(rows.lists)) == (1, 7)
    places = [page.last for page in found if page.last is not None]
    assert all(before < later for before, later in pairwise(places))


@pytest.mark.parametrize("stored", [0, 1])
def test_cut_off_it_goes_on_behind_the_place_that_was_stored(hub: HubSpotAdapter, rows: Rows, stored: int) -> None:
    cursor, found = Cursor(), []
    for number, page in enumerate(listing(hub)):
        found.append(page)
        cursor = load(dump(advance(cursor, page)))
        if number == stored:
            break
    rows.lists.clear()
    for page in listing(hub, cursor.at):
        cursor = load(dump(advance(cursor, page)))
        found.append(page)
    assert sorted(ids(found), key=int) == [str(9 + 7 * number) for number in range(650)]
    assert rows.lists == [], "the place of a list is good for nobody later"


def test_what_changes_meanwhile_is_read_by_the_next_pass(hub: HubSpotAdapter, rows: Rows) -> None:
    pages = listing(hub)
    cursor = advance(Cursor(), next(pages))
    now = round((NOON.timestamp() - 1793491200) * 1000)
    rows.put(9, now, name="changed")
    rows.put(7 * 10_000, now)
    for page in pages:
        cursor = advance(cursor, page)
    later = finish(cursor, hub.lag)
    assert later.since is not None
    again = [record for page in hub.changes(COMPANIES, since=later.since, after=None) for record in page.records]
    assert {str(record.id) for record in again} == {"9", str(7 * 10_000)}


def test_what_a_list_cannot_leave_out_is_searched(hub: HubSpotAdapter, rows: Rows) -> None:
    only = Query("companies", ("name",), ((Condition("industry", "=", ("Retail",)),),))
    assert ids(list(hub.changes(only, since=None, after=None))) == []
    assert rows.lists == []


def test_few_records_are_searched(hub: HubSpotAdapter, wire: Wire) -> None:
    rows = Rows(wire)
    for number in range(250):
        rows.put(number + 1, number)
    assert len(ids(list(listing(hub)))) == 250
    assert rows.lists == []
