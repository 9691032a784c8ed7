"""The sign by which a lap is told to end. Whoever is at work looks at it again and again, so it also tells who hangs."""

import threading
import time


class StopSign(threading.Event):
    """An event that knows when the lap looked at it last: a lap that does not look any more does not go on."""

    def __init__(self) -> None:
        super().__init__()
        self._looked = time.monotonic()

    def is_set(self) -> bool:
        """Tell the lap whether it is to end."""
        self._looked = time.monotonic()
        return super().is_set()

    @property
    def told(self) -> bool:
        """Whether the lap was told to end, for those who are not at work on it themselves."""
        return super().is_set()

    @property
    def unseen_for(self) -> float:
        """Seconds, by the machine's own clock, since a lap looked; before the first one, since the beginning."""
        return time.monotonic() - self._looked
