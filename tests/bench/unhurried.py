"""`afterword sync --json` on a clock that skips waits: what a CRM's limits of speed cost is added up instead of waited for.

Prints what `sync` prints, and as `waited_s` the seconds that would have passed.
"""

import gc
import json
import sys
import threading
from datetime import datetime, timedelta
from pathlib import Path

from connector.app.wiring import build, read_settings
from connector.runtime.clock import SystemClock
from connector.stages import lap
from connector.store.db.migrate import migrate


class SkippingClock(SystemClock):
    """The machine's time, and ahead of it by all waits: a wait moves the clock on, and takes no time."""

    def __init__(self) -> None:
        self.skipped = timedelta()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """See `connector.ports.Clock`."""
        return super().now() + self.skipped

    def sleep(self, seconds: float) -> None:
        """See `connector.ports.Clock`."""
        with self._lock:
            self.skipped += timedelta(seconds=seconds)


def main() -> None:
    """Run one lap of the installation whose config.toml is named."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    clock = SkippingClock()
    installation = build(read_settings(Path(sys.argv[1])), clock=clock)
    try:
        migrate(installation.store)
        report = lap.run(installation)
    finally:
        for endpoint in installation.endpoints:
            endpoint.adapter.close()
        installation.store.close()
    print(json.dumps(report.as_json() | {"waited_s": clock.skipped.total_seconds()}))
    sys.exit(report.exit_code)


if __name__ == "__main__":
    main()
