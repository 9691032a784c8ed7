"""A mapping file as values: what it says, before anybody has looked at a live CRM."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import timedelta
from typing import Any, Literal

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "in", "not in"]


@dataclass(frozen=True, slots=True)
class FieldMap:
    """One CRM field to read. `key` is its place in the file, for messages."""

    path: str
    key: str = field(default="", compare=False, repr=False)
    optional: bool = False
    converter: str | None = None
    """Overrides the type that the CRM declares."""
    prefix: str = ""
    """Lookups only: ids that begin otherwise lead to something else, and are passed over."""


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison of a CRM field with what the admin wrote."""

    __test__ = False  # pytest would take it for a test class

    field: FieldMap
    op: Operator
    values: tuple[Any, ...]


Tests = tuple[Test, ...]
Facts = tuple[tuple[str, FieldMap], ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a kind of interaction ends: the event, what must hold, and the fields that may tell when (the first filled one)."""

    event: str
    tests: Tests
    at: tuple[FieldMap, ...]
    all_day: FieldMap | None = None
    """A checkbox by which only the day of `at` is meant."""


@dataclass(frozen=True, slots=True)
class WonDeal:
    """Who is a customer: whoever has a deal that was won within this time (an interaction that ended by `WON`)."""

    within: timedelta


WON = "won"
"""The event by which an interaction makes its account a customer."""


@dataclass(frozen=True, slots=True)
class OwnerMap:
    """[owner]"""

    object: str
    name: tuple[FieldMap, ...]
    email: FieldMap | None = None
    active: Tests = ()
    standard: Tests | None = None
    """Who is a user of the firm's own; None: the file does not say."""
    timezone: FieldMap | None = None
    manager: FieldMap | None = None
    where: Tests = ()


@dataclass(frozen=True, slots=True)
class AccountMap:
    """[account]"""

    object: str
    name: tuple[FieldMap, ...]
    is_customer: Tests | WonDeal = ()
    owner: FieldMap | None = None
    parent: FieldMap | None = None
    link: FieldMap | None = None
    where: Tests = ()
    facts: Facts = ()


@dataclass(frozen=True, slots=True)
class ContactMap:
    """[contact]"""

    object: str
    name: tuple[FieldMap, ...]
    account: tuple[FieldMap, ...] = ()
    email: FieldMap | None = None
    role: FieldMap | None = None
    language: FieldMap | None = None
    owner: FieldMap | None = None
    no_surveys: Tests = ()
    """Any of them is enough."""
    bounced: Tests = ()
    """Any of them is enough: mail to the address has come back."""
    where: Tests = ()
    facts: Facts = ()


@dataclass(frozen=True, slots=True)
class InteractionMap:
    """[interaction.KIND]"""

    kind: str
    object: str
    label: str
    ended: tuple[Ended, ...]
    optional: bool = False
    account: tuple[FieldMap, ...] = ()
    contact: tuple[FieldMap, ...] = ()
    owner: FieldMap | None = None
    updated: FieldMap | None = None
    where: Tests = ()
    facts: Facts = ()
    updated_by: FieldMap | None = field(default=None, repr=False)
    """Not in the text that hashes are made of: a mapping without it is what it was before there was such a line."""
    customer_label: str | None = field(default=None, repr=False)
    """As `updated_by`; it holds for records that are read from then on."""


@dataclass(frozen=True, slots=True)
class TaskMap:
    """[task]: how our follow-up tasks are recognised as open, closed and whose."""

    object: str
    open: Tests
    closed: FieldMap | None = None
    owner: FieldMap | None = None
    related: tuple[str, ...] = ()
    """Kinds of interaction that a task hangs on as well, where the CRM keeps associations apart from fields."""
    made_by: FieldMap | None = field(default=None, repr=False)
    """As `InteractionMap.updated_by`."""


@dataclass(frozen=True, slots=True)
class WriteMap:
    """One field that we write. With a label it is ours to create; without, the CRM has it already."""

    name: str
    path: str
    key: str = field(default="", compare=False, repr=False)
    label: str | None = None
    type: str | None = None
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    options: tuple[str, ...] = ()
    unique: bool = False
    help: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    """The CRM's option for a word of ours."""
    own: bool = False
    """The admin has said that whatever stands in the field may be overwritten."""


@dataclass(frozen=True, slots=True)
class Spec:
    """Everything that a mapping file says."""

    owner: OwnerMap
    account: AccountMap
    contact: ContactMap
    task: TaskMap
    interactions: tuple[InteractionMap, ...]
    write: Mapping[str, tuple[WriteMap, ...]]
    """By target: account, contact, task."""

    @property
    def winnable(self) -> tuple[str, ...]:
        """Return the kinds of interaction that can be won."""
        return tuple(one.kind for one in self.interactions if any(end.event == WON for end in one.ended))

    def who(self, object_name: str | None = None) -> list[FieldMap]:
        """Return which fields say who did something, of one object or of all; of a mapping without them nothing."""
        named = [(one.object, one.updated_by) for one in self.interactions]
        named.append((self.task.object, self.task.made_by))
        return [one for name, one in named if one is not None and object_name in (None, name)]

    def written(self, target: str, name: str) -> WriteMap | None:
        """Return one of our fields on a target, if the admin kept it."""
        return next((field for field in self.write[target] if field.name == name), None)


def fields_read(section: object) -> Iterator[FieldMap]:
    """Yield every field that a section reads, for whatever purpose."""
    if isinstance(section, FieldMap):
        yield section
    elif isinstance(section, tuple):
        for part in section:
            yield from fields_read(part)
    elif is_dataclass(section):
        for one in fields(section):
            yield from fields_read(getattr(section, one.name))
