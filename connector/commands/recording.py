"""An adapter and a channel that read from real ones, and only note what they would write and send."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from connector.errors import Problem
from connector.model import BounceCause, MissingRight, Ref, Unseen
from connector.ports import (
    NO_LABELS,
    BulkWriter,
    CrmAdapter,
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
)
from connector.ports.mail import Channel, Message

_PLANNED = "(new) "
"""Begins the id of a record that the CRM would make."""


@dataclass(slots=True)
class Noted:
    """What a lap would have done outside."""

    writes: list[tuple[str, Write]] = field(default_factory=list)
    """(connection, write), in order."""
    messages: list[Message] = field(default_factory=list)


class NotingAdapter:
    """Reads through to a CRM, and notes writes instead of carrying them out."""

    def __init__(self, real: CrmAdapter, noted: Noted) -> None:
        self._real = real
        self._noted = noted
        self.connection = real.connection
        self.write_batch = real.write_batch
        self.bulk: BulkWriter | None = None
        self.notes: NoteTaker | None = None
        self.lag = real.lag

    def org(self) -> Org:
        """See the port."""
        return self._real.org()

    def describe(self, object_name: str) -> ObjectSchema:
        """See the port."""
        return self._real.describe(object_name)

    def changes(self, query: Query, *, since: datetime | None, after: Position | None) -> Iterator[Page]:
        """See the port."""
        return self._real.changes(query, since=since, after=after)

    def count(self, query: Query) -> int:
        """See the port."""
        return self._real.count(query)

    def fetch(self, object_name: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Record]:
        """See the port."""
        return self._real.fetch(object_name, ids, fields)

    def newest(self, object_name: str, fields: Sequence[str], limit: int) -> Sequence[Record]:
        """See the port."""
        return self._real.newest(object_name, fields, limit)

    def find(self, object_name: str, field: str, value: str, fields: Sequence[str]) -> Record | None:
        """See the port."""
        return self._real.find(object_name, field, value, fields)

    def delete(self, object_name: str, record_id: str) -> None:
        """Delete nothing: a lap does not."""

    def write(self, writes: Sequence[Write]) -> list[WriteResult]:
        """Note the writes; the answer is as if all had gone well."""
        self._noted.writes += [(self.connection, one) for one in writes]
        return [
            WriteResult(one, "updated" if one.id else "created", one.id or f"{_PLANNED}{one.key}") for one in writes
        ]

    def unrelatable(self, object_name: str, others: Sequence[str]) -> Sequence[str]:
        """Ask the real CRM."""
        return self._real.unrelatable(object_name, others)

    def usage(self) -> Usage:
        """See the port."""
        return self._real.usage()

    def record_url(self, ref: Ref) -> str:
        """See the port; what is only planned has no address yet."""
        return "" if ref.id.startswith(_PLANNED) else self._real.record_url(ref)

    def missing_rights(self, needs: Needs) -> Sequence[MissingRight]:
        """Ask the real CRM."""
        return self._real.missing_rights(needs)

    def plan_setup(
        self,
        fields: Sequence[FieldSpec],
        hidden: Sequence[tuple[str, str]] = (),
        labels: Mapping[str, str] = NO_LABELS,
    ) -> list[SetupStep]:
        """See the port."""
        return self._real.plan_setup(fields, hidden, labels)

    def field_limits(self, objects: Sequence[str]) -> Sequence[FieldLimit]:
        """Ask the real CRM."""
        return self._real.field_limits(objects)

    def unseen(self, fields: Sequence[FieldSpec]) -> Sequence[Unseen]:
        """Ask the real CRM."""
        return self._real.unseen(fields)

    def apply_setup(self, steps: Sequence[SetupStep]) -> Iterator[SetupResult]:
        """Carry out nothing."""
        del steps
        return iter(())

    def plan_undo(self, made: Sequence[SetupResult]) -> list[SetupStep]:
        """See the port."""
        return self._real.plan_undo(made)

    def close(self) -> None:
        """Leave the real adapter to its owner."""


class NotingChannel:
    """Notes messages instead of sending them."""

    def __init__(self, real: Channel, noted: Noted) -> None:
        self._real = real
        self._noted = noted

    def prepare(self, message: Message) -> "NotedMessage":
        """Make the message as the real channel would, and raise what it raises."""
        self._real.prepare(message)
        return NotedMessage(message, self._noted)

    def cause_of_bounce(self, reason: str) -> BounceCause:
        """See the port."""
        return self._real.cause_of_bounce(reason)

    def check(self) -> Sequence[Problem]:
        """There is nothing to check."""
        return ()

    def close(self) -> None:
        """There is nothing to close."""


@dataclass(frozen=True, slots=True)
class NotedMessage:
    """A message that will be noted instead of being sent."""

    message: Message
    noted: Noted

    def send(self) -> str | None:
        """Note the message."""
        self.noted.messages.append(self.message)
        return None
