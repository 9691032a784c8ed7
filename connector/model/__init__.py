"""The values that all parts share: frozen, typed, without I/O.

Times are aware UTC datetimes. Ids of ours are opaque text; a CRM's ids appear only inside a `Ref`.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Final

import idna


class Unset(StrEnum):
    """The third state of a field beside a value and None ("clear it"): not known, or not ours to say."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET

_NO_CHARACTERS: Final = re.compile("[\x00\ud800-\udfff]")
"""What JSON can carry and is no character: PostgreSQL keeps no NUL, and half a surrogate pair has no form in UTF-8."""


_DECEIVING: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What makes a terminal show something else than what stands there: commands to it, marks that turn the direction, hidden line ends."""


def visible(text: str) -> str:
    """Return the text with everything that only a machine would see written as people can see it (``\\u001b``); line ends stay."""
    if text.isascii() and text.isprintable():
        return text
    return _DECEIVING.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def storable_text(text: str) -> str:
    """Return the text without NULs and halves of surrogate pairs, which other programs cut off."""
    if text.isascii() and "\0" not in text:
        return text
    return _NO_CHARACTERS.sub("", text)


_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
"""Part of a domain between dots. The underscore is no letter of a host's name, and stands in some nevertheless."""
_LONGEST_DOMAIN: Final = 253


@lru_cache(maxsize=4_096)
def ascii_domain(domain: str) -> str:
    """Return a domain as the DNS has it, in small letters and ASCII: ``xn--bcher-kva.example`` for ``Bücher.example``.

    By IDNA 2008 (RFC 5891) after the mapping of UTS 46: the rules of 2003 made another owner's domain of some names (straße.de).
    Raises ValueError for what has no such form.
    """
    lower = domain.strip().lower()
    if not lower.isascii():
        lower = idna.encode(lower, uts46=True).decode()
    if len(lower) > _LONGEST_DOMAIN or not all(_LABEL.fullmatch(label) for label in lower.split(".")):
        raise ValueError("a part of the domain is empty, too long, or has characters that none has")
    return lower


def normalized_address(address: str) -> str:
    """Return an e-mail address as it is stored: trimmed, in small letters, its domain as `ascii_domain` gives it.

    A domain without such a form stays as it is: nobody gets mail there.
    """
    local, at, domain = unicodedata.normalize("NFC", address.strip()).lower().rpartition("@")
    try:
        return f"{local}{at}{ascii_domain(domain)}"
    except ValueError:
        return f"{local}{at}{domain}"


def alternative_addresses(address: str) -> tuple[str, ...]:
    """Return how else a normalized address may have been written, in small letters: none where its domain is plain ASCII."""
    local, at, domain = address.rpartition("@")
    if "xn--" not in domain:
        return ()
    try:
        letters = f"{local}{at}{idna.decode(domain)}"
    except ValueError:
        return ()
    return letters, unicodedata.normalize("NFD", letters)


MARK_KEY: Final = "installation"
"""The key of the task that is the installation's mark. It is no follow-up."""

CUSTOMER_LABEL: Final = "customer_label"
"""The fact by which customers know what they are asked about, where the mapping says it."""

FieldValue = str | int | float | bool | None
"""What one field of a CRM record holds, in the CRM's own form; None: it is empty."""
FieldValues = Mapping[str, FieldValue]
"""By the fields' names."""

Facts = FieldValues
"""Whatever else an admin maps: text, numbers, booleans, ISO times. Used by conditions, segments and drivers."""


class Kind(StrEnum):
    """What we read from a CRM, whatever the CRM calls it."""

    OWNER = "owner"
    ACCOUNT = "account"
    CONTACT = "contact"
    INTERACTION = "interaction"
    FOLLOW_UP = "follow_up"


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """The address of one CRM record."""

    connection: str
    object: str
    id: str


# ── what is read ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Owner:
    """A user of the CRM who can own records and be given tasks."""

    ref: Ref
    name: str
    email: str | None = None
    active: bool = True
    timezone: str | None = None
    """As the CRM names it, which may be no zone at all; see `connector.settings.time_zones`. Their days and times are shown in it."""
    manager: Ref | None = None
    """Whom a follow-up climbs to when it stays undone."""
    standard: bool = True
    """A user of the firm's own, not one of a partner's or a customer's whom the CRM lets into a portal."""


@dataclass(frozen=True, slots=True)
class Account:
    """A company we serve (or hope to): Salesforce Account, HubSpot company."""

    ref: Ref
    name: str
    owner: Ref | None = None
    parent: Ref | None = None
    is_customer: bool = False
    link: str | None = None
    """Shared key by which accounts of several CRMs are one customer; None where the mapping names none."""
    facts: Facts = field(default_factory=dict)
    shown: Facts = field(default_factory=dict)
    """What the fields that we own hold in the CRM right now, by our own names, in the CRM's own form."""


EMAIL_BOUNCED: Final = "email_bounced"
"""A contact's fact: true where the CRM says that mail to the address has come back."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A person at an account."""

    ref: Ref
    name: str
    account: Ref | None = None
    email: str | None = None
    """Normalised: trimmed, lower case; None when absent or not an address."""
    role: str | None = None
    language: str | None = None
    """BCP 47 tag, e.g. ``fi`` or ``pt-BR``; None: that of the survey, or of the company."""
    owner: Ref | None = None
    no_surveys: bool = False
    """True as soon as any of the CRM's opt-out fields says so."""
    facts: Facts = field(default_factory=dict)
    shown: Facts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Interaction:
    """Something that happened between the customer and us, and can end: a case, call, meeting, deal."""

    ref: Ref
    kind: str
    """As the mapping names it: case, call, meeting, deal, delivery …"""
    label: str
    """How people refer to it, e.g. ``case 00123`` or ``call "Renewal"``."""
    account: Ref | None = None
    contacts: tuple[Ref, ...] = ()
    """The participants, the primary one first."""
    owner: Ref | None = None
    ended: str | None = None
    """The event by which it has ended (closed, held, won …) or None while it goes on."""
    ended_at: datetime | None = None
    updated_at: datetime | None = None
    """When a person last changed it; None when the CRM does not say."""
    facts: Facts = field(default_factory=dict)
    updated_by: str | None = None
    """The CRM's id of the user who last changed it; None when the CRM does not say."""
    all_day: bool = False
    """The CRM knows the day of its end alone: `ended_at` is 00:00 UTC of it, and the day is over when it is over for the owner."""


@dataclass(frozen=True, slots=True)
class SeenTask:
    """One of our follow-up tasks, as the CRM shows it."""

    ref: Ref
    key: str
    open: bool
    outcome: str | None = None
    """An `Outcome`, or a word of the CRM's that is none."""
    closed_at: datetime | None = None
    owner: Ref | None = None
    cause: str | None = None
    """A key of the causes, or a word of the CRM's that is none."""
    shown: Facts = field(default_factory=dict)
    """What its fields hold (subject, due, status, priority, owner …), by our own names, in the CRM's own form; never its text."""
    made_by: str | None = field(default=None, repr=False)
    """The CRM's id of the user who made it: of a task that we made, our own. It never changes."""


Pulled = Owner | Account | Contact | Interaction | SeenTask


# ── asking ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Decision(StrEnum):
    """The state of the one decision for a (survey, interaction, contact)."""

    WAITING = "waiting"
    INVITED = "invited"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class Reason(StrEnum):
    """Why somebody is not asked, or not yet. The value is the key in ``not_invited`` and in the survey log."""

    DELAY = "delay"
    """The survey's delay after the last update is not over."""
    REOPENED = "reopened"
    DELETED = "deleted"
    BEFORE_GO_LIVE = "before_go_live"
    TOO_OLD = "too_old"
    NOT_A_CUSTOMER = "not_a_customer"
    NO_ACCOUNT = "no_account"
    NO_CONTACT = "no_contact"
    NO_ADDRESS = "no_address"
    BAD_ADDRESS = "bad_address"
    """Mail to this address has bounced."""
    OPTED_OUT = "opted_out"
    INTERNAL = "internal"
    """An address of our own people, or of the owner who would be rated."""
    CONDITION = "condition"
    """The survey's `where` does not hold."""
    SAMPLED_OUT = "sampled_out"
    QUIET_PERIOD = "quiet_period"
    MINIMUM_GAP = "minimum_gap"
    ACCOUNT_CAP = "account_cap"
    DAILY_SENDS = "daily_sends"
    SENDING_WINDOW = "sending_window"
    ERASED = "erased"
    TEST_ORG = "test_org"
    """The org is kept for tests, and the address is not one of those that its mail may go to."""
    RESTORED = "restored"
    """They were to be asked when the backup was made that the store comes from, and may have been since."""


class Delivery(StrEnum):
    """The state of an invitation on its way, and of each attempt to send it."""

    DUE = "due"
    SENDING = "sending"
    """Written before the mail server is called. Found in this state after a crash, it becomes IN_DOUBT."""
    SENT = "sent"
    IN_DOUBT = "in_doubt"
    BOUNCED = "bounced"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class BounceCause(StrEnum):
    """What the words of a report say about why a message did not arrive."""

    MAILBOX = "mailbox"
    """The address does not exist, or takes no mail any more."""
    OTHER = "other"
    """Something else, for the most part about us: our address, our rights or reputation, a full mailbox."""
    PASSING = "passing"
    """Not yet, the server goes on trying; or no failure at all, such as an absence note."""
    COMPLAINT = "complaint"
    """It has arrived, and whoever got it has called it spam, or wants no more."""
    UNCLEAR = "unclear"


class OptOutWay(StrEnum):
    """How it became known that somebody wants no surveys."""

    LINK = "link"
    """By the link in a mail."""
    COMPLAINT = "complaint"
    """They have called a mail spam, as their mail provider reports."""
    CRM = "crm"
    """By their record in the CRM."""
    ADMIN = "admin"
    """An admin has noted it."""
    ERASED = "erased"
    """Their data were erased."""


# ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Rating:
    """One number that a person gave, with the scale it was given on."""

    metric: str
    """csat, nps, ces, or an admin's own dimension."""
    question: str
    value: float
    low: float
    high: float
    direction: str = "up"
    """``up``: a high value is good; ``down``: a low value is good."""


class Mood(StrEnum):
    """The account's state in words. The value is what the rep reads."""

    HAPPY = "Happy"
    MIXED = "Mixed"
    UNHAPPY = "Unhappy"
    LAST_GOOD = "Last answer good"
    LAST_OK = "Last answer ok"
    LAST_BAD = "Last answer bad"
    """The band of the last answer, where too few people can be asked for a mood."""
    TOO_FEW = "Too few answers"


class FollowUpState(StrEnum):
    """Our side of a follow-up. Only an outcome, or a later good answer of the same person, closes it."""

    OPEN = "open"
    WAITING_FOR_OUTCOME = "waiting_for_outcome"
    """Its task was completed or deleted, and nobody has noted an outcome."""
    CLOSED = "closed"


class Outcome(StrEnum):
    """How a follow-up ended, or that it has not yet. The value is the word in the CRM and the key everywhere else."""

    SOLVED = "Solved"
    NOT_SOLVED_YET = "Reached, not solved yet"
    NOT_REACHED = "Not reached"
    NO_ACTION_NEEDED = "No action needed"


class NotedResult(StrEnum):
    """What became of an outcome that somebody noted by a follow-up's link."""

    TAKEN = "taken"
    CORRECTED = "corrected"
    """The same outcome of the same attempt, with other words beside it: those are kept."""
    REPEATED = "repeated"
    """It was noted just so before: a page that was sent twice."""
    CLOSED = "closed"
    """The follow-up was closed before; nothing has changed."""
    UNKNOWN = "unknown"
    """There is no such follow-up."""


class ClosedBy(StrEnum):
    """Why a follow-up is closed."""

    OUTCOME = "outcome"
    LATER_ANSWER = "later_answer"
    """A good answer of the same person to another invitation."""
    JOINED = "joined"
    """Another follow-up took it over."""
    ACCOUNT_GONE = "account_gone"
    UNDO = "undo"


class TaskState(StrEnum):
    """A follow-up's task in the CRM, as we last saw it or left it."""

    OPEN = "open"
    COMPLETED = "completed"
    DELETED = "deleted"


# ── whose a field is ─────────────────────────────────────────────────────────────────────────────────────────────────


Field = tuple[str, str]
"""A CRM's field: (object, API name)."""


@dataclass(frozen=True, slots=True)
class Ownership:
    """What is known, without a call, of which fields of a CRM may be written because they are ours."""

    made: frozenset[Field] = frozenset()
    """Those that the setup log names."""
    kept: frozenset[Field] = frozenset()
    """Those of others that were written before anybody was asked whose they are."""
    marked: bool = False
    """Whether the CRM is known to have been set up by us: then fields with our built-in names are ours."""


@dataclass(frozen=True, slots=True)
class ForeignField:
    """A field that a mapping wants to write, and that is not ours: it is left alone."""

    target: str
    """account or contact."""
    name: str
    """Our name for what would be written there."""
    object: str
    field: str
    where: str
    """The line of the mapping."""
    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Unseen:
    """Fields of ours that exist, and that nobody sees on a record's page."""

    object: str
    page: str
    """What the admin knows the page as, e.g. ``page layouts``."""
    fields: tuple[str, ...]
    """By their labels."""
    path: str
    """Where the admin clicks to put them on it."""


@dataclass(frozen=True, slots=True)
class MissingRight:
    """A right that the connection needs and does not have, by the CRM's name for it."""

    name: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a message."""

    name: str
    """In ASCII, ending as its type does."""
    content: bytes
    mime_type: str
    """Such as ``application/pdf``."""


@dataclass(frozen=True, slots=True)
class ChatPost:
    """A message about a follow-up to a chat. Its texts may contain anything: the channel escapes them."""

    title: str
    """Who, and about what."""
    step: str
    """What is to be done, by whom and by when."""
    quotes: tuple[str, ...]
    """The customer's own words, line by line."""
    link: tuple[str, str]
    """What our page is called, and its address."""
