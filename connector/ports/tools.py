"""What adapters work with: the clock, the calls that may be made, and what is kept for all processes of the installation."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The one source of time, so that tests and the demo can move it."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""

    def sleep(self, seconds: float) -> None:
        """Wait; used between retries."""


class Budget(Protocol):
    """The calls that a connection may still make in this day. An adapter asks before each call; safe to use from several threads."""

    def take(self, *, where: str) -> None:
        """Count one call that is about to be made. `QuotaSpent`: it must not be made."""

    def note_usage(self, *, used: int, allowed: int, ours: int | None = None) -> None:
        """Note what the CRM says of the day's calls: how many everybody has used, how many are allowed, and (if told) used by us."""

    def refused(self, why: str) -> None:
        """Note that the CRM gives no more calls for now."""


class ReadTimes(Protocol):
    """When an adapter last read what it reads only now and then, and what it then kept, for all processes of the installation."""

    def last(self, object_name: str, name: str) -> tuple[datetime, str] | None:
        """Return what was noted last of an object: when, and which text."""

    def note(self, object_name: str, name: str, at: datetime, text: str = "") -> None:
        """Note that it was read: in force for others when the object's records that were read before this are stored."""


class TokenVault(Protocol):
    """Keeps, encrypted, the tokens that a CRM gave in exchange for others, for all processes of the installation."""

    def alone(self) -> AbstractContextManager[None]:
        """Let nobody else renew this connection's token while the block runs. `Unavailable`: somebody does so for too long."""

    def load(self) -> Mapping[str, str]:
        """Return what was kept last; empty when there is nothing, or when the admin has given another refresh token since."""

    def save(self, tokens: Mapping[str, str]) -> None:
        """Keep these in place of the others. They are on the disk when this returns."""
