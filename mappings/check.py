"""Comparing a mapping with the schema of a live CRM: what is there, of which type, and what an admin should do about the rest."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from connector.domain.config.spelling import closest, did_you_mean
from connector.errors import MappingError, Problem
from connector.ports import FieldSchema, ObjectSchema
from mappings.conditions import wanted
from mappings.fields import FieldMap, Test
from mappings.record_values import Types
from mappings.spec import WriteMap
from mappings.writers import missing_options

_SHOWN = 12
"""How many values of a picklist a remedy lists."""
Schemas = Mapping[str, ObjectSchema]

FINE = "Where your CRM has none, all is well. Otherwise:"
SEE = (
    "Correct the name, or let the integration user see it, as `afterword setup-crm` does: "
    "a field that was granted to nobody looks like none."
)
SETUP = "Run `afterword setup-crm`: it makes fields, and lets people see those that were granted to nobody."

Purpose = Literal["moment", "record", "address"]
_PURPOSES: Mapping[Purpose, tuple[str, frozenset[str]]] = {
    "moment": ("a date or a time", frozenset({"date", "datetime", "other"})),
    "record": ("another record's id", frozenset({"reference", "id", "text", "number", "other"})),
    "address": ("an e-mail address", frozenset({"email", "text", "other"})),
}
"""What a field is read for: in words, and the types that can hold it. "other": what the CRM does not tell is not judged."""

_FITS: Mapping[str, frozenset[str]] = {
    "text": frozenset({"text", "url", "email", "phone", "picklist", "other"}),
    "number": frozenset({"number"}),
    "boolean": frozenset({"boolean"}),
    "date": frozenset({"date"}),
    "datetime": frozenset({"datetime"}),
    "picklist": frozenset({"picklist", "text"}),
    "url": frozenset({"url", "text"}),
    "reference": frozenset({"reference", "id"}),
}


def find(schemas: Schemas, schema: ObjectSchema, path: str) -> FieldSchema | None:
    """Return a field by name, or by a dotted path along lookups whose targets are known."""
    direct = schema.fields.get(path)
    if direct is not None or "." not in path:
        return direct
    first, rest = path.split(".", 1)
    lookup = _lookup(schema, first)
    if lookup is None:
        return None
    target = schemas.get(lookup.references[0]) if len(lookup.references) == 1 else None
    if target is None:  # a lookup to several objects, or to one we were not told of: the query itself will tell
        return FieldSchema(path, path, "other")
    return find(schemas, target, rest)


def _lookup(schema: ObjectSchema, relation: str) -> FieldSchema | None:
    """Return the lookup behind a relation's name: Account → AccountId, Plan__r → Plan__c."""
    for name in (relation, f"{relation}Id", f"{relation.removesuffix('__r')}__c"):
        field = schema.fields.get(name)
        if field is not None and field.references:
            return field
    return None


def see(schema: ObjectSchema, path: str) -> str:
    """Return what to do about a field that is not there: a slip of the pen is likelier than anything else."""
    names = {name.lower(): name for name in schema.fields}
    near = closest(path.lower(), names, cutoff=0.8)
    return f"Did you mean {names[near]}? {SEE}" if near else SEE


@dataclass(slots=True)
class Section:
    """One section of the file being compared with one object. `types` holds what is there.

    An `optional` section of which something necessary is missing is `gone`, and nothing worse.
    """

    file: str
    key: str
    schemas: Schemas
    schema: ObjectSchema
    optional: bool = False
    gone: bool = False
    types: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)
    """Fields of this object that are not there for us, and that it cannot do without."""
    absent: list[str] = field(default_factory=list)
    """Those, and others that are not there for us."""

    @property
    def usable(self) -> bool:
        """Whether nothing is missing or wrong that this section cannot do without."""
        return not self.gone and all(problem.severity != "error" for problem in self.problems)

    def note(self, key: str, what: str, remedy: str, *, severity: str = "error") -> None:
        """Note a problem at a key of the file."""
        self.problems.append(Problem(f"{self.file}: {key}", what, remedy, severity))

    def lose(self) -> str:
        """Give up the section; returns how grave that is."""
        self.gone = True
        return "warning" if self.optional else "error"

    def need(self, fields: Iterable[FieldMap | None], *, lenient: bool = False, purpose: Purpose | None = None) -> None:
        """Take up the fields that are there and can hold what they are read for.

        Missing ones are errors, or warnings if they are optional (or `lenient`).
        """
        for field_map in fields:
            if field_map is None:
                continue
            field = find(self.schemas, self.schema, field_map.path)
            if field is not None:
                if self._serves(field_map, field, purpose):
                    self.types[field_map.path] = field.type
                continue
            severity = "warning" if field_map.optional or lenient else self.lose()
            if "." not in field_map.path:
                self.absent.append(field_map.path)
                self.lacking += [field_map.path] if severity == "error" else []
            what, remedy = f"{self.schema.name} has no field {field_map.path}", see(self.schema, field_map.path)
            if field_map.optional:
                what, remedy = (
                    f"{what}; the mapping calls it optional, so it is left out",
                    f"{FINE} {remedy[0].lower()}{remedy[1:]}",
                )
            self.note(field_map.key, f"{what}.", remedy, severity=severity)

    def _serves(self, field_map: FieldMap, field: FieldSchema, purpose: Purpose | None) -> bool:
        """Tell if the field can hold what it is read for; notes it when it cannot."""
        if purpose is None:
            return True
        words, types = _PURPOSES[purpose]
        if (field_map.converter or field.type) in types:
            self._whole(field_map, field, purpose)
            return True
        what = f"{self.schema.name}.{field_map.path} is a {field.type}, and cannot hold {words}."
        self.note(field_map.key, what, "Name another field.", severity="warning" if field_map.optional else self.lose())
        return False

    def _whole(self, field_map: FieldMap, field: FieldSchema, purpose: Purpose) -> None:
        """Note a text that is read as an id, in a CRM whose ids are a type of their own: a formula there gives a piece of one."""
        if (
            purpose == "record"
            and field.type == "text"
            and any(other.type == "id" for other in self.schema.fields.values())
        ):
            what = f"{self.schema.name}.{field_map.path} is a text, and leads to a record only where it holds the whole id."
            remedy = (
                "Salesforce's formulas give 15 of its 18 characters: write CASESAFEID( ) around it, or name a lookup."
            )
            self.note(field_map.key, what, remedy, severity="warning")

    def one_of(self, fields: tuple[FieldMap, ...], key: str, *, purpose: Purpose | None = None) -> None:
        """Take up fields of which at least one must be there."""
        self.need(fields, purpose=purpose)
        if fields and all(field.optional and field.path not in self.types for field in fields):
            self.note(key, f"none of its fields is there on {self.schema.name}.", SEE, severity=self.lose())

    def compare(self, tests: Iterable[Test], *, asked: bool = False) -> None:
        """Take up the fields of conditions; `asked`: the CRM itself is asked them."""
        for test in tests:
            self.need([test.field])
            if test.field.path not in self.types:
                continue
            try:
                wanted(test, self.types)
            except MappingError as error:
                what = f"cannot be compared with {test.field.path}, a {self.types[test.field.path]}: {error.what}"
                self.note(test.field.key, what, "Write a value of the field's own type.")
            field = find(self.schemas, self.schema, test.field.path)
            if field is not None:
                self._dependable(test, field, asked=asked)
                self._chosen(test, field)

    def has(self, path: str) -> bool:
        """Tell whether the CRM shows us a field."""
        return find(self.schemas, self.schema, path) is not None

    def _chosen(self, test: Test, field: FieldSchema) -> None:
        """Note a condition none of whose values the field offers: a slip of the pen there keeps everybody from being asked."""
        words = [value for value in test.values if isinstance(value, str)]
        if not (words and field.options) or any(offered(word, field.options) for word in words):
            return
        what = f"{self.schema.name}.{field.name} has no value {' or '.join(map(repr, words))}."
        self.note(test.field.key, what, choose(words[0], field.options), severity="warning")

    def _dependable(self, test: Test, field: FieldSchema, *, asked: bool) -> None:
        if asked and not field.filterable:
            what = f"{self.schema.name} cannot be searched by {field.name}."
            self.note(test.field.key, what, "Use another field, or map it as a fact and use it in a survey's `where`.")
        if field.calculated:
            what = f"{field.name} is calculated, and changes without the record being seen as changed."
            self.note(test.field.key, what, "Use a field that is stored.", severity="warning")


def offered(word: str, options: Iterable[str]) -> bool:
    """Tell if a picklist has this value, as CRMs compare: without regard to case."""
    return word.casefold() in {option.casefold() for option in options}


def choose(word: str, options: Sequence[str]) -> str:
    """Return what to write instead of a value that a picklist does not have."""
    shown = ", ".join(options[:_SHOWN]) + (", …" if len(options) > _SHOWN else "")
    meant = did_you_mean(word, options).strip()
    return f"{meant} It has: {shown}." if meant else f"Write one of: {shown}."


# ── what is written ──────────────────────────────────────────────────────────────────────────────────────────────────


def writable(section: Section, line: WriteMap, *, create: bool) -> FieldSchema | None:
    """Return the field if we can write it; otherwise note why not, unless it is still to be made (see `unmade`)."""
    field = section.schema.fields.get(line.path)
    if field is None:
        if line.label is None:
            what = f"{section.schema.name} has no field {line.path}, so it is not written."
            section.note(line.key, what, see(section.schema, line.path))
        return None
    if field.calculated or not field.updateable or (create and not field.createable):
        what = f"{section.schema.name}.{line.path} cannot be written by us, so it is left alone."
        remedy = "Give the integration user the right to edit it, or choose a field that can be edited."
        section.note(line.key, what, remedy, severity=_severity(line))
        return None
    return field if _fits(section, line, field) else None


def unmade(section: Section, fields: Iterable[WriteMap]) -> None:
    """Note the fields of ours that are not there, all in one: before set-up that is every one of them."""
    missing = [line for line in fields if line.label and line.path not in section.schema.fields]
    if not missing:
        return
    key = missing[0].key if len(missing) == 1 else section.key
    names = ", ".join(line.path for line in missing)
    section.note(key, f"not there on {section.schema.name}, so not written: {names}.", SETUP, severity="warning")


def _severity(line: WriteMap) -> str:
    """What the CRM brings along (a task's owner, its subject) cannot be done without, nor can the tasks' key."""
    return "error" if line.label is None or line.unique else "warning"


def _fits(section: Section, line: WriteMap, field: FieldSchema) -> bool:
    place = f"{section.schema.name}.{line.path}"
    if line.type and field.type not in _FITS[line.type]:
        what = f"{place} is a {field.type}, and we write a {line.type}."
        section.note(line.key, what, "Choose another field, or delete this line.")
        return False
    if line.unique and not (field.unique or field.external_id):
        section.note(
            line.key, f"{place} is not unique.", "Make it an external id, unique: tasks are found again by it."
        )
    if line.length and field.length and field.length < line.length:
        what = f"{place} takes {field.length} characters, so longer text is cut there."
        section.note(line.key, what, f"Make it {line.length} long to show all of it.", severity="warning")
    return _has_options(section, line, field)


def _has_options(section: Section, line: WriteMap, field: FieldSchema) -> bool:
    absent = missing_options(line, field)
    if not absent:
        return True
    none = field.restricted and len(absent) == len(line.options or line.values)
    what = f"{section.schema.name}.{line.path} has no option {', '.join(map(repr, absent))}"
    so = ", so it is left empty where it should say that" if field.restricted and not none else ""
    ours = "`afterword setup-crm` adds what is missing" if line.label and line.options else "Add it in the CRM"
    remedy = f"{ours}; or give one of these in `values`: {', '.join(field.options)}."
    section.note(line.key, f"{what}{so}.", remedy, severity="error" if none else "warning")
    return not none


def known(types: Types) -> tuple[tuple[str, str], ...]:
    """Return what is there in an order that does not depend on the file."""
    return tuple(sorted(types.items()))
