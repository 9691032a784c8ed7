"""Whose the fields are that a mapping would write, from the store alone: the CRM is not asked in a lap."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from connector.model import Field, Ownership
from connector.ports import CrmMapping, CrmReader, CrmSetup, MappingSource, ObjectSchema
from connector.store import Store, Transaction
from connector.store.ops import marks, setup_log
from connector.store.outbox import fields, foreign_fields, written_fields
from connector.store.outbox.written_fields import WrittenField

NEWEST = 2_000
"""How many records are read to see whether a field holds values: some fields cannot be counted by."""
LOOKED_AT = 500
"""How many records are looked at to see what an earlier version wrote."""
_TARGETS = ("account", "contact")
Schemas = Mapping[str, ObjectSchema]


@dataclass(frozen=True, slots=True)
class Filled:
    """How many of an object's newest records hold a value in a field."""

    holds: int
    of: int

    def __str__(self) -> str:
        if not self.of:
            return "There are no records yet."
        return f"{self.holds:,} of {'the newest ' if self.of >= NEWEST else ''}{self.of:,} records hold a value in it."


def ownership(store: Store, setup: CrmSetup, mapping: MappingSource, schemas: Schemas) -> Ownership:
    """Return what is known of whose fields are. At first sight of a store that was written by an earlier version, what that wrote is
    kept: it goes on."""
    return store.write_where_needed(lambda tx: _kept(tx, setup, mapping, schemas))


def _kept(tx: Transaction, setup: CrmSetup, mapping: MappingSource, schemas: Schemas) -> Ownership:
    known = _known(tx, setup, mapping, schemas)
    if foreign_fields.kept(tx, setup.connection) is None:
        foreign_fields.keep(tx, setup.connection, known.kept)
    return known


def seen(store: Store, setup: CrmSetup, mapping: MappingSource, schemas: Schemas) -> Ownership:
    """Return the same, and note nothing."""
    with store.read() as tx:
        return _known(tx, setup, mapping, schemas)


def _known(tx: Transaction, setup: CrmSetup, mapping: MappingSource, schemas: Schemas) -> Ownership:
    made_by_us = _made(tx, setup)
    kept = foreign_fields.kept(tx, setup.connection)
    if kept is None:
        kept = _written_before(tx, setup.connection, mapping.fit(schemas)[0])
    marked = bool(made_by_us) or marks.own_runs(tx, setup.connection).adopted
    return Ownership(made=made_by_us, kept=kept, marked=marked)


def _made(tx: Transaction, setup: CrmSetup) -> frozenset[Field]:
    """Return the fields that the setup log names."""
    steps = setup.plan_undo(setup_log.results(tx, setup.connection))
    return frozenset(step.holds for step in steps if step.holds is not None)


def _written_before(tx: Transaction, crm: str, mapping: CrmMapping) -> frozenset[Field]:
    """Return the fields in which our own values stand, written by this very mapping when nobody was asked yet."""
    if written_fields.form(tx, crm) != mapping.form:
        return frozenset()
    places = set()
    for target in _TARGETS:
        names = mapping.names(target)
        for record in fields.sample(tx, crm, target, LOOKED_AT):
            for name in names & record.written.keys():
                value = record.written[name]["value"]
                if value is not None and not mapping.differs(target, name, value, record.actual.get(name)):
                    places.add((mapping.object_of(target), mapping.crm_field(target, name)))
    return frozenset(places)


def filled(reader: CrmReader, object_name: str, path: str) -> Filled:
    """Return how many of the newest records hold a value in a field, by reading them. `CrmError`: they cannot be read."""
    records = reader.newest(object_name, [path], NEWEST)
    return Filled(sum(record.fields.get(path) not in (None, "", False) for record in records), len(records))


def stale(store: Store, setup: CrmSetup, mapping: CrmMapping, schemas: Schemas) -> Iterator[WrittenField]:
    """Yield the fields that are there and still show what is written elsewhere by now, or nowhere. Left out are those named for writing
    and refused."""
    places = {(mapping.object_of(target), mapping.crm_field(target, name)) for target, name in _names(mapping)}
    places |= {(foreign_field.object, foreign_field.field) for foreign_field in mapping.foreign}
    with store.read() as tx:
        known = written_fields.history(tx, setup.connection)
    for field in known.stale(places):
        if field.object in schemas and field.path in schemas[field.object].fields:
            yield field


def _names(mapping: CrmMapping) -> Iterator[tuple[str, str]]:
    for target in _TARGETS:
        for name in mapping.names(target):
            yield target, name
