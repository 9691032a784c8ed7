"""Keys that take one of a few words."""

from enum import StrEnum


class Mode(StrEnum):
    """What a connection may do."""

    OBSERVE = "observe"
    """Read, and nothing else."""
    LIVE = "live"


class Security(StrEnum):
    """How the way to the mail server is protected."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


class Audience(StrEnum):
    """Whom a survey asks."""

    CUSTOMERS = "customers"
    EVERYONE = "everyone"


class Metric(StrEnum):
    """What a survey measures."""

    CSAT = "csat"
    NPS = "nps"
    CES = "ces"
    COMPOSITE = "composite"


class Recipients(StrEnum):
    """Which of an interaction's contacts are asked."""

    PRIMARY = "primary"
    ALL = "all"


class Priority(StrEnum):
    """How urgent a follow-up task is."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class Role(StrEnum):
    """A person whom a follow-up can name by their part in it."""

    ACCOUNT_OWNER = "account_owner"
    CONTACT_OWNER = "contact_owner"
    INTERACTION_OWNER = "interaction_owner"


class Superior(StrEnum):
    """Whom a late follow-up climbs to."""

    OWNER_MANAGER = "owner_manager"
    """The manager of the CRM user whose follow-up it is."""
    MANAGERS = "managers"
    """Those of [web] managers."""
