"""When an adapter last read what it reads only now and then, kept in the store for all processes of the installation.

`afterword sync` from cron is a new process each time: what it would remember in memory it would read again with each lap.
"""

from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from connector.ports import Clock
from connector.store import Store, Transaction
from connector.store.crm import cursors
from connector.store.ops import call_counts

_Kept = tuple[datetime, str]


@dataclass(slots=True)
class StoredReadTimes:
    """When one connection read last what it reads only now and then (`connector.ports.ReadTimes`). Safe to use from several threads."""

    crm: str
    store: Store
    clock: Clock
    _noted: dict[tuple[str, str], _Kept] = field(default_factory=dict)
    """By (object, pass): what was read and whose records may not be stored yet."""
    _lock: Lock = field(default_factory=Lock)

    def last(self, object_name: str, name: str) -> _Kept | None:
        """See the port. A time that is still to come was noted by a clock that was wrong: it counts for nothing."""
        with self._lock:
            noted = self._noted.get((object_name, name))
        if noted is not None:
            return noted
        if not call_counts.is_ready(self.store):
            return None
        with self.store.read() as tx:
            kept = cursors.load_pass(tx, self.crm, object_name, name)
        return kept if kept is not None and kept[0] <= self.clock.now() else None

    def note(self, object_name: str, name: str, at: datetime, text: str = "") -> None:
        """See the port."""
        with self._lock:
            self._noted[object_name, name] = (at, text)

    def keep(self, tx: Transaction, object_name: str) -> None:
        """Store what was noted of an object, in the transaction that stores how far its records were read."""
        for name, (at, text) in self._take(object_name).items():
            cursors.save_pass(tx, self.crm, object_name, name, at=at, text=text)

    def drop(self, object_name: str) -> None:
        """Forget what was noted of an object: its records were not stored."""
        self._take(object_name)

    def _take(self, object_name: str) -> dict[str, _Kept]:
        with self._lock:
            keys = [key for key in self._noted if key[0] == object_name]
            return {key[1]: self._noted.pop(key) for key in keys}
