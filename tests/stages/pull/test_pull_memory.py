"""Every page of records is a page in memory, not a table: what `pull` holds does not grow with what the CRM holds."""

import gc
import tracemalloc
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from databases import BOTH_DATABASES
from sqlalchemy import func, select

from connector.model import Contact, Ref
from connector.ports import Page, Position, Query, Reading, Record
from connector.runtime.clock import SteppedClock
from connector.stages.context import Connected, Context
from connector.stages.pull import stage as pull
from connector.store import Store, tables
from connector.store.ops.leases import held

PAGE = 400
NOW = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)


class LargeCrm:
    """Adapter and mapping in one: makes up contacts while they are read."""

    fingerprint = "1"
    lag = timedelta()
    queries: Sequence[Query] = (Query("Contact", ("Name", "Notes")), Query("Lead", ("Name", "Notes")))

    def __init__(self, pages: int) -> None:
        self.pages = pages

    def changes(self, query: Query, **_: Any) -> Iterator[Page]:
        for page in range(self.pages):
            yield self._page(query.object, range(page * PAGE, (page + 1) * PAGE))

    def _page(self, name: str, numbers: range) -> Page:
        records = [Record(name, f"{n:09}", "2026", {"Name": f"Person {n}", "Notes": f"{n} " * 100}) for n in numbers]
        return Page(records, Position("2026", records[-1].id), NOW)

    def fingerprint_of(self, _object_name: str) -> str:
        return self.fingerprint

    def kinds(self, _object_name: str) -> tuple[str, ...]:
        return ("contact",)

    def read(self, connection: str, record: Record) -> Reading:
        ref = Ref(connection, record.object, record.id)
        facts = {"notes": record.fields["Notes"]}
        return Reading("contact", Contact(ref, record.fields["Name"], email=f"p{record.id}@nw.example", facts=facts))


def peak(store: Store, pages: int) -> int:
    """Return the most that Python held while so many pages of each object were pulled."""
    crm = cast(Any, LargeCrm(pages))
    context = Context(
        store=store,
        settings=cast(Any, SimpleNamespace(surveys={}, company=SimpleNamespace(timezone=UTC))),
        clock=SteppedClock(NOW),
        connected={},
        channel=None,
        tokens=None,
    )
    collected = gc.get_threshold()
    gc.set_threshold(700, 10, 10)  # as often as Python does by itself: what is garbage is not held
    tracemalloc.start()
    try:
        with held(store, "read:acme") as lease:
            assert lease is not None
            pulled = pull.run(context, Connected("acme", crm, crm, crm, live=False), lease)
        assert pulled.failure is None
        return tracemalloc.get_traced_memory()[1]
    finally:
        gc.set_threshold(*collected)
        tracemalloc.stop()


@BOTH_DATABASES
def test_memory_does_not_grow_with_the_number_of_records(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull, "TOGETHER", 2 * PAGE)
    monkeypatch.setattr(pull, "AHEAD", PAGE)
    peak(store, 1)  # whatever is made at the first time is made
    few = peak(store, 4)
    with store.write() as tx:
        for table in (tables.contact, tables.binding, tables.cursor):
            tx.execute(table.delete())
    many = peak(store, 12)
    with store.read() as tx:
        assert tx.execute(select(func.count()).select_from(tables.contact)).scalar_one() == 2 * 12 * PAGE
    assert many < 1.15 * few + 200_000
