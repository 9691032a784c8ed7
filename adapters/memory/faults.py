"""Switches that make the CRM in memory misbehave, as real ones do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from connector.errors import CrmError, RecordRejected, Unavailable

CallKind = Literal["read", "write", "setup"]
RowTest = Callable[[str, Mapping[str, Any]], bool]
"""Asked with the record's id ('' for a new one) and the values written."""


@dataclass(slots=True)
class MemoryFault:
    """Something that strikes from the `nth` match on, `times` times (None: for ever)."""

    nth: int = 1
    times: int | None = 1
    seen: int = 0
    hits: int = 0

    def strikes(self) -> bool:
        """Count one match, and say whether it is hit."""
        self.seen += 1
        if self.seen < self.nth or (self.times is not None and self.seen >= self.nth + self.times):
            return False
        self.hits += 1
        return True


@dataclass(slots=True)
class MemoryCallFault(MemoryFault):
    """A call that fails; `done_first` means that its work was done, and only the answer was lost."""

    error: CrmError = field(default_factory=lambda: Unavailable("the CRM does not answer."))
    kind: CallKind | None = None
    object: str | None = None
    done_first: bool = False

    def matches(self, kind: CallKind, object_name: str) -> bool:
        """Whether this fault is about such a call."""
        return self.kind in (None, kind) and self.object in (None, object_name)


@dataclass(slots=True)
class MemoryRowFault(MemoryFault):
    """A record that is refused."""

    error: RecordRejected = field(default_factory=lambda: RecordRejected("no."))
    test: RowTest = field(default=lambda _id, _values: True)


@dataclass(slots=True)
class MemoryFaults:
    """All switches of one CRM; each method that sets one returns it, so that its `hits` can be read."""

    calls: list[MemoryCallFault] = field(default_factory=list)
    rows: list[MemoryRowFault] = field(default_factory=list)
    locked: dict[str, int | None] = field(default_factory=dict)

    def fail(self, error: CrmError, **when: Any) -> MemoryCallFault:
        """Raise `error` instead of doing the work; `when` is nth, times, kind, object."""
        return self._add(MemoryCallFault(error=error, **when))

    def drop_after(self, **when: Any) -> MemoryCallFault:
        """Do the work of a write, then lose the answer; `when` is nth, times, object."""
        lost = Unavailable("the connection broke before the answer came.")
        return self._add(MemoryCallFault(error=lost, done_first=True, **({"kind": "write"} | when)))

    def refuse(self, error: RecordRejected, test: RowTest, **when: Any) -> MemoryRowFault:
        """Refuse records for which `test` holds, for ever unless `times` says otherwise."""
        fault = MemoryRowFault(error=error, test=test, **({"times": None} | when))
        self.rows.append(fault)
        return fault

    def lock(self, record_id: str, *, times: int | None = None) -> None:
        """Let somebody hold a record: the next `times` writes to it are refused (None: until `unlock`)."""
        self.locked[record_id] = times

    def unlock(self, record_id: str) -> None:
        """Let go of a record."""
        self.locked.pop(record_id, None)

    def clear(self) -> None:
        """End all faults."""
        self.calls.clear()
        self.rows.clear()
        self.locked.clear()

    def for_call(self, kind: CallKind, object_name: str) -> MemoryCallFault | None:
        """Return what hits this call; every fault that it matches counts it."""
        hit = [fault for fault in self.calls if fault.matches(kind, object_name) and fault.strikes()]
        return hit[0] if hit else None

    def for_row(self, record_id: str, values: Mapping[str, Any]) -> RecordRejected | None:
        """Return the refusal that hits this record."""
        fault = next(
            (candidate for candidate in self.rows if candidate.test(record_id, values) and candidate.strikes()), None
        )
        return fault.error if fault else None

    def holds(self, record_id: str) -> bool:
        """Whether somebody else holds the record; counts one try."""
        if record_id not in self.locked:
            return False
        left = self.locked[record_id]
        if left is None:
            return True
        if left <= 0:
            del self.locked[record_id]
            return False
        self.locked[record_id] = left - 1
        return True

    def _add(self, fault: MemoryCallFault) -> MemoryCallFault:
        self.calls.append(fault)
        return fault
