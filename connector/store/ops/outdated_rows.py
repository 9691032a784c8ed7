"""Taking out rows that nothing needs any more, some at a time: what is kept for how long stands in `connector.commands.retention`.

Which rows those are is asked in a transaction that only reads; they are deleted by their keys in another one, where the same must
still hold of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select, true

from connector.model import Delivery, FollowUpState
from connector.model.documents import JsonObject
from connector.store import tables
from connector.store.crm.refs import chunks
from connector.store.db.types import AnyColumn, AnyTable
from connector.store.db.upsert import insert_or_update
from connector.store.outbox import undo

_SETTING = "pruned"
_AT_WORK: Final = (Delivery.DUE, Delivery.SENDING)


Key = int | str
"""What addresses a row of a table."""


@dataclass(frozen=True, slots=True)
class PastScore:
    """One row of the scores' history."""

    id: int
    customer: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Outdated:
    """Which rows of a table may go, given the moment before which they are old."""

    table: AnyTable
    stamp: str
    """The column that tells how old a row is."""
    but: Callable[[Connection], ColumnElement[bool]] = lambda _tx: true()
    """What else must hold of a row that goes."""

    def condition(self, tx: Connection, before: datetime) -> ColumnElement[bool]:
        """Return what holds of the rows that may go."""
        return and_(self.table.c[self.stamp] < before, self.but(tx))

    @property
    def key(self) -> AnyColumn:
        """The column by which a row is addressed."""
        (column,) = self.table.primary_key
        return column

    def some(self, tx: Connection, before: datetime, limit: int) -> Sequence[Key]:
        """Return the keys of some rows that may go."""
        chosen = select(self.key).where(self.condition(tx, before)).limit(limit)
        return tx.execute(chosen).scalars().all()

    def delete(self, tx: Connection, before: datetime, keys: Sequence[Key]) -> int:
        """Delete those of these rows that may still go; returns how many."""
        return tx.execute(self.table.delete().where(self.key.in_(keys), self.condition(tx, before))).rowcount


def _answered_for(_tx: Connection) -> ColumnElement[bool]:
    """An attempt whose invitation can still be sent keeps it from being sent twice."""
    on_its_way = exists().where(
        tables.invitation.c.id == tables.attempt.c.invitation_id, tables.invitation.c.state.in_(_AT_WORK)
    )
    return and_(tables.attempt.c.state != Delivery.SENDING, ~on_its_way)


def _follow_up_is_over(_tx: Connection) -> ColumnElement[bool]:
    """Who was told of something that is not done yet is not to be told again."""
    return ~exists().where(
        tables.follow_up.c.id == tables.alert.c.follow_up_id, tables.follow_up.c.state != FollowUpState.CLOSED
    )


def _before_the_last_write_back(tx: Connection) -> ColumnElement[bool]:
    """Undo needs the lines of each connection's last write-back, however long ago it was."""
    log = tables.write_log
    needed = [and_(log.c.connection == crm, log.c.id >= line) for crm, line in undo.starts(tx).items()]
    return ~or_(*needed) if needed else true()


def _scores_nobody(_tx: Connection) -> ColumnElement[bool]:
    """A customer keeps the prior that it was scored with."""
    prior, score = tables.prior, tables.customer_score
    in_use = exists().where(score.c.prior_version == prior.c.version)
    return and_(~in_use, prior.c.version < select(func.max(prior.c.version)).scalar_subquery())


OUTDATED: Final[Mapping[str, Outdated]] = {
    "lap": Outdated(tables.lap, "started_at", lambda _tx: tables.lap.c.ended_at.is_not(None)),
    "inbox": Outdated(tables.inbox, "done_at"),
    "sign_in": Outdated(tables.sign_in, "made_at"),
    "web_session": Outdated(tables.web_session, "began_at"),
    "write_log": Outdated(tables.write_log, "at", _before_the_last_write_back),
    "decision_log": Outdated(tables.decision_log, "at"),
    "attempt": Outdated(tables.attempt, "started_at", _answered_for),
    "alert": Outdated(tables.alert, "at", _follow_up_is_over),
    "staff_mail": Outdated(tables.staff_mail, "at"),
}
"""By the table's name. What is thinned out instead is not among them, see `superseded`."""
WRITES: Final = "write_log"
THINNED: Final = "score_history"
PRIORS: Final = "prior"


def old_priors(tx: Connection, day: str, limit: int) -> Sequence[int]:
    """Return versions of the prior that were fitted before a day (ISO 8601), and by which nobody is scored."""
    prior = tables.prior
    chosen = select(prior.c.version).where(prior.c.day < day, _scores_nobody(tx)).limit(limit)
    return tx.execute(chosen).scalars().all()


def delete_priors(tx: Connection, versions: Sequence[int]) -> int:
    """Delete those of these versions by which nobody is scored; returns how many."""
    prior = tables.prior
    return tx.execute(prior.delete().where(prior.c.version.in_(versions), _scores_nobody(tx))).rowcount


def delete_writes(tx: Connection, before: datetime, keys: Sequence[Key]) -> int:
    """Delete lines of the log of writes, and note for undo from when on the log of their connections has everything."""
    log = tables.write_log
    crms = tx.execute(select(log.c.connection).distinct().where(log.c.id.in_(keys))).scalars().all()
    removed = OUTDATED[WRITES].delete(tx, before, keys)
    for crm in crms if removed else ():
        undo.note_pruned(tx, crm, before)
    return removed


Place = tuple[str, datetime, int]
"""Where thinning out stands: customer, when, id."""


def old_scores(tx: Connection, before: datetime, after: Place | None, limit: int) -> list[PastScore]:
    """Return rows of the scores' history that are older, by customer and time, behind a place."""
    history = tables.score_history
    order = (history.c.customer, history.c.at, history.c.id)
    chosen = select(history.c.id, history.c.customer, history.c.at).where(history.c.at < before)
    if after is not None:
        customer, at, id_ = after
        later = or_(history.c.at > at, and_(history.c.at == at, history.c.id > id_))
        chosen = chosen.where(or_(history.c.customer > customer, and_(history.c.customer == customer, later)))
    return [PastScore(*row) for row in tx.execute(chosen.order_by(*order).limit(limit))]


def superseded(rows: Sequence[PastScore]) -> list[int]:
    """Return the ids of rows, ordered by customer and time, that another one of the same customer and month comes after."""
    return [row.id for row, following in pairwise(rows) if _month(row) == _month(following)]


def _month(row: PastScore) -> tuple[str, int, int]:
    return (row.customer, row.at.year, row.at.month)


def delete_scores(tx: Connection, ids: Sequence[int]) -> int:
    """Delete rows of the scores' history; returns how many."""
    history = tables.score_history
    return sum(tx.execute(history.delete().where(history.c.id.in_(part))).rowcount for part in chunks(ids))


def note(tx: Connection, at: datetime, removed: Mapping[str, int]) -> None:
    """Note that everything outdated was taken out."""
    insert_or_update(
        tx, tables.setting, [{"name": _SETTING, "value": {"at": at.isoformat(), "removed": dict(removed)}}]
    )


def noted(tx: Connection) -> JsonObject | None:
    """Return when that was last, and how many rows went, by table."""
    document: JsonObject | None = tx.execute(
        select(tables.setting.c.value).where(tables.setting.c.name == _SETTING)
    ).scalar_one_or_none()
    return document


def sizes(tx: Connection) -> dict[str, dict[str, object]]:
    """Return how many rows each table holds from which rows are taken out, and when the oldest one is from."""
    stamps = {name: outdated.table.c[outdated.stamp] for name, outdated in OUTDATED.items()}
    stamps[THINNED] = tables.score_history.c.at
    by_table = {}
    for name, stamp in stamps.items():
        count, oldest = tx.execute(select(func.count(), func.min(stamp)).select_from(stamp.table)).one()
        by_table[name] = {"rows": int(count), "oldest": oldest.isoformat() if oldest is not None else None}
    return by_table
