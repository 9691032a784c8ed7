"""Writing records: single ones, batches, merges and deletions."""

from collections.abc import Callable, Mapping
from typing import Any

from adapters.sandbox.hubspot.body_shapes import GDPR, MERGE, RECORD, RECORDS
from adapters.sandbox.hubspot.calls import HubSpotCall, properties_of
from adapters.sandbox.hubspot.errors import HubSpotError, could_not_get, not_found, required
from adapters.sandbox.hubspot.merges import merge
from adapters.sandbox.hubspot.portal.links import LinkType
from adapters.sandbox.hubspot.portal.schema import PortalObjectType
from adapters.sandbox.hubspot.portal.store import PortalRecord
from adapters.sandbox.hubspot.read_calls import MOST_INPUTS, input_ids, inputs_of, record_json, refuse_repeated
from adapters.sandbox.web import Response, json_response

Input = dict[str, Any]
Joins = list[tuple[PortalObjectType, int, list[LinkType]]]
_MERGEABLE = frozenset({"contacts", "companies", "deals", "tickets"})
_TRACE = "objectWriteTraceId"


def create(call: HubSpotCall, object_type: PortalObjectType) -> Response:
    """POST objects/{type}."""
    call.wrote()
    body = call.body(RECORD)
    record = _create(call, object_type, body)
    return json_response(_written(call, object_type, record, properties_of(body)), 201)


def update(call: HubSpotCall, object_type: PortalObjectType, record_id: str) -> Response:
    """PATCH objects/{type}/{id}; a merged-away id changes the survivor."""
    call.wrote()
    values = properties_of(call.body(RECORD))
    old = call.portal.records.existing(object_type, record_id, call.query.get("idProperty"))
    record = call.portal.records.update(object_type, old, values, call.writer)
    return json_response(_written(call, object_type, record, values))


def archive(call: HubSpotCall, object_type: PortalObjectType, record_id: str) -> Response:
    """DELETE objects/{type}/{id}: also for what is archived already or never was."""
    call.wrote()
    record = call.portal.records.lookup(object_type, record_id)
    if record:
        call.portal.records.archive(object_type, record, call.writer)
    return Response(204)


def merge_records(call: HubSpotCall, object_type: PortalObjectType) -> Response:
    """POST objects/{type}/merge: answers with what remains, whose id may be new."""
    call.wrote(2)
    if object_type.name not in _MERGEABLE:
        raise not_found()
    body = call.body(MERGE, "primaryObjectId", "objectIdToMerge")
    pair = (body["primaryObjectId"], body["objectIdToMerge"])
    return json_response(record_json(call, object_type, merge(call.portal, object_type, pair, call.writer)))


def gdpr_delete(call: HubSpotCall, object_type: PortalObjectType) -> Response:
    """POST objects/contacts/gdpr-delete: gone for good, and the e-mail address cannot come back."""
    call.wrote()
    if object_type.name != "contacts":
        raise not_found()
    body = call.body(GDPR, "objectId")
    key, name = body["objectId"], body.get("idProperty")
    record = call.portal.records.lookup(object_type, key, name)
    if record is None and name != "email":
        raise not_found()
    address = record.properties.get("email") if record else key.lower()
    if address:
        call.portal.records.blocked.add(address)
    if record:
        call.portal.purge(object_type.name, str(record.id))
    return Response(204)


def batch_create(call: HubSpotCall, object_type: PortalObjectType) -> Response:
    """POST objects/{type}/batch/create: all or nothing, unless every input has an objectWriteTraceId."""
    inputs = inputs_of(call.body(RECORDS, "inputs"), most=MOST_INPUTS)
    call.wrote(len(inputs))
    return _write_batch(call, inputs, lambda sent: _created(call, object_type, sent), status=201)


def batch_update(call: HubSpotCall, object_type: PortalObjectType) -> Response:
    """POST objects/{type}/batch/update: missing records are rows of errors, merged-away ones are left out silently."""
    inputs = inputs_of(call.body(RECORDS, "inputs"), most=MOST_INPUTS)
    call.wrote(len(inputs))
    refuse_repeated([sent.get("id", "") for sent in inputs])
    present, errors = _present(call, object_type, inputs)
    aliases = call.portal.store.table(object_type.name).aliases
    there = [sent for sent in present if "idProperty" in sent or int(sent["id"]) not in aliases]
    return _write_batch(call, there, lambda sent: _updated(call, object_type, sent), errors=errors, known=object_type)


def batch_upsert(call: HubSpotCall, object_type: PortalObjectType) -> Response:
    """POST objects/{type}/batch/upsert: contacts by e-mail succeed or fail together."""
    inputs = inputs_of(call.body(RECORDS, "inputs"), most=MOST_INPUTS)
    call.wrote(len(inputs))
    refuse_repeated([sent.get("id", "").lower() for sent in inputs])
    partial = not any(sent.get("idProperty") == "email" for sent in inputs)
    return _write_batch(call, inputs, lambda sent: _upserted(call, object_type, sent), partial=partial)


def batch_archive(call: HubSpotCall, object_type: PortalObjectType) -> Response:
    """POST objects/{type}/batch/archive: what is not there is no error."""
    ids = input_ids(call.body(RECORDS, "inputs"), most=MOST_INPUTS)
    call.wrote(len(ids))
    for record_id in ids:
        record = call.portal.records.lookup(object_type, record_id)
        if record:
            call.portal.records.archive(object_type, record, call.writer)
    return Response(204)


def _write_batch(
    call: HubSpotCall,
    inputs: list[Input],
    write: Callable[[Input], dict[str, Any]],
    *,
    errors: list[dict[str, Any]] | None = None,
    known: PortalObjectType | None = None,
    partial: bool = True,
    status: int = 200,
) -> Response:
    """Writes the inputs; with trace ids each fails alone, without them the first failure is that of the whole call.

    With `known` even trace ids do not save a call that names a property the object does not have.
    """
    errors = errors or []
    traced = partial and bool(inputs) and all(sent.get(_TRACE) for sent in inputs)
    if known:
        traced = traced and all(name.lower() in known.properties for sent in inputs for name in properties_of(sent))
    results = []
    with call.portal.transaction():
        for sent in inputs:
            try:
                with call.portal.transaction():
                    results.append(write(sent) | _trace(sent))
            except HubSpotError as error:
                if not traced:
                    raise
                errors.append(error.row({_TRACE: [sent[_TRACE]]}))
    return call.batch(results, errors, status=status)


def _trace(sent: Input) -> dict[str, str]:
    return {_TRACE: sent[_TRACE]} if sent.get(_TRACE) else {}


def _created(call: HubSpotCall, object_type: PortalObjectType, sent: Input) -> dict[str, Any]:
    return _written(call, object_type, _create(call, object_type, sent), properties_of(sent))


def _updated(call: HubSpotCall, object_type: PortalObjectType, sent: Input) -> dict[str, Any]:
    old = call.portal.records.existing(object_type, sent.get("id", ""), sent.get("idProperty"))
    values = properties_of(sent)
    return _written(call, object_type, call.portal.records.update(object_type, old, values, call.writer), values)


def _upserted(call: HubSpotCall, object_type: PortalObjectType, sent: Input) -> dict[str, Any]:
    key, name = sent.get("id", ""), sent.get("idProperty") or "hs_object_id"
    values = properties_of(sent)
    old = call.portal.records.lookup(object_type, key, name)
    if old:
        record = call.portal.records.update(object_type, old, values, call.writer)
    elif name == "hs_object_id":
        raise could_not_get(object_type.word, [key])
    else:
        record = call.portal.create(object_type, {name: key, **values}, call.writer)
    return _written(call, object_type, record, values) | {"new": old is None}


def _present(
    call: HubSpotCall, object_type: PortalObjectType, inputs: list[Input]
) -> tuple[list[Input], list[dict[str, Any]]]:
    """The inputs whose records are there, and the rows of errors for the others: one for all, or one for each trace id."""
    present: list[Input] = []
    missing: list[Input] = []
    for sent in inputs:
        record = call.portal.records.lookup(object_type, sent.get("id", ""), sent.get("idProperty"))
        (present if record else missing).append(sent)
    errors = [
        could_not_get(object_type.word, [sent.get("id", "")]).row({_TRACE: [sent[_TRACE]]})
        for sent in missing
        if sent.get(_TRACE)
    ]
    silent = [sent.get("id", "") for sent in missing if not sent.get(_TRACE)]
    return present, [*errors, *([could_not_get(object_type.word, silent).row()] if silent else [])]


def _create(call: HubSpotCall, object_type: PortalObjectType, body: Input) -> PortalRecord:
    joins = _joins(call, object_type, body.get("associations") or [])
    return call.portal.create(object_type, properties_of(body), call.writer, joins)


def _joins(call: HubSpotCall, object_type: PortalObjectType, written: list[Input]) -> Joins:
    """The associations of a record that is made, checked before anything is written."""
    joins: Joins = []
    for association in written:
        missing = [name for name in ("to", "types") if not association.get(name)]
        if missing:
            raise required(missing)
        target, types = call.portal.links_named(object_type, association["types"])
        joins.append((target, call.portal.records.existing(target, association["to"].get("id", "")).id, types))
    return joins


def _written(
    call: HubSpotCall, object_type: PortalObjectType, record: PortalRecord, values: Mapping[str, Any]
) -> dict[str, Any]:
    """A record that was written: what was sent, and everything calculated that it has."""
    calculated = [
        name for name in record.properties if name in object_type.properties and object_type.properties[name].read_only
    ]
    return record_json(call, object_type, record, [*values, *calculated])
