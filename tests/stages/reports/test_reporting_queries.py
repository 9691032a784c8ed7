"""The figures of the reports to managers, on both databases: who was asked, who answered, and who was not heard."""

from datetime import UTC, datetime, timedelta

import pytest
from databases import BOTH_DATABASES
from lap_world import LapWorld
from sqlalchemy import select, update

from connector.store import tables
from connector.store.views import reports

CRMS = ("acme",)
DAY = timedelta(days=1)


@BOTH_DATABASES
def test_one_book_in_figures(world: LapWorld) -> None:
    """Two were asked of whom one is unhappy; one customer stays silent, and one was never asked."""
    begin = world.clock.now()
    northwind, silent = world.account("Northwind"), world.account("Silent Oy")
    world.crm.contact(world.account("Never Oy"), "Nobody Asked")
    unasked = world.crm.contact(northwind, "No Address", Email=None)
    world.crm.close(world.crm.case(northwind, unasked))
    world.rated(northwind, 1, who="Maria Virtanen")
    world.ask(silent, world.crm.contact(silent, "Silent Person"))
    until, later = world.clock.now() + timedelta(minutes=1), world.clock.now() + 30 * DAY
    world.clock.set(later)
    with world.store.read() as tx:
        assert reports.live_since(tx, CRMS) == begin
        (answered,) = reports.answers(tx, CRMS, begin, until)
        assert (answered.account, answered.response.who) == ("Northwind", "Maria Virtanen")
        assert reports.asking(tx, CRMS, begin, until) == reports.Asking(asked=2, answered=1)
        assert reports.asking(tx, CRMS, until, later) == reports.Asking(asked=0, answered=0)
        assert reports.not_asked(tx, CRMS, begin, until) == {"no_address": 1}
        assert reports.never_asked(tx, CRMS) == 1
        assert reports.unheard(tx, CRMS, begin, until, limit=5) == ([], 0)
        (unheard,), count = reports.unheard(tx, CRMS, until, later, limit=5)
        assert (unheard.account, unheard.people, count) == ("Silent Oy", 1, 1)
        (late,), count = reports.late(tx, CRMS, later, besides=(), limit=5)
        assert (late.who, late.account_name, count) == ("Maria Virtanen", "Northwind", 1)
        assert reports.late(tx, CRMS, later, besides=(late.follow_up.id,), limit=5) == ([], 0)
        assert reports.late(tx, CRMS, late.follow_up.due_at - DAY, besides=(), limit=5) == ([], 0)
        assert reports.without_outcome(tx, CRMS, besides=(), limit=5) == ([], 0)
        follow_ups = reports.follow_ups_about(tx, [answered.response.response_id])
        assert follow_ups[answered.response.response_id] == late
        for nobodys in (
            reports.answers(tx, ("other",), begin, later),
            reports.unheard(tx, (), begin, later, limit=5)[0],
        ):
            assert list(nobodys) == []


@BOTH_DATABASES
def test_linked_accounts_are_heard_as_one_customer(world: LapWorld) -> None:
    begin = world.clock.now()
    first, second = world.account("Litware Oy"), world.account("Litware Ab")
    world.ask(first, world.crm.contact(first, "Silent Person"))
    world.rated(second, 5)
    with world.store.write() as tx:
        customer = tx.execute(
            select(tables.account.c.customer).where(tables.account.c.name == "Litware Oy")
        ).scalar_one()
        tx.execute(update(tables.account).values(customer=customer))
    with world.store.read() as tx:
        assert reports.unheard(tx, CRMS, begin, datetime(2030, 1, 1, tzinfo=UTC), limit=5) == ([], 0)
        assert reports.never_asked(tx, CRMS) == 0


@BOTH_DATABASES
def test_answers_come_in_the_order_of_time_over_pages(world: LapWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "PAGE", 2)
    begin = world.clock.now()
    account = world.account()
    world.rate_all([(account, value) for value in (1, 2, 3, 4)])
    with world.store.read() as tx:
        values = [answered.response.rating.value for answered in reports.answers(tx, CRMS, begin, world.clock.now())]
    assert values == [1, 2, 3, 4]
