"""What passes between the parts when a CRM is set up; `connector.ports` gives it on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from connector.errors import CrmError

NO_LABELS: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A CRM field that a mapping wants to exist; its type as in `FieldSchema`."""

    object: str
    name: str
    label: str
    type: str
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    options: tuple[str, ...] = ()
    unique: bool = False
    help: str = ""
    edited: bool = False
    """Whether people fill it in, and not only we."""
    key: str = ""
    """Its line in the mapping, e.g. ``write.account.mood``."""


@dataclass(frozen=True, slots=True)
class FieldLimit:
    """How many custom fields some objects may have in this edition of the CRM, together where there are several."""

    objects: tuple[str, ...]
    most: int
    used: int


@dataclass(frozen=True, slots=True)
class SetupStep:
    """One change to the CRM's set-up, or (`manual`) a click path for the admin."""

    key: str
    """Names the thing made, e.g. ``field:Account.Afterword_Mood__c``; by it `--undo` finds what we made and nothing else."""
    sentence: str
    manual: bool = False
    detail: Mapping[str, Any] = field(default_factory=dict)
    """The adapter's own data for carrying it out."""
    group: str = ""
    """What steps of one kind that follow each other have in common, in words, so that they can be told in one line."""
    item: str = ""
    """What this one adds to the line of its group."""
    makes: tuple[str, str] | None = None
    """The custom field that it makes, as (object, field)."""
    holds: tuple[str, str] | None = None
    """Undo only: (object, field) whose values go with what this step takes away."""


@dataclass(frozen=True, slots=True)
class SetupResult:
    """What became of a step. `detail` is stored with it, and handed back for undo, unless it says ``existed``: nothing was made."""

    step: SetupStep
    done: bool
    error: CrmError | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
