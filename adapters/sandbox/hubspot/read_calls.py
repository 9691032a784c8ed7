"""Reading records: lists, single ones, batches and searches."""

from collections.abc import Iterable, Sequence
from typing import Any

from adapters.sandbox.hubspot.body_shapes import RECORDS, SEARCH
from adapters.sandbox.hubspot.calls import HubSpotCall
from adapters.sandbox.hubspot.errors import (
    HubSpotError,
    could_not_get,
    not_found,
    repeated_ids,
    too_many_inputs,
)
from adapters.sandbox.hubspot.portal.property_values import iso
from adapters.sandbox.hubspot.portal.schema import PortalObjectType
from adapters.sandbox.hubspot.portal.store import PortalRecord
from adapters.sandbox.hubspot.records import HISTORY_KEPT
from adapters.sandbox.hubspot.search import LONGEST_BODY, SearchRequest
from adapters.sandbox.web import Response, json_response

MOST_INPUTS, MOST_WITH_HISTORY, ASSOCIATIONS_LISTED = 100, 50, 100
BODY_SCOPE = "sales-email-read"


def record_json(
    call: HubSpotCall, object_type: PortalObjectType, record: PortalRecord, names: Iterable[str] | None = None
) -> dict[str, Any]:
    """A record on the wire: the named properties, or the usual ones; what is known and empty is null."""
    wanted = (
        object_type.default if names is None else (*names, object_type.created, object_type.modified, "hs_object_id")
    )
    known = sorted({name for wanted_name in wanted if (name := wanted_name.lower()) in object_type.properties})
    answer: dict[str, Any] = {
        "id": str(record.id),
        "properties": {name: _value(call, object_type, record, name) for name in known},
        "createdAt": iso(record.created),
        "updatedAt": iso(record.modified),
        "archived": record.archived is not None,
        "url": f"https://app.hubspot.com/contacts/{call.portal.portal_id}/record/{object_type.type_id}/{record.id}",
    }
    return answer | ({"archivedAt": iso(record.archived)} if record.archived is not None else {})


def list_records(call: HubSpotCall, object_type: PortalObjectType) -> Response:
    """GET objects/{type}: live records, or archived ones alone, by id."""
    history = call.listed("propertiesWithHistory")
    limit = call.number("limit", 10, most=MOST_WITH_HISTORY if history else MOST_INPUTS)
    records = call.portal.store.table(object_type.name).after(call.after(), limit + 1, archived=call.flag("archived"))
    call.read(min(limit, len(records)))
    answer: dict[str, Any] = {"results": [_with_all(call, object_type, record, history) for record in records[:limit]]}
    if len(records) > limit:
        answer["paging"] = call.next_page(str(records[limit - 1].id))
    return json_response(answer)


def get_record(call: HubSpotCall, object_type: PortalObjectType, record_id: str) -> Response:
    """GET objects/{type}/{id}: a merged-away id answers with the survivor."""
    if call.flag("archived"):
        row = call.portal.store.table(object_type.name).rows.get(int(record_id)) if record_id.isdecimal() else None
        record = row if row and row.archived is not None else None
    else:
        record = call.portal.records.lookup(object_type, record_id, call.query.get("idProperty"))
    if record is None:
        raise not_found()
    call.read(1)
    return json_response(_with_all(call, object_type, record, call.listed("propertiesWithHistory")))


def batch_read(call: HubSpotCall, object_type: PortalObjectType) -> Response:
    """POST objects/{type}/batch/read: results by id, one row of errors for all that is missing."""
    body = call.body(RECORDS, "inputs")
    history = body.get("propertiesWithHistory") or []
    texts = input_ids(body, most=MOST_WITH_HISTORY if history else MOST_INPUTS)
    records_by_text = {text: _asked_record(call, object_type, text, body.get("idProperty")) for text in texts}
    records = {record.id: record for record in records_by_text.values() if record}
    call.read(len(records))
    results = [
        record_json(call, object_type, records[record_id], body.get("properties") or None)
        | _history(call, object_type, records[record_id], history)
        for record_id in sorted(records)
    ]
    missing = [text for text, record in records_by_text.items() if record is None]
    return call.batch(results, [could_not_get(object_type.word, missing).row()] if missing else [])


def search(call: HubSpotCall, object_type: PortalObjectType) -> Response:
    """POST objects/{type}/search."""
    if len(call.request.body) > LONGEST_BODY:
        raise HubSpotError(f"The request body is longer than {LONGEST_BODY} characters.")
    body = call.body(SEARCH)
    page = SearchRequest(call.portal, object_type, body).run()
    call.read(len(page.records))
    results = [record_json(call, object_type, record, body.get("properties") or None) for record in page.records]
    answer: dict[str, Any] = {"total": page.total, "results": results}
    if page.following is not None:
        answer["paging"] = {"next": {"after": str(page.following)}}
    return json_response(answer)


def input_ids(body: dict[str, Any], *, most: int) -> list[str]:
    """The ids of a batch's inputs; raises HubSpotError when there are too many or one comes twice."""
    inputs = inputs_of(body, most=most)
    ids = [sent.get("id", "") for sent in inputs]
    refuse_repeated(ids)
    return ids


def inputs_of(body: dict[str, Any], *, most: int) -> list[dict[str, Any]]:
    """The inputs of a batch; raises HubSpotError."""
    inputs: list[dict[str, Any]] = body["inputs"]
    if len(inputs) > most:
        raise too_many_inputs(most)
    return inputs


def refuse_repeated(ids: Sequence[str]) -> None:
    """Raises HubSpotError when an id comes twice."""
    repeated = sorted({record_id for record_id in ids if ids.count(record_id) > 1})
    if repeated:
        raise repeated_ids(repeated)


def associated(
    call: HubSpotCall, object_type: PortalObjectType, record: PortalRecord, names: Sequence[str]
) -> dict[str, Any]:
    """The `associations` of a record in a list: an entry for each type of each association."""
    associations: dict[str, Any] = {}
    for name in names:
        target = call.portal.object(name)
        types = {link_type.type_id: link_type.name for link_type in call.portal.links.types(object_type, target)}
        table = call.portal.store.table(target.name)
        joined = call.portal.links.of(object_type.name, record.id, target.name)
        live = sorted(other_id for other_id in joined if table.alive(other_id))
        entries = [
            {"id": str(other_id), "type": types[kind]}
            for other_id in live[:ASSOCIATIONS_LISTED]
            for kind in joined[other_id]
        ]
        if entries:
            associations[target.name.replace("_", " ")] = {"results": entries} | _more(call, record, target, live)
    return {"associations": associations} if associations else {}


def _more(call: HubSpotCall, record: PortalRecord, target: PortalObjectType, live: Sequence[int]) -> dict[str, Any]:
    if len(live) <= ASSOCIATIONS_LISTED:
        return {}
    after = str(live[ASSOCIATIONS_LISTED - 1])
    host = call.request.headers.get("host", "localhost")
    base = call.request.path.rstrip("/").removesuffix(f"/{record.id}")
    link = f"https://{host}{base}/{record.id}/associations/{target.name}?after={after}"
    return {"paging": {"next": {"after": after, "link": link}}}


def _with_all(
    call: HubSpotCall, object_type: PortalObjectType, record: PortalRecord, history: Sequence[str]
) -> dict[str, Any]:
    answer = record_json(call, object_type, record, call.listed("properties") or None)
    return (
        answer
        | _history(call, object_type, record, history)
        | associated(call, object_type, record, call.listed("associations"))
    )


def _asked_record(
    call: HubSpotCall, object_type: PortalObjectType, text: str, id_property: str | None
) -> PortalRecord | None:
    if call.flag("archived"):
        row = call.portal.store.table(object_type.name).rows.get(int(text)) if text.isdecimal() else None
        return row if row and row.archived is not None else None
    return call.portal.records.lookup(object_type, text, id_property)


def _value(call: HubSpotCall, object_type: PortalObjectType, record: PortalRecord, name: str) -> str | None:
    if object_type.properties[name].is_mail_body and not call.token.may([BODY_SCOPE]):
        return None
    return call.portal.records.value(object_type, record, name)


def _history(
    call: HubSpotCall, object_type: PortalObjectType, record: PortalRecord, names: Sequence[str]
) -> dict[str, Any]:
    if not names:
        return {}
    known = [name for name in names if name in object_type.properties]
    return {"propertiesWithHistory": {name: _versions(call, object_type, record, name) for name in known}}


def _versions(
    call: HubSpotCall, object_type: PortalObjectType, record: PortalRecord, name: str
) -> list[dict[str, Any]]:
    versions = [
        {
            "value": revision.values[name],
            "timestamp": iso(revision.at),
            "sourceType": revision.source,
            **({"updatedByUserId": revision.user} if revision.user is not None else {}),
        }
        for revision in reversed(record.history)
        if name in revision.values
    ]
    value = call.portal.records.value(object_type, record, name)
    if not versions and value is not None:
        versions = [{"value": value, "timestamp": iso(record.created), "sourceType": "CALCULATED"}]
    return versions[:HISTORY_KEPT]
