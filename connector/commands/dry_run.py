"""A writer and a channel that only note what they would write and send."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from connector.errors import Problem
from connector.model import BounceCause, Ref
from connector.ports import BulkWriter, CrmWriter, NoteTaker, Write, WriteResult
from connector.ports.mail import Channel, Message

_PLANNED = "(new) "
"""Begins the id of a record that the CRM would make."""


@dataclass(slots=True)
class Noted:
    """What a lap would have done outside."""

    writes: list[tuple[str, Write]] = field(default_factory=list)
    """(connection, write), in order."""
    messages: list[Message] = field(default_factory=list)


class NotingWriter:
    """Notes writes instead of carrying them out; what the CRM can do is asked of the real one."""

    def __init__(self, real: CrmWriter, noted: Noted) -> None:
        self._real = real
        self._noted = noted
        self.connection = real.connection
        self.write_batch = real.write_batch
        self.bulk: BulkWriter | None = None
        self.notes: NoteTaker | None = None

    def write(self, writes: Sequence[Write]) -> list[WriteResult]:
        """Note the writes; the answer is as if all had gone well."""
        self._noted.writes += [(self.connection, write) for write in writes]
        return [
            WriteResult(write, "updated" if write.id else "created", write.id or f"{_PLANNED}{write.key}")
            for write in writes
        ]

    def delete(self, object_name: str, record_id: str) -> None:
        """Delete nothing: a lap does not."""

    def unrelatable(self, object_name: str, others: Sequence[str]) -> Sequence[str]:
        """Ask the real CRM."""
        return self._real.unrelatable(object_name, others)

    def record_url(self, ref: Ref) -> str:
        """See the port; what is only planned has no address yet."""
        return "" if ref.id.startswith(_PLANNED) else self._real.record_url(ref)


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
