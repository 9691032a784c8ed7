"""Queries of `undo`: what was written in a time, record by record."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select

from connector.model import FieldValue, Ref
from connector.model.outbox import WriteLogEntry
from connector.store.db.upsert import insert_or_update
from connector.store.outbox.write_log import DONE, entries
from connector.store.outbox.written_fields import History, history
from connector.store.tables import ref_of, ref_text, setting, write_log

UNDOING = "undo:"
"""Before the key of a write that takes another back."""
_PREFIX = "write_back:"


def begins(tx: Connection, crm: str, line: int, now: datetime) -> None:
    """Note the line of the log with which a write-back begins: from now on this is the last one."""
    row = {"name": _name(crm), "value": {"line": line, "at": now.isoformat()}}
    insert_or_update(tx, setting, [row])


def last(tx: Connection, crm: str) -> tuple[int, datetime] | None:
    """Return where in the log the last write-back begins, and when that was; None when there is none, or it was taken back."""
    stored = tx.execute(select(setting.c.value).where(setting.c.name == _name(crm))).scalar_one_or_none()
    return (int(stored["line"]), datetime.fromisoformat(stored["at"])) if stored else None


def starts(tx: Connection) -> dict[str, int]:
    """Return, by connection, the line of the log with which its last write-back begins."""
    rows = tx.execute(select(setting).where(setting.c.name.startswith(_PREFIX, autoescape=True)))
    return {row.name.removeprefix(_PREFIX): int(row.value["line"]) for row in rows}


def forget(tx: Connection, crm: str) -> None:
    """Note that the last write-back was taken back."""
    tx.execute(setting.delete().where(setting.c.name == _name(crm)))


def first_since(tx: Connection, crm: str, moment: datetime) -> int | None:
    """Return the first line of the log that was written at a moment or later; None when there is none."""
    conditions = (write_log.c.connection == crm, write_log.c.at >= moment)
    first: int | None = tx.execute(select(func.min(write_log.c.id)).where(*conditions)).scalar_one()
    return first


def pruned_until(tx: Connection, crm: str) -> datetime | None:
    """Return until when the log of writes was thinned out; None when it has everything."""
    value = tx.execute(select(setting.c.value).where(setting.c.name == _pruned(crm))).scalar_one_or_none()
    return datetime.fromisoformat(value) if value else None


def note_pruned(tx: Connection, crm: str, until: datetime) -> None:
    """Note that lines of the log from before this moment are gone."""
    insert_or_update(tx, setting, [{"name": _pruned(crm), "value": until.isoformat()}])


def _pruned(crm: str) -> str:
    return f"pruned:write_log:{crm}"


@dataclass(frozen=True, slots=True)
class Wrote:
    """What was written to one field of a record in a time: what stood there before the first write, and what the last one put."""

    name: str | None
    """Our name for it; None for a task's, which are the CRM's own."""
    before: FieldValue
    after: FieldValue


@dataclass(frozen=True, slots=True)
class WrittenLine:
    """What the log says of one record since its line `first`."""

    key: str
    ref: Ref
    created: bool
    """Whether we made the record in this time."""
    fields: Mapping[str, Wrote]
    """By the CRM's names; our own where it is not known what the CRM calls them."""


def lines(tx: Connection, crm: str, first: int, *, after: Ref | None, limit: int) -> list[WrittenLine]:
    """Return what was written since a line of the log, record by record, by ref behind `after`."""
    rows = _since(crm, first)
    behind = write_log.c.ref > (ref_text(after) or "")
    refs = select(write_log.c.ref).where(*rows, behind).distinct().order_by(write_log.c.ref)
    page = tx.execute(refs.limit(limit)).scalars().all()
    known = history(tx, crm)
    lines: dict[Ref, WrittenLine] = {}
    for number, entry in entries(tx, *rows, write_log.c.ref.in_(page)):
        if entry.ref is not None:
            lines[entry.ref] = _joined(lines.get(entry.ref), entry.ref, entry, _fields(entry, number, known))
    return [lines[ref_of(crm, ref)] for ref in page]


def _since(crm: str, first: int) -> tuple[ColumnElement[bool], ...]:
    return (
        write_log.c.connection == crm,
        write_log.c.id >= first,
        write_log.c.outcome.in_(DONE),
        write_log.c.ref.is_not(None),
        ~write_log.c.key.startswith(UNDOING, autoescape=True),
    )


def _joined(
    line: WrittenLine | None, ref: Ref, entry: WriteLogEntry, fields: Iterable[tuple[str, Wrote]]
) -> WrittenLine:
    """Add a later line of the log to what is known of its record."""
    known = dict(line.fields) if line else {}
    for path, new in fields:
        old = known.get(path)
        known[path] = Wrote(new.name, old.before if old else new.before, new.after)
    if line is not None:
        return replace(line, fields=known)
    return WrittenLine(entry.key, ref, entry.outcome == "created", known)


def _fields(entry: WriteLogEntry, number: int, known: History) -> Iterator[tuple[str, Wrote]]:
    target = target_of(entry.key)
    for name, value in entry.after.items():
        if target is None:
            yield name, Wrote(None, entry.before.get(name), value)
            continue
        field = known.at(target, name, number)
        yield field.path if field else name, Wrote(name, entry.before.get(name), value)


def target_of(key: str) -> str | None:
    """Return whose fields a line of the log is about: its key says so; None for a task, whose key is a follow-up's id."""
    target, colon, _ = key.partition(":")
    return target if colon else None


def _name(crm: str) -> str:
    return f"{_PREFIX}{crm}"
