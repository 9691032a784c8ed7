"""The port to a CRM in memory, as one integration user sees it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

from adapters.memory import setup
from adapters.memory import writes as memory_writes
from adapters.memory.crm import MemoryCrm
from adapters.memory.faults import CallKind
from adapters.memory.path_values import UserQuery
from adapters.memory.row_versions import Row, Version
from adapters.memory.validation import stamp
from connector.errors import AuthRevoked, Bug, CrmError, Gone, NotPermitted, QuotaSpent, raises_own_errors
from connector.model import MissingRight, Ref, Unseen
from connector.ports import (
    NO_LABELS,
    BulkWriter,
    FieldLimit,
    FieldSpec,
    Needs,
    NoteTaker,
    ObjectSchema,
    Org,
    Page,
    Position,
    Query,
    Record,
    SetupResult,
    SetupStep,
    Usage,
    Write,
    WriteResult,
    check_writes,
)

Seen = tuple[Position, Row, Version]


@raises_own_errors
class MemoryAdapter:
    """Implements `connector.ports.CrmAdapter`. `lag` and `page_size` are settable, to see what they do to a reader."""

    def __init__(
        self,
        crm: MemoryCrm,
        connection: str = "memory",
        *,
        page_size: int = 200,
        write_batch: int = 200,
        lag: timedelta = timedelta(minutes=5),
    ) -> None:
        self.crm = crm
        self.connection = connection
        self.page_size = page_size
        self.write_batch = write_batch
        self.bulk: BulkWriter | None = None
        self.notes: NoteTaker | None = None
        self.lag = lag
        self._token = crm.token
        self._calls = 0
        self._closed = False

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def org(self) -> Org:
        """Return which CRM this is, and its clock."""
        with self._call("read", "org"):
            return Org(
                id=f"memory-{self.crm.name}",
                name=self.crm.name,
                timezone="Europe/Helsinki",
                currency="EUR",
                api_version="1",
                supported_until=None,
                server_time=self.crm.now(),
                user=f"{self.connection}@memory",
                test_kind=self.crm.test_kind,
            )

    def describe(self, object_name: str) -> ObjectSchema:
        """Return the object's live schema. `SchemaChanged`: no such object."""
        with self._call("read", "describe", object_name):
            return memory_writes.schema(self.crm, object_name)

    def changes(self, query: Query, *, since: datetime | None, after: Position | None) -> Iterator[Page]:
        """Yield pages of `page_size` records in (stamp, id) order; what is edited meanwhile is met again further on."""
        while True:
            page, more = self._page(query, since, after)
            yield page
            if not more:
                return
            after = page.last

    def count(self, query: Query) -> int:
        """Return how many living records match now."""
        with self._call("read", "count", query.object):
            user_query = UserQuery(self.crm, query)
            return sum(
                1
                for _, row, version in self._seen(query.object)
                if not version.deleted and user_query.matches(row, version)
            )

    def fetch(self, object_name: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Record]:
        """Return the present state of those that are alive."""
        with self._call("read", "fetch", object_name, tuple(ids)):
            user_query = UserQuery(self.crm, Query(object_name, tuple(fields)))
            wanted = set(ids)
            living = [seen for seen in self._seen(object_name) if seen[1].id in wanted and not seen[2].deleted]
            return {row.id: _record(user_query, row, version) for _, row, version in living}

    def newest(self, object_name: str, fields: Sequence[str], limit: int) -> list[Record]:
        """Return those that were made last."""
        with self._call("read", "newest", object_name):
            user_query = UserQuery(self.crm, Query(object_name, tuple(fields)))
            living = [seen for seen in self._seen(object_name) if not seen[2].deleted]
            living.sort(key=lambda seen: seen[1].id, reverse=True)
            return [_record(user_query, row, version) for _, row, version in living[:limit]]

    def find(self, object_name: str, field: str, value: str, fields: Sequence[str]) -> Record | None:
        """Return the living record that has this unique value."""
        with self._call("read", "find", object_name):
            user_query = UserQuery(self.crm, Query(object_name, (*fields, field)))
            holder = self.crm.holder(object_name, field, value)
            holders = [seen for seen in self._seen(object_name) if seen[1].id == holder and not seen[2].deleted]
            return _record(user_query, holders[0][1], holders[0][2]) if holders else None

    # ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def write(self, writes: Sequence[Write]) -> list[WriteResult]:
        """Carry out at most `write_batch` writes on one object, each on its own. `Bug`: one record is named twice."""
        check_writes(writes, most=self.write_batch)
        if not writes:
            return []
        with self._call("write", "write", writes[0].object, tuple(write.id or "" for write in writes)):
            memory_writes.check_related(self.crm, writes)
            return [memory_writes.carry_out(self.crm, write) for write in writes]

    def delete(self, object_name: str, record_id: str) -> None:
        """Put a record into the bin."""
        with self._call("write", "delete", object_name, (record_id,)), suppress(Gone):
            self.crm.delete(record_id)

    # ── about itself ─────────────────────────────────────────────────────────────────────────────────────────────────

    def unrelatable(self, object_name: str, others: Sequence[str]) -> list[str]:
        """See `CrmAdapter.unrelatable`."""
        return [other for other in others if (object_name, other) in self.crm.unrelatable]

    def usage(self) -> Usage:
        """Return this adapter's calls, and everybody's today."""
        return Usage(self._calls, self.crm.used_today, self.crm.allowed_today)

    def record_url(self, ref: Ref) -> str:
        """Return an address that tells records apart."""
        return f"https://crm.example/{ref.object}/{ref.id}"

    def missing_rights(self, needs: Needs) -> list[MissingRight]:
        """See `CrmAdapter.missing_rights`."""
        return setup.missing_rights(self.crm, needs)

    def plan_setup(
        self,
        fields: Sequence[FieldSpec],
        hidden: Sequence[tuple[str, str]] = (),  # noqa: ARG002 - the port's signature
        labels: Mapping[str, str] = NO_LABELS,
    ) -> list[SetupStep]:
        """Return what is missing for these fields to exist and be permitted."""
        with self._call("setup", "plan_setup"):
            return setup.plan_setup(self.crm, fields, labels)

    def field_limits(self, objects: Sequence[str]) -> list[FieldLimit]:
        """See `CrmAdapter.field_limits`."""
        with self._call("setup", "field_limits"):
            return setup.field_limits(self.crm, objects)

    def unseen(self, fields: Sequence[FieldSpec]) -> list[Unseen]:  # noqa: ARG002 - the port's signature
        """See `CrmAdapter.unseen`. There are no pages here."""
        return []

    def apply_setup(self, steps: Sequence[SetupStep]) -> Iterator[SetupResult]:
        """Carry out steps in order."""
        for step in steps:
            with self._call("setup", "apply_setup"):
                result = setup.carry_out(self.crm, step)
            yield result

    def plan_undo(self, made: Sequence[SetupResult]) -> list[SetupStep]:
        """Return the steps that take away what earlier results made, newest first."""
        return setup.plan_undo(made)

    def close(self) -> None:
        """Let go: no call is possible afterwards."""
        self._closed = True

    # ── inside ───────────────────────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def _call(self, kind: CallKind, method: str, object_name: str = "", ids: tuple[str, ...] = ()) -> Iterator[None]:
        """One call: what may stop it before, and what may lose its answer."""
        with self.crm.lock:
            if self._closed:
                raise Bug("a closed connection was used")
            fault = self.crm.faults.for_call(kind, object_name)
            try:
                self._admit(kind, method, object_name, ids)
                if fault is not None and not fault.done_first:
                    raise fault.error
                yield
                if fault is not None:
                    raise fault.error
            except CrmError as error:
                error.where = error.where or f"{self.connection}: {method} {object_name}".strip()
                raise

    def _admit(self, kind: CallKind, method: str, object_name: str, ids: tuple[str, ...]) -> None:
        crm = self.crm
        if crm.revoked:
            raise AuthRevoked("the credentials are refused.", remedy="Renew them and put them into config.toml.")
        if self._token != crm.token:
            self._token = crm.token
            self._count()
        if crm.allowed_today is not None and crm.used_today >= crm.allowed_today:
            midnight = (crm.now() + timedelta(days=1)).replace(hour=0, minute=0, second=0)
            raise QuotaSpent("the day's calls are used up.", until=midnight)
        self._count()
        crm.log.add(self.connection, kind, method, object_name, records=ids)
        if object_name in crm.forbidden:
            raise NotPermitted(f"the user has no access to {object_name}.", remedy="Grant it.")

    def _count(self) -> None:
        self._calls += 1
        self.crm.spend()

    def _page(self, query: Query, since: datetime | None, after: Position | None) -> tuple[Page, bool]:
        with self._call("read", "changes", query.object):
            user_query = UserQuery(self.crm, query)
            floor = "" if since is None else stamp(since)
            matching = [
                seen
                for seen in self._seen(query.object)
                if seen[0].modified >= floor
                and (after is None or seen[0] > after)
                and user_query.matches(seen[1], seen[2])
            ]
            matching.sort(key=lambda seen: seen[0])
            records = tuple(_record(user_query, row, version) for _, row, version in matching[: self.page_size])
            last = Position(records[-1].modified, records[-1].id) if records else None
            return Page(records, last, self.crm.now()), len(matching) > self.page_size

    def _seen(self, object_name: str) -> Iterator[Seen]:
        now = self.crm.now()
        for row in self.crm.rows(object_name):
            version = row.seen_at(now)
            if version is not None:
                yield Position(stamp(version.modified), row.id), row, version


def _record(user_query: UserQuery, row: Row, version: Version) -> Record:
    fields: dict[str, Any] = {name: read(row, version) for name, read in user_query.fields.items()}
    return Record(row.object, row.id, stamp(version.modified), fields, version.deleted, version.merged_into)
