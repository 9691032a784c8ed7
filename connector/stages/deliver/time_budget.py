"""How long one lap may be busy handing mail over: a server that works and is slow would else keep everything behind it waiting."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from connector.ports import Clock

SENDING_TIME: Final = timedelta(minutes=2)
"""For the mail to customers, the notices and the reports of a lap, each by itself; the message under way is always finished."""


class SendingTime:
    """The time that one stage of a lap has spent on handing mail over. Its first message goes out, however long it takes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._spent = timedelta()

    @property
    def is_over(self) -> bool:
        """Whether what is left has to wait for the next lap."""
        return self._spent >= SENDING_TIME

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the time that the block takes."""
        began = self._clock.now()
        try:
            yield
        finally:
            self._spent += self._clock.now() - began
