"""Collections: up to 200 records in one call, each with a result of its own, in the order in which they were sent."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import pairwise
from typing import Any

from adapters.sandbox.salesforce.calls import SalesforceCall
from adapters.sandbox.salesforce.errors import RequestError, RowError, SalesforceError, not_found
from adapters.sandbox.salesforce.org.ids import to_18, well_formed
from adapters.sandbox.salesforce.org.schema import Field, OrgObjectType
from adapters.sandbox.salesforce.read_calls import shown
from adapters.sandbox.salesforce.rows import as_row_error
from adapters.sandbox.salesforce.write_calls import deserialise, external_field
from adapters.sandbox.web import Response, json_response

MOST_RECORDS = 200
MOST_CHUNKS = 10

Outcome = dict[str, Any]


class _RolledBack(Exception):
    """Leaves the transaction of a collection that must hold as a whole."""


def collection(call: SalesforceCall, rest: Sequence[str]) -> Response:
    """Everything under composite/sobjects."""
    method = call.request.method
    if method == "DELETE" and not rest:
        return _delete(call)
    if method == "POST" and not rest:
        return _write(call, "insert", None)
    if method == "PATCH" and not rest:
        return _write(call, "update", None)
    if method == "PATCH" and len(rest) == 2:
        object_type = call.org.object(rest[0])
        return _write(call, "upsert", external_field(call, object_type, rest[1]))
    if method in {"GET", "POST"} and len(rest) == 1:
        return _retrieve(call, call.org.object(rest[0]))
    raise RequestError("METHOD_NOT_ALLOWED", f"HTTP Method '{method}' not allowed.", status=405)


def _write(call: SalesforceCall, operation: str, key: Field | None) -> Response:
    body = call.json_object()
    records = body.get("records")
    if not isinstance(records, list) or not records:
        raise RequestError("INVALID_INPUT", "Request must contain at least one record")
    _limit(len(records))
    kinds = [call.org.object(_kind(record)) for record in records]
    _limit_chunks(kinds)
    call.wrote(kinds[0].name, len(records))
    rows = [_readable(call, object_type, record) for object_type, record in zip(kinds, records, strict=True)]
    twice = _keys_used_twice(rows, key) if operation != "insert" else set()
    works = [partial(_one, call, operation, key, item, twice) for item in zip(kinds, rows, strict=True)]

    return json_response(_write_each(call, kinds[0].name, works, body.get("allOrNone")))


def _kind(record: Any) -> str:
    kind = record.get("attributes", {}).get("type") if isinstance(record, dict) else None
    if not isinstance(kind, str):
        raise RequestError("INVALID_INPUT", "Include an attributes property with type for each record")
    return kind


def _limit(count: int) -> None:
    if count > MOST_RECORDS:
        words = f"record limit reached. cannot submit more than {MOST_RECORDS} records into this call"
        raise RequestError("EXCEEDED_ID_LIMIT", words)


def _limit_chunks(kinds: list[OrgObjectType]) -> None:
    changes = sum(1 for before, after in pairwise(kinds) if before is not after)
    if changes >= MOST_CHUNKS:
        raise RequestError("INVALID_INPUT", f"Cannot have more than {MOST_CHUNKS} chunks in a single operation.")


def _readable(call: SalesforceCall, object_type: OrgObjectType, record: dict[str, Any]) -> dict[str, Any] | RowError:
    """The values of one record; what cannot be read fails the whole call, a missing parent only the record."""
    try:
        return deserialise(call, object_type, record)
    except RowError as error:
        return error


def _keys_used_twice(rows: list[dict[str, Any] | RowError], key: Field | None) -> set[str]:
    name = key.name if key else "Id"
    counted = Counter(str(row.get(name, "")).lower() for row in rows if isinstance(row, dict))
    return {value for value, times in counted.items() if times > 1 and value}


def _one(
    call: SalesforceCall, operation: str, key: Field | None, item: tuple[OrgObjectType, Any], twice: set[str]
) -> Outcome:
    object_type, row = item
    if isinstance(row, RowError):
        raise row
    values = dict(row)
    if operation == "insert":
        return _done(call.org.records.insert(object_type, values, call.writer))
    if operation == "upsert" and key is not None and key.name != "Id":
        text = values.pop(key.name, None)
        if text is None:
            raise RowError("MISSING_ARGUMENT", f"{key.name} not specified", [])
        if str(text).lower() in twice:
            raise RowError("DUPLICATE_VALUE", f"Duplicate external id specified: {text}", [key.name])
        record_id, created = call.org.records.upsert(object_type, (key, text), values, call.writer)
        return _done(record_id) | {"created": created}
    record_id = values.pop("Id", None)
    if not record_id:
        raise RowError("MISSING_ARGUMENT", "Id not specified in an update call", [])
    if record_id.lower() in twice:
        raise RowError("DUPLICATE_VALUE", f"duplicate id in list: {record_id}", ["Id"])
    return _done(call.org.records.update(object_type, record_id, values, call.writer))


def _done(record_id: str) -> Outcome:
    return {"id": record_id, "success": True, "errors": []}


def failed(error: RowError) -> Outcome:
    """The result of a refused record; it carries no id."""
    return {"success": False, "errors": [error.row()]}


def _write_each(
    call: SalesforceCall, name: str, works: Sequence[Callable[[], Outcome]], all_or_none: object
) -> list[Outcome]:
    """Does every work in a transaction of its own; with `all_or_none` one failure undoes all."""
    results: list[Outcome] = []
    with suppress(_RolledBack), call.org.commit(name):
        for work in works:
            try:
                with call.org.store.transaction():
                    results.append(work())
            except SalesforceError as error:
                results.append(failed(as_row_error(error)))
        if all_or_none and not all(result["success"] for result in results):
            raise _RolledBack
    if all_or_none and not all(result["success"] for result in results):
        results = [_rolled_back() if result["success"] else result for result in results]
    return results


def _rolled_back() -> Outcome:
    words = "Record rolled back because not all records were valid and the request was using AllOrNone header"
    return failed(RowError("ALL_OR_NONE_OPERATION_ROLLED_BACK", words))


def _delete(call: SalesforceCall) -> Response:
    query = call.request.query
    ids = [record_id.strip() for record_id in query.get("ids", "").split(",") if record_id.strip()]
    _limit(len(ids))
    call.wrote(_object_of(call, ids[0]).name if ids else None, len(ids))

    def delete(record_id: str) -> Outcome:
        call.org.records.delete(_object_of(call, record_id), record_id, call.writer)
        return _done(to_18(record_id))

    works = [partial(delete, record_id) for record_id in ids]
    return json_response(
        _write_each(call, call.note.sobject or "", works, query.get("allOrNone", "").lower() == "true")
    )


def _object_of(call: SalesforceCall, record_id: str) -> OrgObjectType:
    object_type = call.org.schema.by_id(record_id) if well_formed(record_id) else None
    if object_type is None:
        raise RowError("MALFORMED_ID", f"malformed id {record_id}")
    return object_type


def _retrieve(call: SalesforceCall, object_type: OrgObjectType) -> Response:
    if call.request.method == "GET":
        query = call.request.query
        ids, fields = query.get("ids", "").split(","), query.get("fields", "Id").split(",")
    else:
        body = call.json_object()
        ids, fields = body.get("ids", []), body.get("fields", [])
    if not ids or not fields:
        raise RequestError("MISSING_ARGUMENT", "ids and fields must be specified")
    call.read(object_type.name, len(ids))
    return json_response([_retrieved(call, object_type, record_id, fields) for record_id in ids])


def _retrieved(
    call: SalesforceCall, object_type: OrgObjectType, record_id: str, fields: list[str]
) -> dict[str, Any] | None:
    try:
        return shown(call, object_type, call.org.records.existing(object_type, record_id), fields)
    except RowError:
        return None
    except RequestError as error:
        if error.code == not_found().code:
            return None
        raise
