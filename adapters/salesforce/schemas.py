"""What an object looks like in this org, to this user."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from adapters.salesforce.http.client import SalesforceClient, expect_object
from adapters.salesforce.records import soql
from connector.errors import CrmError, SchemaChanged
from connector.model import MissingRight
from connector.ports import FieldSchema, Needs, ObjectSchema

_TYPES: Mapping[str, str] = {
    "string": "text",
    "textarea": "text",
    "encryptedstring": "text",
    "combobox": "text",
    "int": "number",
    "long": "number",
    "double": "number",
    "currency": "number",
    "percent": "number",
    "boolean": "boolean",
    "date": "date",
    "datetime": "datetime",
    "picklist": "picklist",
    "multipicklist": "multipicklist",
    "reference": "reference",
    "url": "url",
    "email": "email",
    "phone": "phone",
    "id": "id",
}
_STAMPS = ("SystemModstamp", "LastModifiedDate", "CreatedDate")
_MERGEABLE = frozenset({"Account", "Contact", "Lead", "Case", "Individual"})
"""Objects with a MasterRecordId, by Salesforce's Object Reference."""
_ACTIVITIES = frozenset({"Task", "Event"})
_LONGEST = 1 << 24
"""Characters; Salesforce keeps 131,072 at most."""
_NEVER_DELETED = frozenset({"User"})
_TRAITS = ("isdeleted", "masterrecordid", *map(str.lower, _STAMPS))


@dataclass(frozen=True, slots=True)
class Traits:
    """What reading an object's changes depends on."""

    stamp: str
    """The field that moves with every change."""
    deletable: bool
    mergeable: bool

    @classmethod
    def usual(cls, object_name: str) -> "Traits":
        """Return what holds in nearly every org, so that reading need not begin with a describe."""
        return cls(_STAMPS[0], deletable=object_name not in _NEVER_DELETED, mergeable=object_name in _MERGEABLE)

    @classmethod
    def of(cls, schema: ObjectSchema, where: str) -> "Traits":
        """Derive from the schema. `SchemaChanged`: the object has no stamp that a listing could follow."""
        fields = schema.fields
        stamp = next((name for name in _STAMPS if name in fields and fields[name].filterable), None)
        if stamp is None:
            what = f"{schema.name} has no time of change that can be filtered by."
            raise SchemaChanged(what, where=where, object_name=schema.name, field=_STAMPS[0])
        return cls(stamp, "IsDeleted" in fields, "MasterRecordId" in fields)


@dataclass(frozen=True, slots=True)
class FieldKind:
    """What Salesforce itself calls a field's type, and where a lookup leads."""

    type: str
    relationship: str = ""
    references: tuple[str, ...] = ()


class SalesforceSchemas:
    """Asks for schemas, and remembers the traits that they show."""

    def __init__(self, client: SalesforceClient) -> None:
        self._client = client
        self._traits: dict[str, Traits] = {}
        self._kinds: dict[str, Mapping[str, FieldKind]] = {}

    def describe(self, object_name: str) -> ObjectSchema:
        """Return the live schema. `SchemaChanged`: no such object, or hidden from us."""
        call = f"describe {object_name}"
        try:
            answer = self._client.read(f"sobjects/{soql.name(object_name)}/describe", call=call)
        except SchemaChanged as error:
            raise _no_object(object_name, error) from error
        raw = expect_object(answer, self._client.where(call))
        schema = object_schema(raw)
        self._kinds[object_name] = {str(field["name"]).lower(): _kind(field) for field in raw.get("fields") or ()}
        # One that has no time of change is there all the same, and to be told from one that is hidden.
        with suppress(SchemaChanged):
            self._traits[object_name] = Traits.of(schema, self._client.where(call))
        return schema

    def missing_rights(self, needs: Needs) -> list[MissingRight]:
        """Return the rights to objects that the user lacks. Without the right to read there is no object to describe."""
        missing = []
        for name, rights in needs.items():
            try:
                schema = self.describe(name)
            except SchemaChanged:
                missing.append(_right("Read", name))
                continue
            missing += [_right("Create", name)] if "create" in rights and not schema.createable else []
            missing += [_right("Edit", name)] if "update" in rights and not schema.updateable else []
        return missing

    def traits(self, object_name: str) -> Traits:
        """Return what was last seen, or else what is usual; `corrected` finds out when that is wrong."""
        return self._traits.get(object_name) or Traits.usual(object_name)

    def kinds(self, object_name: str) -> Mapping[str, FieldKind]:
        """Return the kinds of an object's fields by their names in lower case; asks only if the object was not described yet."""
        if object_name not in self._kinds:
            self.describe(object_name)
        return self._kinds[object_name]

    def corrected(self, object_name: str, used: Traits, error: CrmError) -> Traits:
        """Return the real traits after a query by those `used` was refused; raises its error when they are not the cause."""
        if not any(name in str(error).lower() for name in _TRAITS):
            raise error
        if self.traits(object_name) == used:
            self.describe(object_name)
        if self.traits(object_name) == used:
            raise error
        return self.traits(object_name)


def _kind(field: Mapping[str, Any]) -> FieldKind:
    return FieldKind(_text(field.get("type")), _text(field.get("relationshipName")), _texts(field.get("referenceTo")))


def _right(right: str, object_name: str) -> MissingRight:
    """Return a right with the way to it. Activities have none of their own: they go by a system permission."""
    start = "Setup > Users > Permission Sets > (one of the integration user's)"
    if object_name in _ACTIVITIES:
        return MissingRight(
            f"{right} on {object_name}", f"Grant Edit Tasks or Edit Events: {start} > System Permissions."
        )
    return MissingRight(f"{right} on {object_name}", f"Grant it: {start} > Object Settings > {object_name} > Edit.")


def _no_object(object_name: str, error: CrmError) -> SchemaChanged:
    what = f"there is no object {object_name}, or it is hidden from us."
    remedy = "Check its name in the mapping, and that the integration user may read it."
    return SchemaChanged(what, where=error.where, remedy=remedy, object_name=object_name)


def object_schema(raw: Mapping[str, Any]) -> ObjectSchema:
    """Return the schema that a describe answer holds."""
    fields = [field_schema(field) for field in raw.get("fields") or ()]
    return ObjectSchema(
        name=str(raw["name"]),
        label=str(raw.get("label") or raw["name"]),
        fields={field.name: field for field in fields},
        createable=bool(raw.get("createable", True)),
        updateable=bool(raw.get("updateable", True)),
    )


def field_schema(raw: Mapping[str, Any]) -> FieldSchema:
    """Return one field. Salesforce has no flag for "required": it is what must be given and is not filled in by itself."""
    kind = _TYPES.get(_text(raw.get("type")), "other")
    createable = bool(raw.get("createable"))
    fills_itself = raw.get("nillable", True) or raw.get("defaultedOnCreate", False)
    return FieldSchema(
        name=str(raw["name"]),
        label=str(raw.get("label") or raw["name"]),
        type=kind,
        length=_number(raw.get("length")) or None,
        precision=(_number(raw.get("precision")) or _number(raw.get("digits")) or None) if kind == "number" else None,
        scale=_number(raw.get("scale")) if kind == "number" else None,
        options=_active_options(raw),
        restricted=bool(raw.get("restrictedPicklist")),
        required=createable and not fills_itself,
        createable=createable,
        updateable=bool(raw.get("updateable")),
        filterable=bool(raw.get("filterable", True)),
        unique=bool(raw.get("unique")),
        external_id=bool(raw.get("externalId")),
        calculated=bool(raw.get("calculated")),
        references=_texts(raw.get("referenceTo")),
    )


def _active_options(raw: Mapping[str, Any]) -> tuple[str, ...]:
    options = raw.get("picklistValues") or ()
    return tuple(str(option["value"]) for option in options if option.get("active", True))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _number(value: Any) -> int:
    """Return a length or a number of digits; 0 for what cannot be one."""
    return value if isinstance(value, int) and 0 <= value <= _LONGEST else 0
