"""Queries of `pull`: what was read becomes rows; content that is as before changes nothing."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, and_, literal, select, update

from connector.model import (
    EMAIL_BOUNCED,
    MARK_KEY,
    Account,
    Contact,
    Interaction,
    Kind,
    OptOutWay,
    Pulled,
    SeenTask,
)
from connector.settings.time_zones import first_zone
from connector.store import tables
from connector.store.crm import own_users
from connector.store.crm.pages import Absorbed, ReadRecord, RecordCounts, TaskRead
from connector.store.db.among import among
from connector.store.db.columns import NAMES, TABLES, Content, content_of, is_as_kept, kind_of
from connector.store.db.engine import new_ids
from connector.store.db.types import AnyColumn, AnyRow
from connector.store.db.upsert import insert_lines, insert_or_ignore, insert_or_update, update_lines
from connector.store.results.record_texts import naming
from connector.store.surveys.askable import any_figures, look_again_at_accounts, look_again_at_people
from connector.store.surveys.opt_outs import said_no
from connector.store.surveys.people import join_spellings, opt_out, person_of
from connector.store.tables import binding, outbox_record, ref_of, ref_text

_UTC: Final = ZoneInfo("UTC")
_OURS: Mapping[Kind, tuple[str, ...]] = {
    Kind.ACCOUNT: ("customer",),
    Kind.CONTACT: ("person",),
    Kind.INTERACTION: ("decide_at",),
}
"""Columns of a new row that are not read from the CRM, see `Absorber._ours`."""


class Absorber:
    """Takes pages of one connection into the store, inside the caller's transaction."""

    def __init__(
        self,
        tx: Connection,
        crm: str,
        *,
        now: datetime,
        key: bytes,
        zone: ZoneInfo = _UTC,
        written_since: Collection[str] = (),
    ) -> None:
        """`zone` is the company's: days end by it where an owner has none.

        `written_since`: the refs of records that were written since the pages began to be read. What these show of our fields, and all
        that they say of our tasks, may be from before; the next reading tells it again.
        """
        self._sql = tx
        self._crm = crm
        self._now = now
        self._key = key
        self._zone = zone
        self._written_since = written_since

    def absorb(self, page: Sequence[ReadRecord]) -> Absorbed:
        """Store a page of one object. Each record counts exactly once, as stored, unchanged, deleted or refused."""
        result = Absorbed()
        known = self._bindings([record.ref for record in page])
        fresh: dict[Kind, dict[str, Content]] = {}
        page = self._without_written_tasks(page, known, result)
        zones = self._zones(page)
        understood: list[str] = []
        gone: list[str] = []
        for record in page:
            reading, counts = record.reading, result.of(record.reading.kind)
            if reading.error is None:
                understood.append(record.ref)
            counts.read += 1
            if record.deleted:
                buried = self._bury(record, known.get(record.ref), result)
                if buried and known[record.ref].kind == Kind.CONTACT.value:
                    gone.append(known[record.ref].id)
                counts.deleted += buried
                counts.unchanged += 1 - buried  # of what we never had, or had buried before, it says nothing new
            elif reading.value is None:
                self._pass_over(record, counts)
            elif isinstance(reading.value, SeenTask) and reading.value.key == MARK_KEY:
                counts.unchanged += 1  # the installation's mark is read apart
                own_users.note(self._sql, self._crm, _maker(reading.value))
            elif (row := _if_fresh(self._content(record, reading.value, zones), known.get(record.ref))) is None:
                counts.unchanged += 1
            else:
                counts.changed += 1
                # A record that was read twice in one page is stored once, as it was read last.
                fresh.setdefault(kind_of(reading.value), {})[record.ref] = row
        if gone:
            self._leave(gone)
        for kind, rows in fresh.items():
            self._store(kind, rows, known)
        self._unrefuse(understood)
        result.tasks += self._see_tasks(fresh.get(Kind.FOLLOW_UP, {}))
        for record in page:
            if record.reading.value is not None and record.reading.error is not None:  # only a fact was not understood
                self._refuse(record)
        self._note_actual(page)
        return result

    def _without_written_tasks(
        self, page: Sequence[ReadRecord], known: Mapping[str, AnyRow], result: Absorbed
    ) -> Sequence[ReadRecord]:
        """Leave out our tasks that were written since. They stay as they were known, so the next reading finds what has changed."""
        rest = []
        for record in page:
            bound = known.get(record.ref)
            is_task = isinstance(record.reading.value, SeenTask) or (bound and bound.kind == Kind.FOLLOW_UP.value)
            if record.ref in self._written_since and is_task:
                counts = result.of(record.reading.kind)
                counts.read += 1
                counts.unchanged += 1
            else:
                rest.append(record)
        return rest

    def _zones(self, page: Sequence[ReadRecord]) -> Mapping[str, str | None]:
        """Return the zones of the users whose interactions on this page ended on a day of which no time is known."""
        values = [record.reading.value for record in page]
        days = [value for value in values if isinstance(value, Interaction) and value.all_day]
        refs = {str(ref_text(value.owner)) for value in days if value.owner is not None}
        if not refs:
            return {}
        owner = tables.owner
        conditions = (owner.c.connection == self._crm, among(self._sql, owner.c.ref, refs))
        rows = self._sql.execute(select(owner.c.ref, owner.c.timezone).where(*conditions))
        return {row.ref: row.timezone for row in rows}

    def _content(self, record: ReadRecord, value: Pulled, zones: Mapping[str, str | None]) -> Content:
        return record.content or content_of(self._when_over(value, zones))

    def _when_over(self, value: Pulled, zones: Mapping[str, str | None]) -> Pulled:
        """Let what ended on a day end when that day was over for its owner: nobody is asked about a meeting before it."""
        if not isinstance(value, Interaction) or not value.all_day or value.ended_at is None:
            return value
        zone = first_zone((zones.get(ref_text(value.owner) or ""),), self._zone)
        next_day = value.ended_at.date() + timedelta(days=1)
        return replace(value, ended_at=datetime.combine(next_day, time(), zone).astimezone(UTC))

    def _bindings(self, refs: Sequence[str]) -> dict[str, AnyRow]:
        columns: list[AnyColumn] = [binding.c[name] for name in ("ref", "id", "kind", "content_hash", "alias")]
        condition = and_(binding.c.connection == self._crm, among(self._sql, binding.c.ref, refs))
        return {row.ref: row for row in self._sql.execute(select(*columns).where(condition))}

    def _store(self, kind: Kind, rows: Mapping[str, Content], known: Mapping[str, AnyRow]) -> None:
        if kind is Kind.FOLLOW_UP:
            return  # see `_see_tasks`
        # What was merged into another record and is there again has no row: its binding leads to the other's.
        new = [ref for ref in rows if ref not in known or known[ref].alias]
        ids = dict(zip(new, new_ids(len(new)), strict=True))
        changed = {ref: known[ref].id for ref in rows if ref not in ids}
        self._insert(kind, rows, ids)
        if kind is Kind.CONTACT:
            self._keep_opt_outs(rows, changed)
            self._look_again(rows, changed)
        self._update(kind, rows, changed)
        self._bind(kind, rows, ids | changed, known)
        self._write_again(kind, changed)
        if kind is Kind.CONTACT:
            contacts = [row.value for row in rows.values() if isinstance(row.value, Contact)]
            join_spellings(self._sql, self._key, (contact.email for contact in contacts if contact.email))
            self._latch_opt_outs(contacts)
        self._restore(kind, {ref: our_id for ref, our_id in changed.items() if known[ref].content_hash == ""})

    def _insert(self, kind: Kind, rows: Mapping[str, Content], ids: Mapping[str, str]) -> None:
        names = ("id", "connection", "ref", *NAMES[kind], *_OURS.get(kind, ()))
        lines = [(ids[ref], self._crm, ref, *rows[ref].columns, *self._ours(rows[ref].value, ids[ref])) for ref in ids]
        insert_lines(self._sql, TABLES[kind], names, lines)

    def _ours(self, value: Pulled, our_id: str) -> tuple[object, ...]:
        """Return what we keep of a new record beside its columns: whose it is, or when `invite` is to look at it."""
        match value:
            case Contact(email=email):
                return (person_of(self._key, email) if email else None,)
            case Interaction(ended=ended):
                return (self._now if ended is not None else None,)
            case Account():
                return (our_id,)
            case _:
                return ()

    def _update(self, kind: Kind, rows: Mapping[str, Content], ids: Mapping[str, str]) -> None:
        """Change rows; what was deleted is there again, and `invite` looks at every interaction that is not as it was."""
        names = (*NAMES[kind], "deleted_at")
        lines: list[tuple[object, ...]] = [(*rows[ref].columns, None) for ref in ids]
        if kind is Kind.CONTACT:
            names = (*names, "person")
            lines = [(*line, *self._ours(rows[ref].value, "")) for ref, line in zip(ids, lines, strict=True)]
        if kind is Kind.INTERACTION:
            names = (*names, "decide_at")
            lines = [(*line, self._now) for line in self._as_people_left(rows, ids, lines)]
        keyed = [(*line, our_id) for line, our_id in zip(lines, ids.values(), strict=True)]
        update_lines(self._sql, TABLES[kind], names, keyed)

    def _as_people_left(
        self, rows: Mapping[str, Content], ids: Mapping[str, str], lines: Sequence[tuple[object, ...]]
    ) -> Iterator[tuple[object, ...]]:
        """Yield interactions with the last update by somebody else in place of one by our own user, which is nobody's word."""
        interaction, names = tables.interaction, NAMES[Kind.INTERACTION]
        ours = own_users.known(self._sql, self._crm)
        touched = [our_id for ref, our_id in ids.items() if _updated_by(rows[ref].value) in ours]
        if not touched:
            yield from lines
            return
        known = select(interaction.c.id, interaction.c.updated_at, interaction.c.updated_by)
        before = {row.id: row for row in self._sql.execute(known.where(among(self._sql, interaction.c.id, touched)))}
        at, by = names.index("updated_at"), names.index("updated_by")
        for our_id, line in zip(ids.values(), lines, strict=True):
            if our_id in before:
                left = list(line)
                left[at], left[by] = before[our_id].updated_at, before[our_id].updated_by
                yield tuple(left)
            else:
                yield line

    def _bind(
        self, kind: Kind, rows: Mapping[str, Content], ids: Mapping[str, str], known: Mapping[str, AnyRow]
    ) -> None:
        names = ("connection", "ref", "kind", "id", "content_hash")
        crm, word = self._crm, kind.value
        lines = {ref: (crm, ref, word, our_id, rows[ref].digest) for ref, our_id in ids.items()}
        # In the order of the key: rows that stand side by side in its index touch few of its blocks.
        insert_lines(self._sql, binding, names, [lines[ref] for ref in sorted(lines.keys() - known.keys())])
        again = [dict(zip(names, line, strict=True), alias=False) for ref, line in lines.items() if ref in known]
        insert_or_update(self._sql, binding, again)

    def _see_tasks(self, rows: Mapping[str, Content]) -> Iterator[TaskRead]:
        """Bind the tasks that are follow-ups' own, and yield them. Those of another installation, and copies, are nobody's."""
        follow_up = tables.follow_up
        tasks = {ref: fresh.value for ref, fresh in rows.items() if isinstance(fresh.value, SeenTask)}
        keys = [task.key for task in tasks.values()]
        condition = among(self._sql, follow_up.c.id, keys) & (follow_up.c.connection == self._crm)
        follow_ups = (
            self._sql.execute(select(follow_up.c.id, follow_up.c.task_ref).where(condition)).all() if keys else ()
        )
        own = {row.id: row.task_ref for row in follow_ups}
        for ref, task in tasks.items():
            if task.key not in own or _is_copy(own[task.key], ref):
                continue
            kind, content = Kind.FOLLOW_UP.value, rows[ref].digest
            row = {"connection": self._crm, "ref": ref, "kind": kind, "id": task.key, "content_hash": content}
            insert_or_update(self._sql, binding, [row])
            if own[task.key] == ref:
                own_users.note(self._sql, self._crm, _maker(task))
            yield TaskRead(task.key, ref_of(self._crm, ref), task)

    # ── deletions and merges ─────────────────────────────────────────────────────────────────────────────────────────

    def _bury(self, record: ReadRecord, bound: AnyRow | None, result: Absorbed) -> int:
        """Mark a record as deleted; returns 1 if we knew it. Its content is forgotten, so that a restored record looks new."""
        if bound is None or bound.alias:
            return 0
        if record.merged_into is not None:
            result.merges.append((record.ref, record.merged_into))
        if bound.content_hash == "":
            return 0
        kind = Kind(bound.kind)
        at_ref = (binding.c.connection == self._crm) & (binding.c.ref == record.ref)
        self._sql.execute(update(binding).where(at_ref).values(content_hash=""))
        if kind is Kind.FOLLOW_UP:
            result.tasks += self._deleted_task(bound.id, record.ref)
            return 1
        changes = {"deleted_at": self._now} | ({"decide_at": self._now} if kind is Kind.INTERACTION else {})
        self._sql.execute(update(TABLES[kind]).where(TABLES[kind].c.id == bound.id).values(**changes))
        if kind is Kind.ACCOUNT:
            mark_stale(self._sql, self._customer_of(bound.id), self._now)
        here = (outbox_record.c.connection == self._crm) & (outbox_record.c.ref == record.ref)
        self._sql.execute(update(outbox_record).where(here).values(pending=False))
        return 1

    def _leave(self, contacts: Sequence[str]) -> None:
        """Have the accounts looked at that have lost these contacts, and the records written that name them."""
        left = select(tables.contact.c.account_ref).where(among(self._sql, tables.contact.c.id, contacts))
        look_again_at_accounts(self._sql, self._crm, [*filter(None, self._sql.execute(left).scalars())])
        self._name_anew(contacts)

    def _restore(self, kind: Kind, ids: Mapping[str, str]) -> None:
        """While they were deleted, accounts' answers did not count, and nothing was written to any of them.

        A merge of theirs that still waits for its survivor is not carried out any more.
        """
        if kind is Kind.ACCOUNT:
            for account_id in ids.values():
                mark_stale(self._sql, self._customer_of(account_id), self._now)
        if kind is Kind.CONTACT:
            self._name_anew(ids.values())
        if ids:
            condition = and_(outbox_record.c.connection == self._crm, among(self._sql, outbox_record.c.ref, ids))
            self._sql.execute(update(outbox_record).where(condition).values(pending=True))
            inbox = tables.inbox
            merges = and_(inbox.c.source == f"merge:{self._crm}", among(self._sql, inbox.c.key, ids))
            self._sql.execute(inbox.delete().where(merges, inbox.c.done_at.is_(None)))

    def _name_anew(self, contacts: Iterable[str]) -> None:
        """Have the records written that name these contacts: nobody is named while they are deleted."""
        for customer in naming(self._sql, contacts):
            mark_stale(self._sql, customer, self._now)

    def _customer_of(self, account_id: str) -> str:
        of_account = select(tables.account.c.customer).where(tables.account.c.id == account_id)
        return str(self._sql.execute(of_account).scalar_one())

    def _deleted_task(self, follow_up_id: str, ref: str) -> Iterator[TaskRead]:
        """Yield the deletion of a follow-up's task; that of a copy says nothing."""
        follow_up = tables.follow_up
        known = self._sql.execute(select(follow_up.c.task_ref).where(follow_up.c.id == follow_up_id)).one_or_none()
        if known is not None and not _is_copy(known.task_ref, ref):
            yield TaskRead(follow_up_id, ref_of(self._crm, ref), None)

    # ── what our fields hold ─────────────────────────────────────────────────────────────────────────────────────────

    def _note_actual(self, page: Sequence[ReadRecord]) -> None:
        living = [
            record for record in page if not record.deleted
        ]  # what is gone shows nothing, and is not to be written either
        seen = {
            record.ref: record.reading.value
            for record in living
            if isinstance(record.reading.value, (Account, Contact)) and record.ref not in self._written_since
        }
        known = self._outbox_records(list(seen))
        rows = []
        for ref, value in seen.items():
            row = known.get(ref)
            actual = {name: raw for name, raw in value.shown.items() if raw is not None}
            if actual == (row.actual if row is not None else {}):
                continue
            rows.append(
                {
                    "connection": self._crm,
                    "ref": ref,
                    "target": "account" if isinstance(value, Account) else "contact",
                    "desired": {},
                    "actual": actual,
                    "written": {},
                    "pending": bool(row and row.desired),
                }
            )
        # In the order in which write-back notes them: two that lock the same rows wait for each other, and not in a circle.
        rows.sort(key=lambda row: str(row["ref"]))
        # What the record should say is not touched, nor a mark on it taken off: the survey page may be at it at this very moment.
        insert_or_update(self._sql, outbox_record, [row for row in rows if row["pending"]], only=("actual", "pending"))
        insert_or_update(self._sql, outbox_record, [row for row in rows if not row["pending"]], only=("actual",))

    def _outbox_records(self, refs: Sequence[str]) -> dict[str, AnyRow]:
        if not refs or not self._any(outbox_record.c.connection == self._crm):
            return {}
        condition = and_(outbox_record.c.connection == self._crm, among(self._sql, outbox_record.c.ref, refs))
        rows = self._sql.execute(select(outbox_record).where(condition))
        return {row.ref: row for row in rows}

    # ── set aside ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _pass_over(self, record: ReadRecord, counts: RecordCounts) -> None:
        if record.reading.error is None:
            counts.unchanged += 1
            return
        counts.refused += 1
        self._refuse(record)

    def _refuse(self, record: ReadRecord) -> None:
        error = record.reading.error
        assert error is not None  # noqa: S101 - the caller has looked
        key = f"read:{record.ref}"
        row = {
            "connection": self._crm,
            "key": key,
            "direction": "read",
            "code": type(error).__name__,
            "what": f"{error.field}: {error.what}" if error.field else error.what,
            "remedy": error.remedy,
            "fingerprint": "",
            "attempts": 1,
            "at": self._now,
        }
        insert_or_update(self._sql, tables.refused_record, [row], added=("attempts",))

    def _unrefuse(self, refs: Iterable[str]) -> None:
        refused_record = tables.refused_record
        condition = (refused_record.c.connection == self._crm) & (refused_record.c.direction == "read")
        if not self._any(condition):
            return
        keys = [f"read:{ref}" for ref in refs]
        self._sql.execute(refused_record.delete().where(condition, among(self._sql, refused_record.c.key, keys)))

    def _write_again(self, kind: Kind, changed: Mapping[str, str]) -> None:
        """Let what was refused of a record, or of a task about it, be tried once more now that somebody has changed the record."""
        refused_record, follow_up = tables.refused_record, tables.follow_up
        condition = (refused_record.c.connection == self._crm) & (refused_record.c.direction == "write")
        if kind not in (Kind.ACCOUNT, Kind.CONTACT) or not changed or not self._any(condition):
            return
        about = follow_up.c.account_id if kind is Kind.ACCOUNT else follow_up.c.contact_id
        tasks = select(follow_up.c.id).where(among(self._sql, about, changed.values()), follow_up.c.task_ref.is_(None))
        about_them = among(self._sql, refused_record.c.key, [f"{kind.value}:{ref}" for ref in changed])
        self._sql.execute(
            update(refused_record).where(condition, about_them | refused_record.c.key.in_(tasks)).values(fingerprint="")
        )

    def _any(self, condition: ColumnElement[bool]) -> bool:
        """Tell if there is any such row: mostly there is none, and 2,000 need not be looked for one by one."""
        return self._sql.execute(select(literal(1)).where(condition).limit(1)).first() is not None

    def _keep_opt_outs(self, rows: Mapping[str, Content], ids: Mapping[str, str]) -> None:
        """Whoever wanted no surveys under an address wants none under the next one either, whether the record says so yet or not."""
        opt_outs = said_no(self._sql, [*ids.values()])
        for ref, our_id in ids.items():
            if our_id in opt_outs and (email := _email(rows[ref].value)) is not None:
                opt_out(self._sql, person_of(self._key, email), self._now, opt_outs[our_id])

    def _look_again(self, rows: Mapping[str, Content], ids: Mapping[str, str]) -> None:
        """Have the accounts looked at that contacts came to or left, or at which another contact can be asked now, or none any more."""
        if not any_figures(self._sql):
            return
        contact = tables.contact
        columns = ("id", "account_ref", "person", "no_surveys", "facts", "deleted_at")
        known = select(*(contact.c[name] for name in columns))
        before = {row.id: row for row in self._sql.execute(known.where(among(self._sql, contact.c.id, ids.values())))}
        accounts: set[str | None] = set()
        for ref, row in rows.items():
            value, old = row.value, before.get(ids.get(ref, ""))
            if not isinstance(value, Contact):
                continue
            account = ref_text(value.account)
            here = (account, *self._ours(value, ""), value.no_surveys, *_bounced(value.facts), None)
            there = (
                None
                if old is None
                else (old.account_ref, old.person, old.no_surveys, *_bounced(old.facts), old.deleted_at)
            )
            if here != there:
                accounts |= {account, old.account_ref if old is not None else None}
        look_again_at_accounts(self._sql, self._crm, [ref for ref in accounts if ref])

    def _latch_opt_outs(self, contacts: Iterable[Contact]) -> None:
        emails = {contact.email for contact in contacts if contact.no_surveys and contact.email}
        if not emails:
            return
        persons = sorted(person_of(self._key, email) for email in emails)
        insert_or_ignore(self._sql, tables.person, [{"person": who} for who in persons])
        fresh = and_(among(self._sql, tables.person.c.person, persons), tables.person.c.opted_out_at.is_(None))
        latched = [*self._sql.execute(select(tables.person.c.person).where(fresh)).scalars()]
        self._sql.execute(update(tables.person).where(fresh).values(opted_out_at=self._now, opted_out_by=OptOutWay.CRM))
        look_again_at_people(self._sql, latched)


def _bounced(facts: Mapping[str, object]) -> tuple[bool]:
    return (bool(facts.get(EMAIL_BOUNCED)),)


def mark_stale(tx: Connection, customer: str, now: datetime) -> None:
    """Note that something happened to a customer, for `score` to take in.

    An earlier mark is replaced: whoever is dealing with that one must not take this one off as well.
    """
    mark_all_stale(tx, [customer], now)


def mark_all_stale(tx: Connection, customers: Iterable[str], now: datetime) -> None:
    """Note that something happened to each of these customers, see `mark_stale`."""
    rows = [{"customer": customer, "stale_at": now} for customer in sorted(customers)]
    insert_or_update(tx, tables.customer_score, rows)


def _updated_by(value: Pulled) -> str | None:
    return value.updated_by if isinstance(value, Interaction) else None


def _email(value: Pulled) -> str | None:
    return (value.email or None) if isinstance(value, Contact) else None


def _maker(task: SeenTask) -> tuple[str, ...]:
    return () if task.made_by is None else (task.made_by,)


def _is_copy(task_ref: str | None, ref: str) -> bool:
    """Tell whether a record with our key is another one than the task we made: where the key may stand twice, somebody copied it."""
    return task_ref not in (None, ref)


def _if_fresh(content: Content, bound: AnyRow | None) -> Content | None:
    """Return what is to be stored; None where it is stored already. Our own writes coming back change nothing."""
    return None if bound is not None and is_as_kept(content, bound.content_hash) else content
