"""Field paths: from the words of a query to a function that reads the value out of a record."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.sandbox.salesforce.errors import RequestError
from adapters.sandbox.salesforce.org.permissions import UserAccess
from adapters.sandbox.salesforce.org.schema import Field, OrgObjectType, OrgSchema
from adapters.sandbox.salesforce.org.store import OrgStore, Row
from adapters.sandbox.salesforce.soql import Path, SoqlQuery, excerpt

Getter = Callable[[Row], Any]
# Through a lookup that may point to several objects only these are reached, whatever the record is.
NAME_FIELDS = {
    spec.name: spec
    for spec in (
        Field("Id", "id", "Record ID", length=18),
        Field("Name", "string", "Full Name", length=255),
        Field("FirstName", "string", "First Name", length=40),
        Field("LastName", "string", "Last Name", length=80),
        Field("Email", "email", "Email", length=80),
        Field("Phone", "phone", "Phone", length=40),
        Field("Title", "string", "Title", length=128),
        Field("Alias", "string", "Alias", length=8),
        Field("Username", "string", "Username", length=80),
        Field("IsActive", "boolean", "Active"),
        Field("Type", "picklist", "Type", length=40),
    )
}
_ADDRESS = ("Street", "City", "State", "PostalCode", "Country")


@dataclass(frozen=True)
class Reached:
    """The end of a path: the field, and how to read it from a record of the queried object."""

    spec: Field
    get: Getter
    object: str


class Paths:
    """Resolves the paths of one query for one user."""

    def __init__(self, store: OrgStore, schema: OrgSchema, access: UserAccess, query: SoqlQuery) -> None:
        self._store = store
        self._schema = schema
        self._access = access
        self._query = query

    def resolve(self, object_type: OrgObjectType, path: Path) -> Reached:
        """The field behind a path.

        Raises RequestError (INVALID_FIELD) for a field or relationship that does not exist or is hidden.
        """
        parts = path.parts
        if len(parts) > 1 and parts[0].lower() in {(self._query.alias or "").lower(), object_type.name.lower()}:
            parts = parts[1:]
        steps: list[Callable[[Row], Row | None]] = []
        for name in parts[:-1]:
            lookup = self._lookup(object_type, name, path)
            steps.append(self._parent(lookup))
            if lookup.polymorphic:
                return self._of_name(object_type, parts, path, steps)
            object_type = self._schema.objects[lookup.refers_to[0]]
        spec = object_type.find(parts[-1])
        if spec is None or not self._access.sees(object_type.name, spec):
            raise self._no_column(parts[-1], object_type.name, path)
        return Reached(spec, _through(steps, self.getter(object_type, spec)), object_type.name)

    def getter(self, object_type: OrgObjectType, spec: Field) -> Getter:
        """How to read a field of a record of its own object."""
        name = spec.name
        if spec.path:
            lookup, _, far = spec.path.partition(".")
            step = self._parent(object_type.by_relationship(lookup) or spec)
            return _through([step], lambda row: row.get(far))
        if spec.type == "boolean":
            return lambda row: row.get(name, False)
        if spec.type == "address":
            return _address(name.removesuffix("Address"))
        return lambda row: row.get(name)

    def _lookup(self, object_type: OrgObjectType, name: str, path: Path) -> Field:
        lookup = object_type.by_relationship(name)
        if lookup is None or not self._access.sees(object_type.name, lookup):
            words = (
                f"Didn't understand relationship '{name}' in field path. If you are attempting to use a custom relationship, be "
                "sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call "
                "for the appropriate names."
            )
            raise RequestError("INVALID_FIELD", excerpt(self._query.text, path.column) + words)
        return lookup

    def _parent(self, lookup: Field) -> Callable[[Row], Row | None]:
        name, store, schema = lookup.name, self._store, self._schema
        if not lookup.polymorphic:
            rows = store.table(lookup.refers_to[0]).rows
            return lambda row: rows.get(row.get(name, ""))

        def find(row: Row) -> Row | None:
            record_id = row.get(name, "")
            target = schema.by_id(record_id)
            return store.get(target.name, record_id) if target else None

        return find

    def _of_name(self, object_type: OrgObjectType, parts: tuple[str, ...], path: Path, steps: list[Any]) -> Reached:
        wanted = next((spec for name, spec in NAME_FIELDS.items() if name.lower() == parts[-1].lower()), None)
        if wanted is None or len(parts) > len(steps) + 1:
            raise self._no_column(parts[-1], "Name", path)
        if wanted.name == "Type":
            by_id = self._schema.by_id
            return Reached(wanted, _through(steps, lambda row: getattr(by_id(row["Id"]), "name", None)), "Name")
        if wanted.name == "Name":
            return Reached(wanted, _through(steps, lambda row: self._name_of(row)), "Name")
        name = wanted.name
        return Reached(wanted, _through(steps, lambda row: row.get(name)), object_type.name)

    def _name_of(self, row: Row) -> Any:
        target = self._schema.by_id(row["Id"])
        name_field = target.name_field if target else None
        return row.get(name_field.name) if name_field else None

    def _no_column(self, name: str, entity: str, path: Path) -> RequestError:
        words = (
            f"No such column '{name}' on entity '{entity}'. If you are attempting to use a custom field, be sure to append the "
            "'__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names."
        )
        return RequestError("INVALID_FIELD", excerpt(self._query.text, path.column) + words)


def _through(steps: list[Callable[[Row], Row | None]], last: Getter) -> Getter:
    if not steps:
        return last

    def get(row: Row) -> Any:
        reached: Row | None = row
        for step in steps:
            reached = step(reached) if reached is not None else None
        return last(reached) if reached is not None else None

    return get


def _address(prefix: str) -> Getter:
    keys = {part[0].lower() + part[1:]: prefix + part for part in _ADDRESS}

    def get(row: Row) -> Mapping[str, Any] | None:
        parts = {name: row.get(key) for name, key in keys.items()}
        return parts | {"geocodeAccuracy": None, "latitude": None, "longitude": None} if any(parts.values()) else None

    return get
