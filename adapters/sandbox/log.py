"""What was asked of a pretend CRM: every call is kept, so that a test or a reader can say what happened and what did not."""

import threading
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

Kind = Literal["read", "write", "auth", "page"]

KEPT_CALLS = 50_000


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """One HTTP call; `rows` counts the records it returned (read) or tried to change (write).

    `sobject` is the CRM's name of the kind of record, where there is one.
    """

    number: int
    at: datetime
    method: str
    path: str
    status: int
    kind: Kind
    sobject: str | None = None
    rows: int = 0
    user: str | None = None

    def as_json(self) -> dict[str, object]:
        """The call as plain JSON values."""
        return asdict(self) | {"at": self.at.isoformat()}


class CallLog:
    """The calls of one pretend CRM, oldest first; the newest 50,000 are kept, the counts cover all of them."""

    def __init__(self) -> None:
        self._calls: deque[LoggedCall] = deque(maxlen=KEPT_CALLS)
        self._counts: Counter[str] = Counter()
        self._number = 0
        self._lock = threading.Lock()

    def add(
        self,
        method: str,
        path: str,
        *,
        status: int,
        kind: Kind,
        at: datetime,
        sobject: str | None = None,
        rows: int = 0,
        user: str | None = None,
    ) -> None:
        """Keeps one finished call."""
        with self._lock:
            self._number += 1
            self._counts[kind] += 1
            self._calls.append(LoggedCall(self._number, at, method, path, status, kind, sobject, rows, user))

    def mark(self) -> int:
        """A position to hand to `since`."""
        with self._lock:
            return self._number

    def since(self, mark: int = 0, *, kind: Kind | None = None) -> list[LoggedCall]:
        """The calls after `mark`, of one kind if named."""
        with self._lock:
            return [call for call in self._calls if call.number > mark and kind in (None, call.kind)]

    def by_kind(self) -> dict[str, int]:
        """How many calls there were in all, by kind."""
        with self._lock:
            return dict(self._counts)

    def clear(self) -> None:
        """Forgets the calls; numbers go on."""
        with self._lock:
            self._calls.clear()
            self._counts.clear()

    def __iter__(self) -> Iterator[LoggedCall]:
        return iter(self.since())

    def __len__(self) -> int:
        return len(self._calls)
