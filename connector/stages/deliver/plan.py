"""Whether a message that is due still makes sense, and when to try again: pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from connector.model import EMAIL_BOUNCED, Contact, Interaction, Reason
from connector.ports import Reading

FIRST_RETRY: Final = timedelta(minutes=5)
LONGEST_RETRY: Final = timedelta(hours=1)
REFUSED_RETRY: Final = timedelta(days=1)
"""What a server refused for good is tried once a day until it expires: its operator may have been told meanwhile."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a message is not sent after all."""

    reason: Reason
    anew: str = ""
    """What was put right in the CRM meanwhile: then it is decided anew who is asked, and at which address."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What the invitation was planned on, and what the store knows of the person by now."""

    email: str
    on: str
    """The survey's kind and event, e.g. ``case.closed``."""
    opted_out: bool = False
    bounced: bool = False
    allowed: bool = True
    """Whether mail about this CRM's records may go to the address."""
    takes_part: bool = True
    """Whether the interaction still names this person."""
    of_account: bool = True
    """Whether it still belongs to the same account."""


def is_unreadable(reading: Reading | None) -> bool:
    """Whether the record is there and cannot be understood: then nothing is known, and nothing is sent."""
    return reading is not None and reading.error is not None


def objection(planned: Planned, contact: Reading | None, interaction: Reading | None) -> Stop | None:
    """Compare with what the CRM says right now (None: the record is gone); returns why the message is not sent."""
    person = contact.value if contact is not None else None
    happened = interaction.value if interaction is not None else None
    if not isinstance(person, Contact) or not isinstance(happened, Interaction):
        return Stop(Reason.DELETED)
    if f"{happened.kind}.{happened.ended}" != planned.on:
        return Stop(Reason.REOPENED)
    if not planned.takes_part:
        return Stop(Reason.DELAY, anew="its contact has changed since this was planned")
    if not planned.of_account:
        return Stop(Reason.DELAY, anew="its account has changed since this was planned")
    if person.no_surveys or planned.opted_out:
        return Stop(Reason.OPTED_OUT)
    if person.email is None:
        return Stop(Reason.NO_ADDRESS)
    if person.email != planned.email:
        return Stop(Reason.DELAY, anew="the address has changed since this was planned")
    if not planned.allowed:
        return Stop(Reason.TEST_ORG)
    return Stop(Reason.BAD_ADDRESS) if planned.bounced or person.facts.get(EMAIL_BOUNCED) else None


def gap_over(last_mails: Mapping[str, datetime], person: str, gap: timedelta) -> datetime | None:
    """Return from when on this person may be written to again; None: at any time."""
    last = last_mails.get(person)
    return None if last is None else last + gap


def retry_in(failures: int) -> timedelta:
    """Return how long to wait after the `failures`-th failure in a row: 5 minutes, doubled each time, up to an hour."""
    doublings: int = min(max(failures - 1, 0), 10)
    return min(FIRST_RETRY * (1 << doublings), LONGEST_RETRY)
