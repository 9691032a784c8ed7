"""Calls that write one record, and the reading of JSON records for all calls that write."""

from collections.abc import Mapping
from typing import Any

from adapters.sandbox.salesforce.calls import SalesforceCall
from adapters.sandbox.salesforce.errors import RequestError, RowError, no_such_column, not_found
from adapters.sandbox.salesforce.org.field_values import from_json
from adapters.sandbox.salesforce.org.schema import Field, OrgObjectType
from adapters.sandbox.salesforce.read_calls import several
from adapters.sandbox.web import Response, json_response

UPSERT_BODY_SINCE = 46.0
_FILE_LIKE = (".inc",)


def deserialise(call: SalesforceCall, object_type: OrgObjectType, record: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a JSON record, by the schema's names, lookups by key resolved.

    Raises RequestError for what makes the whole call unreadable (unknown or hidden field, wrong JSON type), RowError for a
    key behind which nothing is.
    """
    values: dict[str, Any] = {}
    for name, value in record.items():
        if name == "attributes":
            continue
        spec = object_type.find(name)
        if spec is not None and call.access.sees(object_type.name, spec):
            values[spec.name] = from_json(spec, value) if spec.type != "address" else value
            continue
        lookup = object_type.by_relationship(name)
        if lookup is None or not call.access.sees(object_type.name, lookup) or not isinstance(value, dict | None):
            raise no_such_column(name, object_type.name)
        values[lookup.name] = _by_key(call, object_type, lookup, value)
    return values


def _by_key(
    call: SalesforceCall, object_type: OrgObjectType, lookup: Field, value: dict[str, Any] | None
) -> str | None:
    if value is None:
        return None
    keys = {name: key for name, key in value.items() if name != "attributes"}
    kind = value.get("attributes", {}).get("type", lookup.refers_to[0])
    target = call.org.schema.find(kind)
    if target is None or len(keys) != 1:
        raise RequestError(
            "INVALID_FIELD", f"Cannot resolve relationship {lookup.relationship} on entity {object_type.name}"
        )
    (name, key), *_ = keys.items()
    spec = target.find(name)
    if spec is None or not spec.id_lookup:
        raise no_such_column(name, target.name)
    matches = call.org.records.matches(target, spec, str(key))
    if not matches:
        words = f"Foreign key external ID: {str(key).lower()} not found for field {spec.name} in entity {target.name}"
        raise RowError("INVALID_FIELD", words)
    if len(matches) > 1:
        words = f"{spec.label}: more than one record found for external id field: {[row['Id'][:15] for row in matches]}"
        raise RowError("DUPLICATE_EXTERNAL_ID", words, [spec.name])
    return str(matches[0]["Id"])


def create(call: SalesforceCall, object_type: OrgObjectType) -> Response:
    """POST sobjects/X."""
    call.wrote(object_type.name)
    record = call.json_object()
    if record.get("Id") or record.get("id"):
        raise RowError("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ["Id"])
    with call.org.commit(object_type.name):
        record_id = call.org.records.insert(object_type, deserialise(call, object_type, record), call.writer)
    where = {"Location": f"/services/data/v{call.version}/sobjects/{object_type.name}/{record_id}"}
    return json_response({"id": record_id, "success": True, "errors": []}, 201, where)


def update(call: SalesforceCall, object_type: OrgObjectType, record_id: str) -> Response:
    """PATCH sobjects/X/<id>."""
    call.wrote(object_type.name)
    record = call.json_object()
    if record.keys() & {"Id", "id"}:
        raise RequestError("INVALID_FIELD", "The Id field should not be specified in the sobject data.")
    with call.org.commit(object_type.name):
        call.org.records.update(object_type, record_id, deserialise(call, object_type, record), call.writer)
    return Response(204)


def delete(call: SalesforceCall, object_type: OrgObjectType, record_id: str) -> Response:
    """DELETE sobjects/X/<id>."""
    call.wrote(object_type.name)
    with call.org.commit(object_type.name):
        call.org.records.delete(object_type, record_id, call.writer)
    return Response(204)


def external_field(call: SalesforceCall, object_type: OrgObjectType, name: str) -> Field:
    """The key field of an upsert; raises RequestError (NOT_FOUND) when the field may not serve as one."""
    spec = object_type.find(name)
    if spec is None or not call.access.sees(object_type.name, spec) or not (spec.id_lookup or spec.external_id):
        words = f"Provided external ID field does not exist or is not accessible: {name}"
        raise RequestError("NOT_FOUND", words, status=404)
    return spec


def upsert(call: SalesforceCall, object_type: OrgObjectType, spec: Field, key: str) -> Response:
    """PATCH sobjects/X/<field>/<key>: 201 made, 200 (204 before version 46) updated, 300 when several match."""
    call.wrote(object_type.name)
    if key.endswith(_FILE_LIKE):
        raise not_found()
    record = call.json_object()
    if any(name.lower() == spec.name.lower() for name in record):
        raise RequestError("INVALID_FIELD", f"The {spec.name} field should not be specified in the sobject data.")
    matches = call.org.records.matches(object_type, spec, key)
    if len(matches) > 1:
        return several(call, object_type, matches)
    if not matches and call.request.query.get("updateOnly", "").lower() == "true":
        raise not_found()
    with call.org.commit(object_type.name):
        record_id, created = call.org.records.upsert(
            object_type, (spec, key), deserialise(call, object_type, record), call.writer
        )
    if not created and float(call.version) < UPSERT_BODY_SINCE:
        return Response(204)
    return json_response({"id": record_id, "success": True, "errors": [], "created": created}, 201 if created else 200)
