"""Queries of `reconcile`: how far a comparison has come, which records it has met, and which it has not."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, exists, func, select, update

from connector.domain import cursor as rules
from connector.domain.cursor import Cursor
from connector.store.crm.refs import chunks
from connector.store.db.upsert import insert_or_ignore, insert_or_update
from connector.store.tables import binding, reconciled_record, reconciliation


@dataclass(frozen=True, slots=True)
class Measured:
    """What the comparisons of an object have found."""

    object: str
    measured: int | None
    """How many records differed in the last complete one."""
    measured_at: datetime | None
    """When that ended."""
    problem: str | None
    """Why the last one came to no end."""


@dataclass(frozen=True, slots=True)
class ReconciliationState:
    """How far the comparison of one object has come."""

    place: Cursor | None = None
    """None: none is under way."""
    compared: int = 0
    drift: int = 0
    measured_at: datetime | None = None
    """When the last complete one ended."""


# ── what we know ─────────────────────────────────────────────────────────────────────────────────────────────────────


def living(tx: Connection, crm: str, object_name: str) -> int:
    """Return how many records of an object we take to be there."""
    query = select(func.count()).select_from(binding).where(_lives(crm), _of(object_name))
    return int(tx.execute(query).scalar_one())


def how_many_live(tx: Connection, crm: str, refs: Iterable[str]) -> int:
    """Return how many of these records we take to be there."""
    queries = (
        select(func.count()).select_from(binding).where(_lives(crm), binding.c.ref.in_(part)) for part in chunks(refs)
    )
    return sum(int(tx.execute(query).scalar_one()) for query in queries)


def missing(tx: Connection, crm: str, object_name: str, *, behind: str = "", limit: int) -> Sequence[tuple[str, str]]:
    """Return (ref, kind) of records that we take to be there and that the comparison has not met, in the order of refs."""
    met = exists().where(reconciled_record.c.connection == crm, reconciled_record.c.ref == binding.c.ref)
    rows = tx.execute(
        select(binding.c.ref, binding.c.kind)
        .where(_lives(crm), _of(object_name), binding.c.ref > behind, ~met)
        .order_by(binding.c.ref)
        .limit(limit)
    )
    return [(row.ref, row.kind) for row in rows]


def _lives(crm: str) -> ColumnElement[bool]:
    """A buried record's content is forgotten; an alias stands for another."""
    return and_(binding.c.connection == crm, binding.c.content_hash != "", ~binding.c.alias)


def _of(object_name: str) -> ColumnElement[bool]:
    return binding.c.ref.startswith(f"{object_name}/", autoescape=True)


# ── how far it has come ──────────────────────────────────────────────────────────────────────────────────────────────


def state(tx: Connection, crm: str, object_name: str) -> ReconciliationState:
    """Return where the comparison of an object stands."""
    row = tx.execute(select(reconciliation).where(_at(crm, object_name))).one_or_none()
    if row is None:
        return ReconciliationState()
    if row.position is None:
        return ReconciliationState(measured_at=row.measured_at)
    return ReconciliationState(rules.load(row.position), row.compared, row.drift, row.measured_at)


def met(tx: Connection, crm: str, refs: Collection[str]) -> None:
    """Note records that the comparison has met."""
    insert_or_ignore(tx, reconciled_record, [{"connection": crm, "ref": ref} for ref in dict.fromkeys(refs)])


def keep(tx: Connection, crm: str, object_name: str, now: ReconciliationState) -> None:
    """Store how far a comparison has come."""
    row = {
        "connection": crm,
        "object": object_name,
        "position": None if now.place is None else rules.dump(now.place),
        "compared": now.compared,
        "drift": now.drift,
        "problem": None,
    }
    insert_or_update(tx, reconciliation, [row])


def complete(tx: Connection, crm: str, object_name: str, *, drift: int, at: datetime) -> None:
    """Note that a comparison came to its end, and forget which records it has met."""
    _forget(tx, crm, object_name)
    tx.execute(
        update(reconciliation)
        .where(_at(crm, object_name))
        .values(position=None, drift=drift, measured=drift, measured_at=at, problem=None)
    )


def give_up(tx: Connection, crm: str, object_name: str, problem: str) -> None:
    """Note why a comparison came to no end; the next one begins from the start."""
    _forget(tx, crm, object_name)
    keep(tx, crm, object_name, ReconciliationState())
    tx.execute(update(reconciliation).where(_at(crm, object_name)).values(problem=problem))


def measured(tx: Connection, crm: str) -> list[Measured]:
    """Return what is known of every object's comparison."""
    table = reconciliation.c
    rows = select(table.object, table.measured, table.measured_at, table.problem)
    return [Measured(*row) for row in tx.execute(rows.where(table.connection == crm).order_by(table.object))]


def _at(crm: str, object_name: str) -> ColumnElement[bool]:
    return and_(reconciliation.c.connection == crm, reconciliation.c.object == object_name)


def _forget(tx: Connection, crm: str, object_name: str) -> None:
    condition = reconciled_record.c.ref.startswith(f"{object_name}/", autoescape=True)
    tx.execute(reconciled_record.delete().where(reconciled_record.c.connection == crm, condition))
