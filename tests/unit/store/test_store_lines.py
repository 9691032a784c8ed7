"""Rows as plain values: many at once, in any order of columns, and found again by many keys."""

from datetime import UTC, datetime

from sqlalchemy import create_engine, select

from connector.store.db.among import among
from connector.store.db.upsert import insert_lines, update_lines
from connector.store.tables import contact, metadata

NAMES = ("ref", "id", "connection", "name", "no_surveys", "facts", "deleted_at")
MANY = 3_000
GONE = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)


def test_more_rows_than_one_statement_takes_are_all_inserted_and_changed():
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.begin() as tx:
        lines = [(f"Contact/{n}", f"{n:05}", "acme", f"Maria {n}", n % 2 == 0, '{"n":1}', None) for n in range(MANY)]
        insert_lines(tx, contact, NAMES, lines)
        update_lines(tx, contact, ("deleted_at", "name"), [(GONE, "Maria", "00007")])
        wanted = select(contact).where(among(tx, contact.c.ref, [f"Contact/{n}" for n in range(MANY)]))
        rows = {row.id: row for row in tx.execute(wanted)}
    engine.dispose()
    assert len(rows) == MANY
    assert (rows["02999"].name, rows["02999"].no_surveys, rows["02999"].facts) == ("Maria 2999", False, {"n": 1})
    assert (rows["00007"].name, rows["00007"].deleted_at, rows["00007"].ref) == ("Maria", GONE, "Contact/7")
    assert rows["00008"].deleted_at is None
