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
        self._since: dict[int, float] = {}

    def watch(self) -> None:
        """Count from now on. Listeners of the class run before those of an engine, so beginning is seen at its first statement."""
        event.listen(Engine, "after_cursor_execute", self._executed)
        event.listen(Engine, "commit", self._commits)

    def _executed(self, connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if statement == "BEGIN IMMEDIATE":
            self._since[id(connection.connection.dbapi_connection)] = time.perf_counter()

    def _commits(self, connection: Connection) -> None:
        driver = connection.connection.dbapi_connection
        began = self._since.pop(id(driver), None)
        if began is None or driver is None:
            return
        # SQLAlchemy tells of a commit before it makes it: it is made here, so that its end is known, and SQLAlchemy's finds nothing.
        driver.commit()
        self.held.append(time.perf_counter() - began)

    def figures(self) -> dict[str, Any]:
        """Return what was counted."""
        held = self.held or [0.0]
        return {
            "write_transactions": len(self.held),
            "held_p99_ms": round(1000 * (quantiles(held, n=100)[-1] if len(held) > 1 else held[0]), 1),
            "held_longest_ms": round(1000 * max(held), 1),
        }


def written() -> int | None:
    """Return how many bytes this process has handed to the system to write; None where the system does not say."""
    if not _IO.exists():
        return None
    counted = dict(line.split(": ") for line in _IO.read_text(encoding="ascii").splitlines())
    return int(counted["wchar"])


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
