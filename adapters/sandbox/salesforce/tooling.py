"""The Tooling API, as far as setting up needs it: custom fields, page layouts, and Lightning pages to look at."""

import copy
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from adapters.sandbox.salesforce import read_calls
from adapters.sandbox.salesforce.calls import SalesforceCall
from adapters.sandbox.salesforce.errors import RequestError, RowError, not_found, unparsable
from adapters.sandbox.salesforce.org.schema import Field, OrgObjectType
from adapters.sandbox.salesforce.setup import ENTITIES
from adapters.sandbox.web import Response, json_response

_NAME = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*__c\Z")
_NAME_LIMIT = 40
_TEXT_LIMIT, _LONG_TEXT_LIMIT = 255, 131_072

Metadata = Mapping[str, Any]


def route(call: SalesforceCall, rest: Sequence[str]) -> Response:
    """Everything under tooling/."""
    match (call.request.method, *rest):
        case ("GET", "query"):
            return read_calls.run_query(call, call.request.query.get("q"), tooling=True)
        case ("GET", "query", locator):
            return read_calls.next_page(call, locator)
        case ("POST", "sobjects", "CustomField"):
            return _create_field(call)
        case ("GET", "sobjects", "CustomField" | "Layout" | "FlexiPage" as kind, record_id):
            return _read(call, call.org.object(kind), record_id)
        case ("PATCH", "sobjects", "CustomField", record_id):
            return _update_field(call, record_id)
        case ("DELETE", "sobjects", "CustomField", record_id):
            return _delete_field(call, record_id)
        case ("PATCH", "sobjects", "Layout", record_id):
            return _update_layout(call, record_id)
    raise not_found()


def _admin_only(call: SalesforceCall, kind: str) -> None:
    call.wrote(kind)
    if not call.access.admin:
        words = "You do not have the level of access necessary to perform the operation you requested."
        raise RequestError("INSUFFICIENT_ACCESS", words, status=403)


def _read(call: SalesforceCall, object_type: OrgObjectType, record_id: str) -> Response:
    row = call.org.records.existing(object_type, record_id)
    call.read(object_type.name, 1)
    address = f"/services/data/v{call.version}/tooling/sobjects/{object_type.name}/{row['Id']}"
    body: dict[str, Any] = {"attributes": {"type": object_type.name, "url": address}}
    return json_response(body | {name: row.get(name) for name in object_type.fields})


def _create_field(call: SalesforceCall) -> Response:
    _admin_only(call, "CustomField")
    body = call.json_object()
    entity, _, name = str(body.get("FullName", "")).partition(".")
    metadata = body.get("Metadata")
    if entity not in ENTITIES or not isinstance(metadata, dict):
        raise RequestError("INVALID_FIELD", f"Entity of custom field not found: {entity}")
    _check_name(call, entity, name)
    spec = field_of(name, metadata)
    if len(call.org.rows("CustomField", TableEnumOrId=entity)) >= call.org.most_fields:
        raise RowError(
            "CUSTOM_ENTITY_OR_FIELD_LIMIT", f"You have reached the maximum number of custom fields on {entity}.", []
        )
    record_id = call.org.new_field(entity, spec, dict(metadata))
    answer = {"id": record_id, "success": True, "errors": [], "warnings": [], "infos": []}
    return json_response(answer, 201)


def _check_name(call: SalesforceCall, entity: str, name: str) -> None:
    if not _NAME.match(name) or len(name) - 3 > _NAME_LIMIT:
        words = (
            "The Field Name API Name can only contain underscores and alphanumeric characters. It must be unique, begin with a "
            "letter, not include spaces, not end with an underscore, and not contain two consecutive underscores."
        )
        raise RowError("INVALID_FULLNAME" if name else "REQUIRED_FIELD_MISSING", words, ["FullName"])
    if any(holder.find(name) for holder in call.org.schema.holders(entity)):
        raise RowError(
            "DUPLICATE_DEVELOPER_NAME", f"There is already a field named {name[:-3]} on {entity}.", ["FullName"]
        )


def field_of(name: str, metadata: Metadata) -> Field:
    """The field that a piece of CustomField metadata describes.

    Raises RequestError (JSON_PARSER_ERROR) for an unknown type, RowError for what is missing or out of bounds.
    """
    kind = metadata.get("type")
    if kind not in _TYPES:
        raise unparsable("complexvalue", "VALUE_STRING", kind)
    if not metadata.get("label"):
        raise RowError("REQUIRED_FIELD_MISSING", "Required fields are missing: [Label]", ["Label"])
    common: dict[str, Any] = {
        "required": bool(metadata.get("required")),
        "external_id": bool(metadata.get("externalId")),
        "unique": bool(metadata.get("unique")),
        "case_sensitive": bool(metadata.get("caseSensitive")),
        "id_lookup": bool(metadata.get("externalId")),
        "custom": True,
        "help_text": metadata.get("inlineHelpText"),
    }
    if (common["external_id"] or common["unique"]) and kind not in {"Text", "Number", "Email"}:
        raise RowError(
            "FIELD_INTEGRITY_EXCEPTION", f"Cannot set 'externalId' for a field of type {kind}", ["externalId"]
        )
    return _TYPES[kind](name, str(metadata["label"]), metadata, common)


_Maker = Callable[[str, str, Metadata, dict[str, Any]], Field]


def _text(kind: str, limit: int) -> _Maker:
    def make(name: str, label: str, metadata: Metadata, common: dict[str, Any]) -> Field:
        length = _whole_number(metadata, "length", limit) if kind == "string" or limit > _TEXT_LIMIT else limit
        return Field(name, kind, label, length=length, **common)

    return make


def _number(kind: str) -> _Maker:
    def make(name: str, label: str, metadata: Metadata, common: dict[str, Any]) -> Field:
        precision, scale = _whole_number(metadata, "precision", 18), _whole_number(metadata, "scale", 17)
        return Field(name, kind, label, precision=precision, scale=scale, **common)

    return make


def _plain(kind: str, length: int = 0) -> _Maker:
    def make(name: str, label: str, metadata: Metadata, common: dict[str, Any]) -> Field:
        if kind == "boolean" and "defaultValue" not in metadata:
            raise RowError(
                "FIELD_INTEGRITY_EXCEPTION", "Must specify 'defaultValue' for a CustomField of type Checkbox", []
            )
        return Field(name, kind, label, length=length, **common)

    return make


def _picklist(kind: str, length: int) -> _Maker:
    def make(name: str, label: str, metadata: Metadata, common: dict[str, Any]) -> Field:
        chosen = metadata.get("valueSet") or {}
        definition = chosen.get("valueSetDefinition") or {}
        values = tuple(str(value.get("valueName") or value.get("fullName")) for value in definition.get("value", ()))
        if not values:
            raise RowError(
                "FIELD_INTEGRITY_EXCEPTION", "Must specify a value set for a CustomField of type Picklist", []
            )
        return Field(
            name, kind, label, length=length, values=values, restricted=bool(chosen.get("restricted")), **common
        )

    return make


def _lookup(name: str, label: str, metadata: Metadata, common: dict[str, Any]) -> Field:
    if not metadata.get("referenceTo"):
        raise RowError("FIELD_INTEGRITY_EXCEPTION", "Must specify 'referenceTo' for a CustomField of type Lookup", [])
    return Field(name, "reference", label, length=18, refers_to=(metadata["referenceTo"],), **common)


_TYPES: dict[Any, _Maker] = {
    "Text": _text("string", _TEXT_LIMIT),
    "TextArea": _text("textarea", _TEXT_LIMIT),
    "LongTextArea": _text("textarea", _LONG_TEXT_LIMIT),
    "Number": _number("double"),
    "Currency": _number("currency"),
    "Percent": _number("percent"),
    "Checkbox": _plain("boolean"),
    "Date": _plain("date"),
    "DateTime": _plain("datetime"),
    "Url": _plain("url", 255),
    "Email": _plain("email", 80),
    "Phone": _plain("phone", 40),
    "Picklist": _picklist("picklist", 255),
    "MultiselectPicklist": _picklist("multipicklist", 4099),
    "Lookup": _lookup,
}


def _whole_number(metadata: Metadata, name: str, most: int) -> int:
    value = metadata.get(name)
    if value is None:
        raise RowError(
            "FIELD_INTEGRITY_EXCEPTION", f"Must specify '{name}' for a CustomField of type {metadata['type']}", [name]
        )
    if not isinstance(value, int) or not 0 <= value <= most:
        raise RowError("NUMBER_OUTSIDE_VALID_RANGE", f"{name}: value outside of valid range", [name])
    return value


def _update_field(call: SalesforceCall, record_id: str) -> Response:
    _admin_only(call, "CustomField")
    row = call.org.records.existing(call.org.object("CustomField"), record_id)
    metadata = call.json_object().get("Metadata")
    if not isinstance(metadata, dict):
        raise RequestError("INVALID_FIELD", "Metadata is required")
    call.org.change_field(row, field_of(row["DeveloperName"] + "__c", metadata), metadata)
    return Response(204)


def _delete_field(call: SalesforceCall, record_id: str) -> Response:
    _admin_only(call, "CustomField")
    call.org.drop_field(call.org.records.existing(call.org.object("CustomField"), record_id))
    return Response(204)


def _update_layout(call: SalesforceCall, record_id: str) -> Response:
    _admin_only(call, "Layout")
    row = call.org.records.existing(call.org.object("Layout"), record_id)
    metadata = call.json_object().get("Metadata")
    if not isinstance(metadata, dict) or not metadata.get("layoutSections"):
        raise RequestError("INVALID_FIELD", "Metadata with layoutSections is required")
    fields = list(layout_fields(metadata))
    for name in fields:
        object_type = call.org.object(row["TableEnumOrId"])
        if object_type.find(name) is None:
            raise RowError(
                "FIELD_INTEGRITY_EXCEPTION",
                f"In field: field - no CustomField named {object_type.name}.{name} found",
                [],
            )
        if fields.count(name) > 1:
            raise RowError("FIELD_INTEGRITY_EXCEPTION", f"Field:{name} is specified more than once in the layout", [])
    call.org.store.put("Layout", {**row, "Metadata": copy.deepcopy(metadata), "SystemModstamp": call.org.now()})
    return Response(204)


def layout_fields(metadata: Metadata) -> Iterator[str]:
    """The fields that a layout shows, in order."""
    for section in metadata.get("layoutSections", ()):
        for column in section.get("layoutColumns") or ():
            for item in column.get("layoutItems") or ():
                if item.get("field"):
                    yield item["field"]
