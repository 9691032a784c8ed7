"""Setting a CRM up: the fields that are ours, the rights to them, and where people see them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, Protocol

from connector.errors import CrmError
from connector.model import MissingRight, Unseen
from connector.model.documents import JsonObject
from connector.ports.part import CrmPart

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
    detail: JsonObject = field(default_factory=dict)
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
    detail: JsonObject = field(default_factory=dict)


Needs = Mapping[str, frozenset[Literal["read", "create", "update"]]]
"""What is to be done, by object."""


class CrmSetup(CrmPart, Protocol):
    """Makes and takes away what a mapping wants in the CRM, and tells which rights we have."""

    def missing_rights(self, needs: Needs) -> Sequence[MissingRight]:
        """Return the rights to whole objects that we lack, as far as the CRM tells; changes nothing."""

    def plan_setup(
        self,
        fields: Sequence[FieldSpec],
        hidden: Sequence[tuple[str, str]] = (),
        labels: Mapping[str, str] = NO_LABELS,
    ) -> list[SetupStep]:
        """Return what is missing for these fields to exist, be permitted to the integration user and be shown on the record.

        `hidden`: fields of others, as (object, field), that the integration user is to be allowed to read. `labels`: by the keys of
        the steps that made fields, the labels that we gave them last: one that stands there still is changed to the wanted one.
        """

    def field_limits(self, objects: Sequence[str]) -> Sequence[FieldLimit]:
        """Return how many custom fields these objects may have, as far as the CRM tells; by a refusal (`NoRoom`) it tells later."""

    def unseen(self, fields: Sequence[FieldSpec]) -> Sequence[Unseen]:
        """Return which of these fields no page shows, as far as the CRM tells; those that do not exist yet are left out."""

    def apply_setup(self, steps: Sequence[SetupStep]) -> Iterator[SetupResult]:
        """Carry out steps in order; yields each result as it is known, so that it can be stored at once."""

    def plan_undo(self, made: Sequence[SetupResult]) -> list[SetupStep]:
        """Return the steps that take away what earlier results made, newest first."""
