"""What happens between a company's people and those who serve them, in no CRM's words. Times are aware."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from adapters.sandbox.people.companies import TownCompany

Status = Literal["new", "working", "escalated", "closed"]


@dataclass(frozen=True)
class Case:
    """Something that a person asked for help with; `contact` is the id of their record. `note` tells of a reopening."""

    company: TownCompany
    contact: str
    owner: str
    subject: str
    priority: str
    origin: str
    kind: str
    reason: str
    opened: datetime
    status: Status = "new"
    note: str | None = None
    closed: datetime | None = None
    modified: datetime | None = None


@dataclass(frozen=True)
class PhoneCall:
    """A call: held when it has ended, else planned for the day on which it is due."""

    company: TownCompany
    contact: str
    subject: str
    outbound: bool
    began: datetime
    due: date
    ended: datetime | None = None

    @property
    def seconds(self) -> int:
        """How long it took; 0 for one that is planned."""
        return int((self.ended - self.began).total_seconds()) if self.ended else 0


@dataclass(frozen=True)
class Meeting:
    """A meeting, in the past or ahead."""

    company: TownCompany
    contact: str
    subject: str
    place: str
    starts: datetime
    ends: datetime
    booked: datetime


@dataclass(frozen=True)
class Deal:
    """A deal: open while `won` is None, and then on one of the steps 0 to 5. `moved` is when it came to where it is."""

    company: TownCompany
    contact: str
    name: str
    amount: float
    fresh: bool
    opened: datetime
    decided: date
    moved: datetime
    step: int
    won: bool | None
