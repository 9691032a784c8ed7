"""The token by which a lap is cancelled. Stages check it again and again, so it also shows when one of them hangs."""

import threading
import time
from weakref import WeakSet


class CancellationToken(threading.Event):
    """An event that cancels a lap, and knows when the lap last checked it: a lap that stops checking hangs."""

    def __init__(self) -> None:
        super().__init__()
        self._checked = time.monotonic()
        self._dependents = WeakSet[CancellationToken]()
        self._of_dependents = threading.RLock()
        """Of the set before; a signal, which sets the token, may come while the same thread holds it."""

    def dependent(self) -> "CancellationToken":
        """Return a token for one of several jobs: it is set when this one is, or by itself, and knows of that job's checks alone."""
        token = CancellationToken()
        with self._of_dependents:
            self._dependents.add(token)
        if super().is_set():
            token.set()
        return token

    def set(self) -> None:
        """Cancel the lap, and the jobs that depend on it."""
        super().set()
        with self._of_dependents:
            dependents = list(self._dependents)
        for token in dependents:
            token.set()

    def is_set(self) -> bool:
        """Whether the lap is to end: for the lap itself."""
        self._checked = time.monotonic()
        return super().is_set()

    @property
    def is_requested(self) -> bool:
        """Whether the lap is to end: for others, whose look says nothing about the lap."""
        return super().is_set()

    @property
    def seconds_since_check(self) -> float:
        """Seconds, by the machine's own clock, since a lap last checked; before the first check, since the beginning."""
        return time.monotonic() - self._checked
