"""A mapping fitted to a live schema: `connector.ports.CrmMapping`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from connector.errors import UNFORESEEN, MappingError
from connector.model import ForeignField, Ref
from connector.ports import FieldSpec, Query, Reading, Record
from mappings.conditions import Holds
from mappings.readers import Build, Errors
from mappings.writers import Written


@dataclass(frozen=True, slots=True)
class BoundPart:
    """One thing that records of an object can be: the kind, how it is recognised, how it is read."""

    kind: str
    holds: Holds | None
    """None: every record."""
    build: Build


class _Blank(dict[str, Any]):
    """What is left of a deleted record: whatever else is asked for is empty."""

    def __missing__(self, _: str) -> None:
        return None


@dataclass(frozen=True, slots=True)
class FittedMapping:
    """See `connector.ports.CrmMapping`."""

    fingerprint: str
    form: str
    fingerprints: Mapping[str, str]
    """By object."""
    queries: Sequence[Query]
    events: frozenset[str]
    parts: Mapping[str, tuple[BoundPart, ...]]
    targets: Mapping[str, str]
    related_kinds: frozenset[str]
    written: Mapping[str, Mapping[str, Written]]
    specs: tuple[FieldSpec, ...]
    choices: Mapping[tuple[str, str], tuple[str, ...]]
    """The values that the CRM lists for a fact, by (kind, fact)."""
    fact_types: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """As what a fact is read, by (kind, fact)."""
    lacking: tuple[tuple[str, str], ...] = ()
    absent: tuple[tuple[str, str], ...] = ()
    foreign: tuple[ForeignField, ...] = ()
    won_deal_within: timedelta | None = None
    """Within which time a won deal makes an account a customer; None: the account itself says who is one."""
    others: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By target: our names for fields that others write too."""

    def fingerprint_of(self, object_name: str) -> str:
        """Return what changes when one object is read, or understood, in another way."""
        return self.fingerprints[object_name]

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def options(self, event: str, fact: str) -> tuple[str, ...]:
        """Return the values that a fact can have; () for any. The nearer to what happened counts, as for survey conditions."""
        return next((self.choices[place] for place in _places(event, fact) if place in self.choices), ())

    def fact_type(self, event: str, fact: str) -> str:
        """Return as what a fact is read; empty: the CRM does not show it."""
        return next((self.fact_types[place] for place in _places(event, fact) if place in self.fact_types), "")

    def kinds(self, object_name: str) -> tuple[str, ...]:
        """Return the kinds that records of this object can be read as."""
        return tuple(part.kind for part in self.parts.get(object_name, ()))

    def read(self, connection: str, record: Record) -> Reading:
        """Return what the record means.

        With both a value and an error, only a fact could not be understood, and is left out of the value.
        """
        parts = self.parts.get(record.object)
        if not parts:
            return Reading("", None)
        if record.deleted:
            return _read_deleted(connection, record, parts)
        kind = parts[0].kind
        if record.fault:
            return Reading(kind, None, _placed(MappingError(record.fault, field="", value=None), record))
        errors: Errors = []
        try:
            for part in parts:
                if part.holds is None or part.holds(record.fields):
                    kind = part.kind
                    value = part.build(connection, Ref(connection, record.object, record.id), record.fields, errors)
                    return Reading(kind, value, _placed(errors[0], record) if errors else None)
        except MappingError as error:
            return Reading(kind, None, _placed(error, record))
        except UNFORESEEN as error:
            what = f"it cannot be understood ({type(error).__name__})."
            return Reading(kind, None, _placed(MappingError(what, field="", value=None), record))
        return Reading(kind, None)

    # ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def object_of(self, target: str) -> str:
        """Return the CRM object that holds our ``account``, ``contact`` or ``task`` fields."""
        return self.targets[target]

    def names(self, target: str) -> frozenset[str]:
        """Return which of our fields are mapped, there and writable on a target, by our names."""
        return frozenset(self.written[target])

    def render(self, target: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values in the CRM's own form, by our names. `MappingError`: one has no such form; it names the field."""
        written = self.written[target]
        return {name: written[name].render(value) for name, value in values.items() if name in written}

    def differs(self, target: str, name: str, desired: Any, actual: Any) -> bool:
        """Tell if the CRM would see a difference between two values in its own form."""
        return not self.written[target][name].same(desired, actual)

    def shared(self, target: str) -> frozenset[str]:
        """Return which of our names on a target are written to fields that others write too."""
        return self.others.get(target, frozenset())

    def crm_field(self, target: str, name: str) -> str:
        """Return the CRM's name of one of our fields. `KeyError`: it is not mapped, or not there."""
        return self.written[target][name].field.path

    def wanted_fields(self) -> Sequence[FieldSpec]:
        """Return the fields of ours that should exist in the CRM, with those that are missing now."""
        return self.specs


def _places(event: str, fact: str) -> list[tuple[str, str]]:
    """Return where a fact can be known from, the nearest to what happened first."""
    return [(kind, fact) for kind in (event.partition(".")[0], "contact", "account")]


def _placed(error: MappingError, record: Record) -> MappingError:
    error.where = f"{record.object} {record.id}"
    return error


def _read_deleted(connection: str, record: Record, parts: Sequence[BoundPart]) -> Reading:
    """Return what can still be said of a deleted record. Of what kind it was may be lost with its fields."""
    likely = [part for part in parts if _may_be(part, record.fields)]
    if len(likely) != 1:
        return Reading((likely or parts)[0].kind, None)
    ref = Ref(connection, record.object, record.id)
    try:
        return Reading(likely[0].kind, likely[0].build(connection, ref, _Blank(record.fields), []))
    except (MappingError, *UNFORESEEN):
        return Reading(likely[0].kind, None)


def _may_be(part: BoundPart, fields: Mapping[str, Any]) -> bool:
    try:
        return part.holds is None or part.holds(fields)
    except (MappingError, *UNFORESEEN):
        return True
