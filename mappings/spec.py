"""A mapping file as values: what it says, before anybody has looked at a live CRM.

What a table may say stands in its model. Installations keep hashes of how the models print themselves: what is printed of a line
that says the same as before stays the same.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from string import Formatter
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    TypeAdapter,
    ValidationInfo,
    field_validator,
    model_validator,
)

from connector.domain.config.field_types import Flag, Trimmed, Whole, as_list, between
from connector.domain.config.spelling import near_or_all
from connector.domain.config.table import Table, refuse, table_in, unknown_name
from connector.domain.config.wrong import Wrong
from connector.model import CUSTOMER_LABEL
from mappings.fields import (
    API_NAME,
    WON_DEAL_WITHIN,
    Customers,
    Facts,
    FieldMap,
    FieldName,
    Fields,
    Test,
    Tests,
    Texts,
    name_of,
    placed_text,
    split,
    with_key,
)

FieldType = Literal["text", "number", "boolean", "date", "datetime", "picklist", "url", "reference"]
"""Of fields that we write."""
WRITTEN: Final[Mapping[str, tuple[str, ...]]] = {
    "account": (
        *("satisfaction", "low", "high", "mood", "people", "summary", "attention", "nps", "csat", "ces", "trend"),
        *("last_answer", "details"),
    ),
    "contact": ("last_rating", "last_asked", "no_surveys"),
    "task": (
        *("key", "outcome", "cause", "subject", "body", "type", "priority", "status", "due", "due_at"),
        *("owner", "contact", "account"),
    ),
}
"""Our names for what is written, by target. A mapping may leave out any of them but the tasks' key."""
WON: Final = "won"
"""The event by which an interaction makes its account a customer."""
_RESERVED: Final = frozenset({"owner", "account", "contact", "task"})

# ── the sections ─────────────────────────────────────────────────────────────────────────────────────────────────────

_OBJECT: Final = "the API name of the CRM's object, in quotes"
_TEST: Final = 'a condition, such as { field = "Type", is = "Customer" }, or true'
_ENDED: Final = 'ended = { event = "closed", field = "IsClosed", is = true, at = "ClosedDate" }'


class OwnerMap(Table):
    """[owner]"""

    object: Trimmed = Field(description=_OBJECT)
    name: Fields = Field(description=API_NAME)
    email: FieldMap | None = None
    active: Tests = ()
    standard: Tests | None = None
    """Who is a user of the firm's own; None: the file does not say."""
    timezone: FieldMap | None = None
    manager: FieldMap | None = None
    where: Tests = ()


class AccountMap(Table):
    """[account]"""

    object: Trimmed = Field(description=_OBJECT)
    name: Fields = Field(description=API_NAME)
    is_customer: Customers = Field(description=_TEST)
    owner: FieldMap | None = None
    parent: FieldMap | None = None
    link: FieldMap | None = None
    where: Tests = ()
    facts: Facts = ()


class ContactMap(Table):
    """[contact]"""

    object: Trimmed = Field(description=_OBJECT)
    name: Fields = Field(description=API_NAME)
    account: Fields = Field(description=API_NAME)
    email: FieldMap = Field(description=API_NAME)
    role: FieldMap | None = None
    language: FieldMap | None = None
    owner: FieldMap | None = None
    no_surveys: Tests = ()
    """Any of them is enough."""
    bounced: Tests = ()
    """Any of them is enough: mail to the address has come back."""
    where: Tests = ()
    facts: Facts = ()


class Ended(Table):
    """How a kind of interaction ends: the event, what must hold, and the fields that may tell when (the first filled one)."""

    event: Annotated[Trimmed, name_of("an event")] = Field(description="the event's name in quotes")
    test: Test | None = Field(None, alias="(test)")
    also: Tests = Field((), alias="and")
    at: Fields = Field(description=API_NAME)
    all_day: FieldMap | None = None
    """A checkbox by which only the day of `at` is meant."""

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """See `Table.names`."""
        return (*super().names(), *Test.names())

    @model_validator(mode="before")
    @classmethod
    def _from_line(cls, line: Any) -> Any:
        """The first condition stands beside the event."""
        if not isinstance(line, dict):
            return line
        test, others = split(line, Test.names())
        return {**others, "(test)": test} if test else others

    @property
    def tests(self) -> tuple[Test, ...]:
        """What must hold; nothing: it has ended as soon as the moment is past."""
        return (self.test, *self.also) if self.test else self.also

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        yield from (("event", self.event), ("tests", self.tests), ("at", self.at), ("all_day", self.all_day))


class InteractionMap(Table):
    """[interaction.KIND]"""

    kind: str = Field(alias="(kind)")
    object: Trimmed = Field(description=_OBJECT)
    label: Trimmed
    ended: Annotated[tuple[Ended, ...], BeforeValidator(as_list)] = Field(description=_ENDED)
    optional: Flag = False
    account: Fields = ()
    contact: Fields = ()
    owner: FieldMap | None = None
    updated: FieldMap | None = None
    where: Tests = ()
    facts: Facts = ()
    updated_by: FieldMap | None = Field(None, repr=False)
    """Not in the text that hashes are made of: a mapping without it is what it was before there was such a line."""
    customer_label: Trimmed | None = Field(None, repr=False)
    """As `updated_by`; it holds for records that are read from then on."""

    @property
    def events(self) -> tuple[str, ...]:
        """What surveys can be triggered by, e.g. ``case.closed``."""
        return tuple(f"{self.kind}.{ended.event}" for ended in self.ended)

    @classmethod
    def rules(cls, written: Mapping[str, Any]) -> Iterable[Wrong]:
        """See `Table.rules`."""
        for key in ("label", CUSTOMER_LABEL):
            yield from _wrong_label(key, written.get(key), table_in(written, "facts"))
        events = [line.get("event") for line in as_list(written.get("ended")) if isinstance(line, dict)]
        for n, event in enumerate(events):
            if event is not None and event in events[:n]:
                yield Wrong(f"names the event {event!r} again.", "Give each event a name of its own.", at=("ended", n))


def _wrong_label(key: str, template: object, facts: Iterable[str]) -> Iterator[Wrong]:
    if not isinstance(template, str):
        return
    try:
        names = [part[1] for part in Formatter().parse(template) if part[1] is not None]
    except ValueError:
        yield Wrong("is not a label.", "Write a fact's name in each pair of braces.", at=(key,))
        return
    for name in names:
        if name not in facts:
            yield Wrong(f"names a fact that is not there: {name!r}.", near_or_all(name, facts), at=(key,))


class TaskMap(Table):
    """[task]: how our follow-up tasks are recognised as open, closed and whose."""

    object: Trimmed = Field(description=_OBJECT)
    open: Tests = Field(description=_TEST)
    closed: FieldMap | None = None
    owner: FieldMap | None = None
    related: Texts = ()
    """Kinds of interaction that a task hangs on as well, where the CRM keeps associations apart from fields."""
    made_by: FieldMap | None = Field(None, repr=False)
    """As `InteractionMap.updated_by`."""


_Size = Annotated[Whole, between(1, 131_072)]


class WriteMap(Table):
    """One field that we write. With a label it is ours to create; without, the CRM has it already."""

    name: str = Field(alias="(name)")
    path: FieldName = Field(alias="field", description=API_NAME)
    key: str = Field("", alias="(key)", repr=False)
    label: Trimmed | None = None
    type: FieldType | None = None
    length: _Size | None = None
    precision: _Size | None = None
    scale: Annotated[Whole, between(0, 131_072)] | None = None
    options: Texts = ()
    unique: Flag = False
    help: Trimmed = ""
    values: dict[str, Trimmed] = Field(default_factory=dict)
    """The CRM's option for a word of ours."""
    own: Flag = False
    """The admin has said that whatever stands in the field may be overwritten."""

    @classmethod
    def rules(cls, written: Mapping[str, Any]) -> Iterable[Wrong]:
        """See `Table.rules`."""
        if "label" not in written:
            return
        if "type" not in written:
            types = ", ".join(get_args(FieldType))
            yield Wrong("is missing.", f"A field with a label needs one of {types}.", at=("type",))
        # The options for causes are those of config.toml.
        if written.get("type") == "picklist" and not written.get("options") and written["(name)"] != "cause":
            yield Wrong("is missing.", "List the options of the picklist.", at=("options",))

    def compared(self, word: str, value: object) -> Test:
        """Return the condition that what stands in the field compares so."""
        return Test.model_validate({"field": placed_text(self.path, self.key), word: value})


def _ours(target: str) -> AfterValidator:
    def check(name: str) -> str:
        if name not in WRITTEN[target]:
            raise unknown_name(name, WRITTEN[target])
        return name

    return AfterValidator(check)


def _path(line: object) -> str | None:
    path = line.get("field") if isinstance(line, dict) else line
    return path if isinstance(path, str) else None


def _named(name: str, line: Any) -> Any:
    """Return a line of a [write.…] table with our name; a field may be named by its name alone."""
    return {**with_key(line if isinstance(line, dict) else {"field": line}), "(name)": name}


class Writes(Table):
    """[write]: where each of our values goes, by our names."""

    account: dict[Annotated[str, _ours("account")], WriteMap] = Field(default_factory=dict)
    contact: dict[Annotated[str, _ours("contact")], WriteMap] = Field(default_factory=dict)
    task: dict[Annotated[str, _ours("task")], WriteMap] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _from_lines(cls, tables: Any) -> Any:
        if not isinstance(tables, dict):
            return tables
        return {
            target: {name: _named(name, line) for name, line in lines.items()} if isinstance(lines, dict) else lines
            for target, lines in tables.items()
        }

    @classmethod
    def rules(cls, written: Mapping[str, Any]) -> Iterable[Wrong]:
        """See `Table.rules`."""
        if "key" not in table_in(written, "task"):
            remedy = "Follow-up tasks are found again by it: give it a field."
            yield Wrong("is missing.", remedy, at=("task", "key"))
        for target in WRITTEN:
            paths = Counter(filter(None, map(_path, table_in(written, target).values())))
            for path in paths - Counter(set(paths)):
                what = f"writes {path} {paths[path]} times."
                yield Wrong(what, "Give each of our names a field of its own.", at=(target,))

    def by_target(self) -> dict[str, tuple[WriteMap, ...]]:
        """Return the lines in the order of our names."""
        tables: Mapping[str, Mapping[str, WriteMap]] = {target: getattr(self, target) for target in WRITTEN}
        return {
            target: tuple(tables[target][name] for name in names if name in tables[target])
            for target, names in WRITTEN.items()
        }


# ── the whole file ───────────────────────────────────────────────────────────────────────────────────────────────────

_KINDS: Final = TypeAdapter(dict[Annotated[str, name_of("a kind", but=_RESERVED)], InteractionMap])


class Spec(Table):
    """Everything that a mapping file says."""

    HOLDS = "table"

    owner: OwnerMap = Field(description="the table [owner]; the default mapping shows how")
    account: AccountMap = Field(description="the table [account]; the default mapping shows how")
    contact: ContactMap = Field(description="the table [contact]; the default mapping shows how")
    task: TaskMap = Field(description="the table [task]; the default mapping shows how")
    interactions: tuple[InteractionMap, ...] = Field((), alias="interaction")
    write: Mapping[str, tuple[WriteMap, ...]] = Field(default_factory=dict, validate_default=True)
    """By target: account, contact, task."""

    @classmethod
    def rules(cls, written: Mapping[str, Any]) -> Iterable[Wrong]:
        """See `Table.rules`."""
        kinds = table_in(written, "interaction")
        yield from _wrong_customers(table_in(table_in(written, "account"), "is_customer"), kinds)
        related = table_in(written, "task").get("related")
        for kind in related if isinstance(related, list) else ():
            if isinstance(kind, str) and kind not in kinds:
                what = f"names no kind of interaction: {kind!r}."
                yield Wrong(what, near_or_all(kind, kinds), at=("task", "related"))

    @field_validator("interactions", mode="plain")
    @classmethod
    def _with_kinds(cls, tables: object) -> tuple[InteractionMap, ...]:
        if isinstance(tables, dict):
            tables = {
                kind: {"label": kind, **table, "(kind)": kind} if isinstance(table, dict) else table
                for kind, table in tables.items()
            }
        return tuple(_KINDS.validate_python(tables).values())

    @field_validator("write", mode="plain")
    @classmethod
    def _written(cls, tables: object, info: ValidationInfo) -> Mapping[str, tuple[WriteMap, ...]]:
        """What the mapping reads belongs to others: writing it would overwrite what people keep there."""
        lines = Writes.model_validate(tables).by_target()
        refuse("write", (wrong for target in WRITTEN for wrong in _overwrites(target, lines[target], info.data)))
        return lines

    @property
    def winnable(self) -> tuple[str, ...]:
        """Return the kinds of interaction that can be won."""
        return tuple(kind.kind for kind in self.interactions if any(end.event == WON for end in kind.ended))

    def who(self, object_name: str | None = None) -> list[FieldMap]:
        """Return which fields say who did something, of one object or of all; of a mapping without them nothing."""
        fields = [(kind.object, kind.updated_by) for kind in self.interactions]
        fields.append((self.task.object, self.task.made_by))
        return [field for name, field in fields if field is not None and object_name in (None, name)]

    def written(self, target: str, name: str) -> WriteMap | None:
        """Return one of our fields on a target, if the admin kept it."""
        return next((line for line in self.write[target] if line.name == name), None)


def _wrong_customers(customers: Mapping[str, Any], kinds: Mapping[str, Any]) -> Iterator[Wrong]:
    """Deals can tell who is a customer only where the mapping reads deals that are won."""
    ends = [end for kind in kinds for end in as_list(table_in(kinds, kind).get("ended")) if isinstance(end, dict)]
    if WON_DEAL_WITHIN in customers and all(end.get("event") != WON for end in ends):
        what = f"counts what ended by the event {WON!r}, and no kind of interaction ends by it."
        remedy = f'Give a kind of deal ended = {{ event = "{WON}", … }}, or drop {WON_DEAL_WITHIN}.'
        yield Wrong(what, remedy, at=("account", "is_customer"))


def _overwrites(target: str, lines: Iterable[WriteMap], sections: Mapping[str, Any]) -> Iterator[Wrong]:
    if target == "task":
        return
    read = {field.path: field.key for field in fields_read(sections.get(target))}
    for line in lines:
        if line.path in read and line.name != "no_surveys":
            what = f"would write {line.path}, which is read as {read[line.path].removesuffix('.field')}."
            yield Wrong(what, "Give it a field of its own.", at=(target, line.name, "field"), shown=False)


def fields_read(section: object) -> Iterator[FieldMap]:
    """Yield every field that a section reads, for whatever purpose."""
    if isinstance(section, FieldMap):
        yield section
    elif isinstance(section, tuple):
        for part in section:
            yield from fields_read(part)
    elif isinstance(section, BaseModel):
        for name in type(section).model_fields:
            yield from fields_read(getattr(section, name))
