"""Queries of `pull`: what was read becomes rows; content that is as before changes nothing."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, bindparam, select, update

from connector.model import Account, Contact, Interaction, Kind, Owner, Pulled, SeenTask
from connector.ports import Reading, Record
from connector.store import tables
from connector.store.engine import new_id
from connector.store.people import person_of
from connector.store.tables import binding, display, ref_text
from connector.store.upsert import insert_or_ignore, insert_or_update

Found = tuple[Record, Reading]

TABLES: Mapping[Kind, Table] = {
    Kind.OWNER: tables.owner,
    Kind.ACCOUNT: tables.account,
    Kind.CONTACT: tables.contact,
    Kind.INTERACTION: tables.interaction,
}


@dataclass(slots=True)
class Counts:
    """What became of the records of one kind in one pass: read = changed + deleted + unchanged + refused."""

    read: int = 0
    changed: int = 0
    deleted: int = 0
    unchanged: int = 0
    refused: int = 0


@dataclass(slots=True)
class Absorbed:
    """What a page led to."""

    counts: dict[str, Counts] = field(default_factory=dict)
    merges: list[tuple[str, str]] = field(default_factory=list)
    """(loser's ref, survivor's ref): carried out when the pass is complete and the survivor is known."""

    def of(self, kind: str) -> Counts:
        """Return the counter of a kind."""
        return self.counts.setdefault(kind, Counts())


def kind_of(value: Pulled) -> Kind:
    """Return which table a value belongs into."""
    match value:
        case Account():
            return Kind.ACCOUNT
        case Contact():
            return Kind.CONTACT
        case Owner():
            return Kind.OWNER
        case Interaction():
            return Kind.INTERACTION
        case SeenTask():
            return Kind.FOLLOW_UP


class Absorber:
    """Takes pages of one connection into the store, inside the caller's transaction."""

    def __init__(self, connection: Connection, crm: str, *, now: datetime, key: bytes) -> None:
        self._sql = connection
        self._crm = crm
        self._now = now
        self._key = key

    def absorb(self, page: Sequence[Found]) -> Absorbed:
        """Store a page of one object. Each record counts exactly once, as stored, unchanged, deleted or refused."""
        result = Absorbed()
        refs = [f"{record.object}/{record.id}" for record, _ in page]
        known = self._bindings(refs)
        fresh: dict[Kind, list[tuple[str, str, Any]]] = {}
        for ref, (record, reading) in zip(refs, page, strict=True):
            counts = result.of(reading.kind)
            counts.read += 1
            if record.deleted:
                counts.deleted += self._bury(ref, record, known.get(ref), result)
            elif reading.value is None:
                self._pass_over(ref, reading, counts)
            else:
                content = _hash(reading.value)
                if (bound := known.get(ref)) is not None and bound.content == content:
                    counts.unchanged += 1
                else:
                    counts.changed += 1
                    fresh.setdefault(kind_of(reading.value), []).append((ref, content, reading.value))
        for kind, rows in fresh.items():
            self._store(kind, rows, known)
        for ref, (_, reading) in zip(refs, page, strict=True):
            if reading.value is not None and reading.error is not None:  # only a fact could not be understood
                self._refuse(ref, reading)
        self._note_shown([(ref, reading.value) for ref, (_, reading) in zip(refs, page, strict=True)])
        return result

    def _bindings(self, refs: Sequence[str]) -> dict[str, Row[Any]]:
        rows = self._sql.execute(select(binding).where(binding.c.connection == self._crm, binding.c.ref.in_(refs)))
        return {row.ref: row for row in rows}

    def _store(self, kind: Kind, rows: Sequence[tuple[str, str, Any]], known: Mapping[str, Row[Any]]) -> None:
        if kind is Kind.FOLLOW_UP:
            self._see_tasks(rows)
            return
        # A row that was read twice in one page is stored once, as it was read last.
        latest = {ref: (content, value) for ref, content, value in rows}
        new: list[dict[str, Any]] = []
        changed: list[dict[str, Any]] = []
        bindings: list[dict[str, Any]] = []
        for ref, (content, value) in latest.items():
            bound = known.get(ref)
            our_id = bound.id if bound is not None and not bound.alias else new_id()
            columns = self._columns(value, our_id, ref, is_new=bound is None)
            (new if bound is None or bound.alias else changed).append(columns)
            bindings.append(
                {
                    "connection": self._crm,
                    "ref": ref,
                    "kind": kind.value,
                    "id": our_id,
                    "content": content,
                    "alias": False,
                }
            )
        if new:
            self._sql.execute(TABLES[kind].insert(), new)
        if changed:
            self._sql.execute(_update_by_id(TABLES[kind], changed[0]), [_bound(row) for row in changed])
        insert_or_update(self._sql, binding, bindings)
        self._unrefuse(latest)
        if kind is Kind.CONTACT:
            self._latch_opt_outs([*new, *changed])

    def _columns(self, value: Any, our_id: str, ref: str, *, is_new: bool) -> dict[str, Any]:
        shared = {"id": our_id, "connection": self._crm, "ref": ref, "deleted_at": None}
        match value:
            case Account():
                own = _account_columns(value) | ({"customer": our_id} if is_new else {})
            case Contact():
                own = _contact_columns(value) | {"person": person_of(self._key, value.email) if value.email else None}
            case Owner():
                own = {"name": value.name, "email": value.email, "active": value.active, "timezone": value.timezone}
            case _:
                looks = self._now if value.ended is not None or not is_new else None
                own = _interaction_columns(value) | {"look_at": looks}
        return shared | own

    def _see_tasks(self, rows: Iterable[tuple[str, str, SeenTask]]) -> None:
        follow_up = tables.follow_up
        for ref, content, task in rows:
            mine = self._sql.execute(select(follow_up).where(follow_up.c.id == task.key)).one_or_none()
            if mine is None:
                continue
            changes: dict[str, Any] = {"task_ref": ref, "outcome": task.outcome}
            if not task.open and mine.state == "open":
                changes |= {"state": "closed", "closed_at": task.closed_at or self._now}
                mark_stale(self._sql, mine.customer, self._now)
            self._sql.execute(update(follow_up).where(follow_up.c.id == mine.id).values(**changes))
            row = {"connection": self._crm, "ref": ref, "kind": Kind.FOLLOW_UP.value, "id": mine.id, "content": content}
            insert_or_update(self._sql, binding, [row])

    # ── deletions and merges ─────────────────────────────────────────────────────────────────────────────────────────

    def _bury(self, ref: str, record: Record, bound: Row[Any] | None, result: Absorbed) -> int:
        """Mark a record as deleted; returns 1 if we knew it. Its content is forgotten, so that a restored record looks new."""
        if bound is None or bound.alias:
            return 0
        if record.merged_into is not None:
            result.merges.append((ref, f"{record.object}/{record.merged_into}"))
        if bound.content == "":
            return 0
        kind = Kind(bound.kind)
        at_ref = (binding.c.connection == self._crm) & (binding.c.ref == ref)
        self._sql.execute(update(binding).where(at_ref).values(content=""))
        if kind is Kind.FOLLOW_UP:
            self._drop_task(bound.id)
            return 1
        changes = {"deleted_at": self._now} | ({"look_at": self._now} if kind is Kind.INTERACTION else {})
        self._sql.execute(update(TABLES[kind]).where(TABLES[kind].c.id == bound.id).values(**changes))
        shown = (display.c.connection == self._crm) & (display.c.ref == ref)
        self._sql.execute(update(display).where(shown).values(dirty=False))
        return 1

    def _drop_task(self, follow_up_id: str) -> None:
        follow_up = tables.follow_up
        row = self._sql.execute(select(follow_up).where(follow_up.c.id == follow_up_id)).one()
        if row.state != "open":
            return
        closed = {"state": "closed", "closed_at": self._now, "outcome": "Task deleted in the CRM"}
        self._sql.execute(update(follow_up).where(follow_up.c.id == follow_up_id).values(**closed))
        mark_stale(self._sql, row.customer, self._now)

    # ── what our fields show ─────────────────────────────────────────────────────────────────────────────────────────

    def _note_shown(self, values: Sequence[tuple[str, Pulled | None]]) -> None:
        seen = {ref: value for ref, value in values if isinstance(value, Account | Contact)}
        if not seen:
            return
        known = self._displays(list(seen))
        rows = []
        for ref, value in seen.items():
            row = known.get(ref)
            shown = {name: raw for name, raw in value.shown.items() if raw is not None}
            if row is None and not shown:
                continue
            if row is not None and row.shown == shown:
                continue
            rows.append(
                {
                    "connection": self._crm,
                    "ref": ref,
                    "target": "account" if isinstance(value, Account) else "contact",
                    "wanted": row.wanted if row else {},
                    "shown": shown,
                    "written": row.written if row else {},
                    "dirty": bool(row and row.wanted),
                }
            )
        insert_or_update(self._sql, display, rows)

    def _displays(self, refs: Sequence[str]) -> dict[str, Row[Any]]:
        rows = self._sql.execute(select(display).where(display.c.connection == self._crm, display.c.ref.in_(refs)))
        return {row.ref: row for row in rows}

    # ── set aside ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _pass_over(self, ref: str, reading: Reading, counts: Counts) -> None:
        if reading.error is None:
            counts.unchanged += 1
            return
        counts.refused += 1
        self._refuse(ref, reading)

    def _refuse(self, ref: str, reading: Reading) -> None:
        error = reading.error
        assert error is not None  # noqa: S101 - the caller has looked
        key = f"read:{ref}"
        before = self._sql.execute(
            select(tables.refused.c.attempts).where(
                tables.refused.c.connection == self._crm, tables.refused.c.key == key
            )
        ).scalar()
        row = {
            "connection": self._crm,
            "key": key,
            "direction": "read",
            "code": type(error).__name__,
            "what": f"{error.field}: {error.what}" if error.field else error.what,
            "remedy": error.remedy,
            "fingerprint": "",
            "attempts": (before or 0) + 1,
            "at": self._now,
        }
        insert_or_update(self._sql, tables.refused, [row])

    def _unrefuse(self, refs: Iterable[str]) -> None:
        keys = [f"read:{ref}" for ref in refs]
        self._sql.execute(
            tables.refused.delete().where(tables.refused.c.connection == self._crm, tables.refused.c.key.in_(keys))
        )

    def _latch_opt_outs(self, contacts: Iterable[Mapping[str, Any]]) -> None:
        persons = sorted({row["person"] for row in contacts if row["no_surveys"] and row["person"]})
        if not persons:
            return
        insert_or_ignore(self._sql, tables.person, [{"person": who} for who in persons])
        fresh = tables.person.c.person.in_(persons) & tables.person.c.opted_out_at.is_(None)
        self._sql.execute(update(tables.person).where(fresh).values(opted_out_at=self._now, opted_out_by="crm"))


def mark_stale(connection: Connection, customer: str, now: datetime) -> None:
    """Note that something happened to a customer, for `score` to take in."""
    insert_or_ignore(connection, tables.standing, [{"customer": customer}])
    unmarked = (tables.standing.c.customer == customer) & tables.standing.c.stale_at.is_(None)
    connection.execute(update(tables.standing).where(unmarked).values(stale_at=now))


def _account_columns(value: Account) -> dict[str, Any]:
    return {
        "name": value.name,
        "owner_ref": ref_text(value.owner),
        "parent_ref": ref_text(value.parent),
        "is_customer": value.is_customer,
        "link": value.link,
        "facts": value.facts,
    }


def _contact_columns(value: Contact) -> dict[str, Any]:
    return {
        "account_ref": ref_text(value.account),
        "name": value.name,
        "email": value.email,
        "role": value.role,
        "language": value.language,
        "owner_ref": ref_text(value.owner),
        "no_surveys": value.no_surveys,
        "facts": value.facts,
    }


def _interaction_columns(value: Interaction) -> dict[str, Any]:
    return {
        "kind": value.kind,
        "label": value.label,
        "account_ref": ref_text(value.account),
        "contact_refs": [ref_text(ref) for ref in value.contacts],
        "owner_ref": ref_text(value.owner),
        "ended": value.ended,
        "ended_at": value.ended_at,
        "updated_at": value.updated_at,
        "facts": value.facts,
    }


def _hash(value: Pulled) -> str:
    """Hash what a record means to us, without what our own fields show: our writes coming back change nothing."""
    match value:
        case Account():
            content: object = _account_columns(value)
        case Contact():
            content = _contact_columns(value)
        case Interaction():
            content = _interaction_columns(value)
        case _:
            content = value
    return hashlib.blake2b(repr(content).encode(), digest_size=12).hexdigest()


def _update_by_id(table: Table, columns: Mapping[str, Any]) -> Any:
    names = [name for name in columns if name != "id"]
    return update(table).where(table.c.id == bindparam("_id")).values({name: bindparam(f"_{name}") for name in names})


def _bound(row: Mapping[str, Any]) -> dict[str, Any]:
    return {f"_{name}": value for name, value in row.items()}
