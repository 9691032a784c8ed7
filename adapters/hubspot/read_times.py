"""What is read only now and then, where nobody keeps it for other processes."""

from datetime import datetime
from threading import Lock


class OwnReadTimes:
    """Remembers in memory; see `connector.ports.ReadTimes`."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: dict[tuple[str, str], tuple[datetime, str]] = {}

    def last(self, object_name: str, name: str) -> tuple[datetime, str] | None:
        """See `ReadTimes`."""
        with self._lock:
            return self._kept.get((object_name, name))

    def note(self, object_name: str, name: str, at: datetime, text: str = "") -> None:
        """See `ReadTimes`."""
        with self._lock:
            self._kept[object_name, name] = (at, text)
