"""What was asked of the CRM in memory, so that it can be said what happened and what did not."""

from dataclasses import dataclass, field
from datetime import datetime

from adapters.memory.faults import CallKind
from connector.ports import Clock


@dataclass(frozen=True, slots=True)
class MemoryCall:
    """One call: `records` are the ids that it returned or tried to write ('' for a new record)."""

    at: datetime
    connection: str
    kind: CallKind
    method: str
    object: str
    records: tuple[str, ...] = ()


@dataclass(slots=True)
class MemoryCallLog:
    """All calls, oldest first."""

    clock: Clock
    calls: list[MemoryCall] = field(default_factory=list)

    def add(
        self, connection: str, kind: CallKind, method: str, object_name: str, *, records: tuple[str, ...] = ()
    ) -> None:
        """Keep one call."""
        self.calls.append(MemoryCall(self.clock.now(), connection, kind, method, object_name, records))

    def of(self, kind: CallKind) -> list[MemoryCall]:
        """Return the calls of one kind."""
        return [call for call in self.calls if call.kind == kind]

    def clear(self) -> None:
        """Forget them."""
        self.calls.clear()
