"""`afterword sync --json` with what it did to the store counted: write transactions, how long each held the lock, bytes written.

Prints what `sync` prints, and `store` beside it. The lock is held from the moment that a transaction has it until its commit is done.
"""

import contextlib
import io
import json
import sys
import time
from pathlib import Path
from statistics import quantiles
from typing import Any

from sqlalchemy import Connection, Engine, event

from connector.cli import app

_IO = Path("/proc/self/io")


class Counter:
    """Counts the write transactions of this process."""

    def __init__(self) -> None:
        self.held: list[float] = []
        self.computing: list[float] = []
        """Seconds of computing of the thread that held it: what is left of `held` where nobody else keeps the machine at work."""
        self._since: dict[int, tuple[float, float]] = {}

    def watch(self) -> None:
        """Count from now on. Listeners of the class run before those of an engine, so beginning is seen at its first statement."""
        event.listen(Engine, "after_cursor_execute", self._executed)
        event.listen(Engine, "commit", self._commits)

    def _executed(self, connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if statement == "BEGIN IMMEDIATE":
            self._since[id(connection.connection.dbapi_connection)] = time.perf_counter(), time.thread_time()

    def _commits(self, connection: Connection) -> None:
        driver = connection.connection.dbapi_connection
        began = self._since.pop(id(driver), None)
        if began is None or driver is None:
            return
        # SQLAlchemy tells of a commit before it makes it: it is made here, so that its end is known, and SQLAlchemy's finds nothing.
        driver.commit()
        self.held.append(time.perf_counter() - began[0])
        self.computing.append(time.thread_time() - began[1])

    def figures(self) -> dict[str, Any]:
        """Return what was counted."""
        return {
            "write_transactions": len(self.held),
            "held_p99_ms": _p99(self.held),
            "held_longest_ms": round(1000 * max(self.held, default=0.0), 1),
            "computing_p99_ms": _p99(self.computing),
        }


def _p99(seconds: list[float]) -> float:
    """Return what 99 of 100 do not exceed, in milliseconds; of fewer the longest."""
    many = quantiles(seconds, n=100, method="inclusive")[-1] if len(seconds) > 1 else sum(seconds)
    return round(1000 * many, 1)


def written() -> int | None:
    """Return how many bytes this process has had written to a disk; None where the system does not say, 0 where files lie in memory."""
    if not _IO.exists():
        return None
    counted = dict(line.split(": ") for line in _IO.read_text(encoding="ascii").splitlines())
    return int(counted["write_bytes"])


def main() -> None:
    """Run `afterword sync --json` with these arguments."""
    counter = Counter()
    counter.watch()
    printed, code = io.StringIO(), 0
    sys.argv = ["afterword", "sync", *sys.argv[1:], "--json"]
    with contextlib.redirect_stdout(printed):
        try:
            app.main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    print(json.dumps(json.loads(printed.getvalue()) | {"store": counter.figures() | {"written": written()}}))
    sys.exit(code)


if __name__ == "__main__":
    main()
