"""The calls about associations, in the shapes of v3, v4 and the dated versions."""

from collections.abc import Callable, Mapping
from typing import Any

from adapters.sandbox.hubspot.body_shapes import JOINED, LABEL, PARTED, SPEC, STARTS, shaped
from adapters.sandbox.hubspot.calls import HubSpotCall
from adapters.sandbox.hubspot.errors import HubSpotError, not_found, required
from adapters.sandbox.hubspot.portal.links import LinkType
from adapters.sandbox.hubspot.portal.schema import PortalObjectType
from adapters.sandbox.hubspot.portal.store import PortalRecord
from adapters.sandbox.hubspot.read_calls import inputs_of, refuse_repeated
from adapters.sandbox.web import Response, json_response

MOST_READ, MOST_WRITTEN, MOST_PER_PAGE = 1_000, 2_000, 500
Input = dict[str, Any]
Ends = tuple[PortalObjectType, PortalObjectType]


def of_record(call: HubSpotCall, object_type: PortalObjectType, record_id: str, rest: list[str]) -> Response:
    """Everything under objects/{type}/{id}/associations."""
    match (call.request.method, *rest):
        case ("GET", other):
            return _listed(call, (object_type, call.object(other)), record_id)
        case ("PUT", "default", other, other_id):
            ends = (object_type, call.object(other, write=True))
            call.wrote()
            return call.batch(_join_plainly(call, ends, record_id, other_id), [])
        case ("PUT", other, other_id):
            return _labelled(call, (object_type, call.object(other, write=True)), record_id, other_id)
        case ("DELETE", other, other_id):
            return _ended(call, (object_type, call.object(other, write=True)), record_id, other_id)
    raise not_found()


def between(call: HubSpotCall, rest: list[str]) -> Response:
    """Everything under associations/{from}/{to}."""
    source, target, *more = rest
    method, reads = call.request.method, more[-1:] in (["read"], ["types"]) or call.request.method == "GET"
    ends = (call.object(source, write=not reads), call.object(target, write=not reads))
    old = call.version == "v3"
    actions: Mapping[tuple[str, ...], Callable[[HubSpotCall, Ends], Response]] = {
        ("POST", "batch", "read"): _read_named if old else _read,
        ("POST", "batch", "create"): _create_named if old else _create,
        ("POST", "batch", "archive"): _archive_named if old else _archive,
        ("POST", "batch", "associate", "default"): _create_plain,
        ("POST", "batch", "labels", "archive"): _archive_labels,
        ("GET", "labels"): _labels,
        ("POST", "labels"): _new_label,
        ("PUT", "labels"): _rename_label,
        ("GET", "types"): _types,
    }
    action = actions.get((method, *more))
    if action:
        return action(call, ends)
    if method == "DELETE" and len(more) == 2 and more[0] == "labels" and more[1].isdecimal():
        call.wrote()
        call.portal.links.drop_label(*ends, int(more[1]))
        return Response(204)
    raise not_found()


# One record


def _listed(call: HubSpotCall, ends: Ends, record_id: str) -> Response:
    record = call.portal.records.existing(ends[0], record_id)
    limit = call.number("limit", MOST_PER_PAGE, most=MOST_PER_PAGE)
    others = [other_id for other_id in _live(call, ends, record) if other_id > call.after()]
    call.read(min(limit, len(others)))
    results = [_associated(call, ends, record, other_id) for other_id in others[:limit]]
    if call.version == "v3":
        results = [end for other_id in others[:limit] for end in _associated_by_name(call, ends, record, other_id)]
    answer: dict[str, Any] = {"results": results}
    if len(others) > limit:
        answer["paging"] = call.next_page(str(others[limit - 1]))
    return json_response(answer)


def _labelled(call: HubSpotCall, ends: Ends, record_id: str, other_id: str) -> Response:
    call.wrote()
    written = shaped(call.json(), [SPEC])
    if not written:
        raise required(["associationCategory", "associationTypeId"])
    types = [_type(call, ends, spec) for spec in written]
    record, other = _both(call, ends, record_id, other_id)
    call.portal.join(ends[0], record, ends[1], str(other.id), types=types)
    return json_response(_pair(ends, record_id, other_id, types), 201)


def _ended(call: HubSpotCall, ends: Ends, record_id: str, other_id: str) -> Response:
    call.wrote()
    if record_id.isdecimal() and other_id.isdecimal():
        call.portal.links.part(ends[0].name, int(record_id), ends[1].name, int(other_id))
    return Response(204)


def _join_plainly(call: HubSpotCall, ends: Ends, record_id: str, other_id: str) -> list[dict[str, Any]]:
    """Associates by the type without a label; tells one row for each direction."""
    plain = call.portal.links.default(*ends)
    record, other = _both(call, ends, record_id, other_id)
    call.portal.join(ends[0], record, ends[1], str(other.id))
    rows = ((record_id, other_id, plain.type_id), (other_id, record_id, plain.inverse))
    return [
        {
            "from": {"id": from_id},
            "to": {"id": to_id},
            "associationSpec": {"associationCategory": plain.category, "associationTypeId": type_id},
        }
        for from_id, to_id, type_id in rows
    ]


# Batches


def _read(call: HubSpotCall, ends: Ends) -> Response:
    def row(record: PortalRecord, sent: Input) -> dict[str, Any] | None:
        others = [other_id for other_id in _live(call, ends, record) if other_id > sent.get("after", 0)]
        answer: dict[str, Any] = {"from": {"id": str(record.id)}}
        answer["to"] = [_associated(call, ends, record, other_id) for other_id in others[:MOST_PER_PAGE]]
        if len(others) > MOST_PER_PAGE:
            answer["paging"] = {"next": {"after": str(others[MOST_PER_PAGE - 1])}}
        return answer if others else None

    return _read_each(call, ends, row)


def _read_named(call: HubSpotCall, ends: Ends) -> Response:
    def row(record: PortalRecord, _: Input) -> dict[str, Any] | None:
        named_ends = [
            end for other_id in _live(call, ends, record) for end in _associated_by_name(call, ends, record, other_id)
        ]
        return {"from": {"id": str(record.id)}, "to": named_ends} if named_ends else None

    return _read_each(call, ends, row)


def _read_each(call: HubSpotCall, ends: Ends, row: Callable[[PortalRecord, Input], dict[str, Any] | None]) -> Response:
    """An id without associations is a row of errors, even when it is the only one."""
    results, errors = [], []
    inputs = inputs_of(call.body(STARTS, "inputs"), most=MOST_READ)
    refuse_repeated([sent.get("id", "") for sent in inputs])
    for sent in inputs:
        record_id = sent.get("id", "")
        if not record_id.isdecimal():
            errors.append(_invalid(record_id).row())
            continue
        record = call.portal.records.lookup(ends[0], record_id)
        result = row(record, sent) if record else None
        if result is None:
            errors.append(_none(ends, record_id).row())
        else:
            results.append(result)
    call.read(len(results))
    return call.batch(results, errors)


def _create(call: HubSpotCall, ends: Ends) -> Response:
    def write(sent: Input) -> list[dict[str, Any]]:
        ids = _ids(sent)
        types = [_type(call, ends, spec) for spec in sent.get("types") or []]
        if not types:
            raise required(["types"])
        record, other = _both(call, ends, *ids)
        call.portal.join(ends[0], record, ends[1], str(other.id), types=types)
        return [_pair(ends, *ids, types)]

    return _write_each(call, write, status=201)


def _create_plain(call: HubSpotCall, ends: Ends) -> Response:
    return _write_each(call, lambda sent: _join_plainly(call, ends, *_ids(sent)))


def _create_named(call: HubSpotCall, ends: Ends) -> Response:
    def write(sent: Input) -> list[dict[str, Any]]:
        from_id, to_id = _ids(sent)
        kind = call.portal.links.named(*ends, sent.get("type", ""))
        record, other = _both(call, ends, from_id, to_id)
        call.portal.join(ends[0], record, ends[1], str(other.id), types=[kind])
        return [{"from": {"id": from_id}, "to": {"id": to_id}, "type": kind.name}]

    return _write_each(call, write, status=201)


def _archive(call: HubSpotCall, ends: Ends) -> Response:
    def write(sent: Input) -> list[dict[str, Any]]:
        start = _id(sent.get("from"))
        for end in sent.get("to") or []:
            call.portal.links.part(ends[0].name, int(start), ends[1].name, int(_id(end)))
        return []

    return _archived(call, write, shape=PARTED)


def _archive_named(call: HubSpotCall, ends: Ends) -> Response:
    def write(sent: Input) -> list[dict[str, Any]]:
        from_id, to_id = _ids(sent)
        kind = call.portal.links.named(*ends, sent.get("type", ""))
        call.portal.links.part(ends[0].name, int(from_id), ends[1].name, int(to_id), [kind.type_id])
        return []

    return _archived(call, write)


def _archive_labels(call: HubSpotCall, ends: Ends) -> Response:
    def write(sent: Input) -> list[dict[str, Any]]:
        from_id, to_id = _ids(sent)
        types = [_type(call, ends, spec).type_id for spec in sent.get("types") or []]
        call.portal.links.part(ends[0].name, int(from_id), ends[1].name, int(to_id), types)
        return []

    return _archived(call, write)


def _archived(call: HubSpotCall, write: Callable[[Input], list[dict[str, Any]]], *, shape: Any = JOINED) -> Response:
    """The dated versions answer with a batch, the older ones with nothing."""
    answer = _write_each(call, write, shape=shape)
    return answer if call.dated or answer.status == 207 else Response(204)


def _write_each(
    call: HubSpotCall, write: Callable[[Input], list[dict[str, Any]]], *, shape: Any = JOINED, status: int = 200
) -> Response:
    results: list[dict[str, Any]] = []
    errors = []
    inputs = inputs_of(call.body(shape, "inputs"), most=MOST_WRITTEN)
    call.wrote(len(inputs))
    for sent in inputs:
        try:
            results += write(sent)
        except HubSpotError as error:
            errors.append(error.row())
    return call.batch(results, errors, status=status)


# Labels


def _labels(call: HubSpotCall, ends: Ends) -> Response:
    types = call.portal.links.types(*ends)
    call.read(len(types))
    return json_response({"results": [link_type.as_json() for link_type in types]})


def _new_label(call: HubSpotCall, ends: Ends) -> Response:
    call.wrote()
    body = call.body(LABEL, "label", "name")
    link_types = call.portal.links.add_label(*ends, body["name"], body["label"], body.get("inverseLabel"))
    return json_response({"results": [link_type.as_json() for link_type in link_types]})


def _rename_label(call: HubSpotCall, ends: Ends) -> Response:
    call.wrote()
    body = call.body(LABEL, "associationTypeId", "label")
    labels = (body["label"], body.get("inverseLabel"))
    call.portal.links.rename_label(*ends, body["associationTypeId"], labels)
    return Response(204)


def _types(call: HubSpotCall, ends: Ends) -> Response:
    types = call.portal.links.types(*ends)
    return json_response({"results": [{"id": str(link_type.type_id), "name": link_type.name} for link_type in types]})


# Within


def _live(call: HubSpotCall, ends: Ends, record: PortalRecord) -> list[int]:
    table = call.portal.store.table(ends[1].name)
    return sorted(
        other_id for other_id in call.portal.links.of(ends[0].name, record.id, ends[1].name) if table.alive(other_id)
    )


def _associated(call: HubSpotCall, ends: Ends, record: PortalRecord, other_id: int) -> dict[str, Any]:
    type_ids = call.portal.links.of(ends[0].name, record.id, ends[1].name)[other_id]
    types = {link_type.type_id: link_type for link_type in call.portal.links.types(*ends)}
    # A number here, where other answers have ids as text.
    return {"toObjectId": other_id, "associationTypes": [types[type_id].as_json() for type_id in type_ids]}


def _associated_by_name(call: HubSpotCall, ends: Ends, record: PortalRecord, other_id: int) -> list[dict[str, str]]:
    type_ids = call.portal.links.of(ends[0].name, record.id, ends[1].name)[other_id]
    types = {link_type.type_id: link_type.name for link_type in call.portal.links.types(*ends)}
    return [{"id": str(other_id), "type": types[type_id]} for type_id in type_ids]


def _type(call: HubSpotCall, ends: Ends, spec: Input) -> LinkType:
    return call.portal.links.type(*ends, spec.get("associationCategory", ""), spec.get("associationTypeId", 0))


def _both(call: HubSpotCall, ends: Ends, record_id: str, other_id: str) -> tuple[PortalRecord, PortalRecord]:
    for object_type, key in zip(ends, (record_id, other_id), strict=True):
        if not key.isdecimal() or call.portal.records.lookup(object_type, key) is None:
            raise _invalid(key)
    if ends[0] is ends[1] and record_id == other_id:
        word = f"{ends[0].word} {record_id}"
        raise HubSpotError(
            f"Object {word} cannot be associated to itself ({record_id})",
            sub_category="crm.associations.INVALID_SELF_ASSOCIATION",
        )
    record = call.portal.records.existing(ends[0], record_id)
    return record, call.portal.records.existing(ends[1], other_id)


def _pair(ends: Ends, record_id: str, other_id: str, types: list[LinkType]) -> dict[str, Any]:
    return {
        "fromObjectTypeId": ends[0].type_id,
        "fromObjectId": record_id,
        "toObjectTypeId": ends[1].type_id,
        "toObjectId": other_id,
        "labels": [link_type.label for link_type in types if link_type.label],
    }


def _ids(sent: Input) -> tuple[str, str]:
    return _id(sent.get("from")), _id(sent.get("to"))


def _id(written: Mapping[str, str] | None) -> str:
    record_id = (written or {}).get("id", "")
    if not record_id.isdecimal():
        raise _invalid(record_id or "null")
    return record_id


def _invalid(record_id: str) -> HubSpotError:
    return HubSpotError(
        f"{record_id} is not a valid ID",
        sub_category="crm.associations.INVALID_IDENTIFIER",
        context={"id": [record_id]},
    )


def _none(ends: Ends, record_id: str) -> HubSpotError:
    source, target = ends[0].singular, ends[1].singular
    return HubSpotError(
        f"No {target} is associated with {source} {record_id}.",
        status=404,
        category="OBJECT_NOT_FOUND",
        sub_category="crm.associations.NO_ASSOCIATIONS_FOUND",
        context={"fromObjectId": [record_id], "fromObjectType": [source], "toObjectType": [target]},
    )
