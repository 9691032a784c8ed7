"""Objects and fields of the pretend org: read from schema.toml, extended at run time by custom fields."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

TEXT_TYPES = frozenset({"string", "textarea", "email", "phone", "url", "picklist", "multipicklist", "id", "reference"})
NUMBER_TYPES = frozenset({"int", "double", "currency", "percent"})
_LENGTHS = {"email": 80, "phone": 40, "url": 255, "picklist": 255, "multipicklist": 4099, "id": 18, "reference": 18}
_VALUES = re.compile(r"(?:^|\s)values=(.*)$")
_DEFAULT = re.compile(r"(?:^|\s)default=(.*?)(?=\s+values=|$)")
_FILTER_LIMIT = 255
_SYSTEM_FIELDS = """
Id | id | Record ID | readonly always
IsDeleted | boolean | Deleted | readonly always
CreatedDate | datetime | Created Date | readonly always
CreatedById | reference User | Created By ID | readonly always
LastModifiedDate | datetime | Last Modified Date | readonly always
LastModifiedById | reference User | Last Modified By ID | readonly always
SystemModstamp | datetime | System Modstamp | readonly always
"""


@dataclass(frozen=True)
class Field:
    """One field. `length` counts characters; `precision` and `scale` digits; `path` names a parent's field it copies."""

    name: str
    type: str
    label: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    required: bool = False
    name_field: bool = False
    auto_number: bool = False
    createable: bool = True
    updateable: bool = True
    external_id: bool = False
    unique: bool = False
    case_sensitive: bool = False
    id_lookup: bool = False
    always_visible: bool = False
    hidden_at_first: bool = False
    restricted: bool = False
    custom: bool = False
    path: str | None = None
    default: object = None
    values: tuple[str, ...] = ()
    values_from: str | None = None
    refers_to: tuple[str, ...] = ()
    help_text: str | None = None

    @property
    def relationship(self) -> str | None:
        """The name under which the parent's fields are reached."""
        if not self.refers_to:
            return None
        return self.name[:-1] + "r" if self.custom else self.name.removesuffix("Id")

    @property
    def polymorphic(self) -> bool:
        """Whether the lookup may point to several objects, so that only the common Name fields are reached through it."""
        return len(self.refers_to) > 1

    @property
    def permissionable(self) -> bool:
        """Whether field-level security applies; required fields are always visible."""
        return not (self.required or self.always_visible)

    @property
    def filterable(self) -> bool:
        """Whether WHERE and ORDER BY may name it: long text may not."""
        return self.type not in {"address", "complexvalue"} and not (
            self.type == "textarea" and self.length > _FILTER_LIMIT
        )

    @property
    def nillable(self) -> bool:
        """Whether it may be empty; a boolean never is."""
        return not (self.required or self.type == "boolean" or self.default is not None or self.type == "id")

    @property
    def demanded(self) -> bool:
        """Whether a record without a value is refused; a boolean without one is false."""
        return self.createable and not self.nillable and self.type != "boolean"

    @property
    def writable_ever(self) -> bool:
        """Whether anybody may write it."""
        return self.createable or self.updateable


@dataclass
class OrgObjectType:
    """One object: its fields by name, looked up without regard to case."""

    name: str
    prefix: str
    plural: str
    tooling: bool = False
    custom: bool = False
    fields: dict[str, Field] = field(default_factory=dict)
    _lower: dict[str, Field] = field(default_factory=dict)
    _lookups: dict[str, Field] = field(default_factory=dict)

    def add(self, new: Field) -> None:
        """Adds or replaces a field."""
        self.fields[new.name] = new
        self._lower[new.name.lower()] = new
        if new.relationship:
            self._lookups[new.relationship.lower()] = new

    def remove(self, name: str) -> None:
        """Takes a field away."""
        gone = self.fields.pop(name)
        del self._lower[name.lower()]
        if gone.relationship:
            del self._lookups[gone.relationship.lower()]

    def find(self, name: str) -> Field | None:
        """The field of that name, in any case."""
        return self.fields.get(name) or self._lower.get(name.lower())

    def by_relationship(self, name: str) -> Field | None:
        """The lookup behind a relationship name, in any case."""
        return self._lookups.get(name.lower())

    @property
    def has_bin(self) -> bool:
        """Whether deleted records can still be seen and brought back: those of the set-up cannot."""
        return "IsDeleted" in self.fields

    @property
    def defaults(self) -> dict[str, object]:
        """What a new record holds where nothing is given; booleans are false by themselves."""
        return {spec.name: spec.default for spec in self.fields.values() if spec.default is not None}

    @property
    def name_field(self) -> Field | None:
        """The field that names a record to people."""
        return next((f for f in self.fields.values() if f.name_field), None)

    @property
    def label(self) -> str:
        """The singular label."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", self.name.removesuffix("__c"))


class OrgSchema:
    """All objects of one org."""

    def __init__(self) -> None:
        self.objects: dict[str, OrgObjectType] = {}
        for name, spec in _spec().items():
            self.objects[name] = _build(name, spec)
        self._lower = {name.lower(): object_type for name, object_type in self.objects.items()}
        self._prefixes = {object_type.prefix: object_type for object_type in self.objects.values()}
        self.version = 0

    def find(self, name: str) -> OrgObjectType | None:
        """The object of that name, in any case."""
        return self._lower.get(name.lower())

    def by_id(self, record_id: str) -> OrgObjectType | None:
        """The object that an id belongs to, by its first three characters."""
        return self._prefixes.get(record_id[:3])

    def holders(self, entity: str) -> list[OrgObjectType]:
        """The objects that show the custom fields of `entity`: those of Activity are shown by Task and Event."""
        names = ("Task", "Event") if entity == "Activity" else (entity,)
        return [self.objects[name] for name in names if name in self.objects]

    def add_field(self, entity: str, new: Field) -> None:
        """Adds a custom field to the object, or to both kinds of activity."""
        for holder in self.holders(entity):
            holder.add(new)
        self.version += 1

    def remove_field(self, entity: str, name: str) -> None:
        """Takes a custom field away again."""
        for holder in self.holders(entity):
            holder.remove(name)
        self.version += 1

    def lookups_to(self, target: str) -> Iterator[tuple[OrgObjectType, Field]]:
        """Every field that can point to records of `target`."""
        for object_type in self.objects.values():
            for candidate in object_type.fields.values():
                if target in candidate.refers_to:
                    yield object_type, candidate


@cache
def _spec() -> dict[str, dict[str, str]]:
    text = Path(__file__).with_name("schema.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _build(name: str, spec: dict[str, str]) -> OrgObjectType:
    result = OrgObjectType(name, spec["prefix"], spec["plural"], tooling=spec.get("api") == "tooling")
    for line in (_SYSTEM_FIELDS + spec["fields"]).strip().splitlines():
        if not (line.startswith("IsDeleted ") and spec.get("bin") == "none"):
            result.add(_field(line))
    return result


def _field(line: str) -> Field:
    name, kind, label, flags = (part.strip() for part in f"{line} ".split("|", 3))
    base, _, detail = kind.partition(" ")
    values, default = _VALUES.search(flags), _DEFAULT.search(flags)
    words = set(re.split(r"(?:^|\s)(?:values|default)=", flags)[0].split())
    path = next((word[5:] for word in words if word.startswith("from=")), None)
    fixed = bool(words & {"readonly", "auto"})
    result = Field(
        name,
        base,
        label,
        length=_LENGTHS.get(base, 0),
        required="required" in words,
        name_field="name" in words,
        auto_number="auto" in words,
        createable=not fixed,
        updateable=not fixed and "createonly" not in words,
        external_id="external" in words,
        unique="unique" in words,
        id_lookup=bool(words & {"idlookup", "external"}) or name == "Id",
        always_visible="always" in words,
        hidden_at_first="hidden" in words,
        restricted="restricted" in words,
        path=path,
        default=default.group(1).strip() if default else None,
    )
    return _with_values(_with_detail(result, detail), values.group(1) if values else "")


def _with_detail(spec: Field, detail: str) -> Field:
    if spec.type == "reference":
        return replace(spec, refers_to=tuple(detail.split(",")))
    if spec.type == "int":
        return replace(spec, precision=int(detail))
    if spec.type in NUMBER_TYPES:
        precision, scale = detail.split(".")
        return replace(spec, precision=int(precision), scale=int(scale))
    return replace(spec, length=int(detail)) if detail else spec


def _with_values(spec: Field, values: str) -> Field:
    if values.startswith("@"):
        return replace(spec, values_from=values[1:])
    return replace(spec, values=tuple(values.split(";"))) if values else spec
