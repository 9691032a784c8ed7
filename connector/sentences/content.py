"""The values that sentences are made from: responses, unanswered invitations, open follow-ups and links."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from connector.model import Mood, Rating
from connector.scoring.scales import worst


@dataclass(frozen=True, slots=True)
class NamedResponse:
    """A response that counts, with the names that people know it by."""

    response_id: str
    who: str | None
    """None: nobody knows who it was."""
    rating: Rating
    """The one that a sentence shows: the first question's, or the one that a follow-up is about."""
    label: str
    """What was asked about: case 00123."""
    at: datetime
    comment: str | None = None
    contact_id: str | None = None
    subject: str | None = None
    """What the case or ticket is called, where the label does not say it: Printer offline again."""
    ratings: tuple[Rating, ...] = ()
    """All that was rated in it, the first question's first."""
    interaction_id: str | None = None
    """What was asked about, where it is known."""
    connection: str = ""
    """The CRM that it came through: only that one's users read its words."""
    person: str | None = None
    """The same for all contacts of one human, who may be one in each CRM; None: nobody knows."""

    def read_in(self, crm: str, *, is_known: bool) -> "NamedResponse":
        """Return the response as users of a CRM may read it.

        Of one that came through another CRM they read the rating, and the name where the person is known in theirs too.
        """
        if self.connection == crm:
            return self
        known = self.who if is_known else None
        return replace(self, who=known, comment=None, subject=None, interaction_id=None)

    @property
    def whose(self) -> str | None:
        """The key of the person who answered, the same for all contacts of one human; None: not known."""
        return self.person or self.contact_id

    @property
    def worst(self) -> Rating:
        """The worst of all ratings in it."""
        return worst(self.ratings or (self.rating,))


@dataclass(frozen=True, slots=True)
class UnansweredInvitation:
    """An invitation that nobody has answered."""

    who: str | None
    label: str
    at: datetime
    subject: str | None = None
    reminded: datetime | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """Several unanswered invitations: why a follow-up about an account was opened."""

    invitations: tuple[UnansweredInvitation, ...]
    by: datetime
    """When it was noticed: an answer may have come since."""
    last_answer: datetime | None = None
    elsewhere: int = 0
    """How many more were asked through another CRM, whose names only its own users read."""


@dataclass(frozen=True, slots=True)
class MoodSeen:
    """A mood of the account, on the day when a follow-up was opened about it: it may be another one by now."""

    mood: Mood
    at: datetime
    responses: tuple[NamedResponse, ...] = ()
    """The last responses of people there, the worst first."""


AccountReason = Silence | MoodSeen
"""Why a follow-up about an account as a whole was opened."""


@dataclass(frozen=True, slots=True)
class OpenFollowUp:
    """A follow-up that is not closed: what somebody has to do, or has done without noting how it ended."""

    who: str | None
    """The person, or the account where it is about all of it."""
    since: datetime
    due: datetime
    owner: str | None
    tz: tzinfo
    """The zone of whoever has to do it."""
    responses: tuple[NamedResponse, ...] = ()
    """Those that it is about, in any order; none where it is about the account."""
    reasons: tuple[AccountReason, ...] = ()
    attempts: int = 0
    """Calls that did not solve it."""
    waiting_since: datetime | None = None
    """When its task was completed or deleted without an outcome."""
    task_deleted: bool = False
    contact_id: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A name and where it leads."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Caps:
    """How many characters foreign texts may take in one sentence."""

    who: int = 60
    owner: int = 40
    label: int = 60
    subject: int = 0


TIGHTER = (Caps(), Caps(40, 30, 40), Caps(28, 24, 28), Caps(16, 16, 16), Caps(8, 8, 8))
"""What is tried in turn until a sentence has room."""

Render = Callable[[Caps], str]
