"""The calls about the account: owners, pipelines, and what the portal says of itself."""

from collections.abc import Mapping
from typing import Any

from adapters.sandbox.hubspot.body_shapes import PIPELINE, STAGE
from adapters.sandbox.hubspot.calls import HubSpotCall
from adapters.sandbox.hubspot.errors import not_found, required
from adapters.sandbox.hubspot.portal.pipelines import Metadata, Pipeline, PortalStage, check_metadata
from adapters.sandbox.hubspot.portal.property_values import from_python, iso, to_ms
from adapters.sandbox.web import Response, json_response

MOST_OWNERS, USUAL_OWNERS = 500, 100


def owners(call: HubSpotCall, rest: list[str]) -> Response:
    """GET owners and owners/{id}."""
    call.scoped("crm.objects.owners.read", "automation")
    call.note.sobject = "owners"
    archived = call.flag("archived")
    match (call.request.method, *rest):
        case ("GET",):
            return _owner_list(call, archived=archived)
        case ("GET", key) if key.isdecimal():
            by_user = call.query.get("idProperty", "id").lower() == "userid"
            owner = call.portal.owners.find(int(key), by_user=by_user, archived=archived)
            call.read(1)
            return json_response(owner.as_json())
    raise not_found()


def _owner_list(call: HubSpotCall, *, archived: bool) -> Response:
    limit = call.number("limit", USUAL_OWNERS, most=MOST_OWNERS)
    owners = call.portal.owners.page(call.after(), limit + 1, email=call.query.get("email"), archived=archived)
    call.read(min(limit, len(owners)))
    answer: dict[str, Any] = {"results": [owner.as_json() for owner in owners[:limit]]}
    if len(owners) > limit:
        answer["paging"] = call.next_page(str(owners[limit - 1].id))
    return json_response(answer)


def pipelines(call: HubSpotCall, rest: list[str]) -> Response:
    """Everything under pipelines/{type}."""
    object_type = call.portal.object(rest[0])
    verb = "read" if call.request.method == "GET" else "write"
    base = [scope for scope in object_type.scopes if scope != "tickets"]
    bases = [*base, *(scope.replace("objects", "schemas") for scope in base)]
    call.scoped(*(f"{base}.{verb}" for base in bases), *(["tickets"] if "tickets" in object_type.scopes else []))
    call.note.sobject = "pipelines"
    pipes, now = call.portal.pipelines, call.portal.now()
    match (call.request.method, *rest[1:]):
        case ("GET",):
            return json_response({"results": [pipeline.as_json() for pipeline in pipes.of(object_type.name)]})
        case ("POST",):
            return _new_pipeline(call, object_type.name)
        case ("GET", key):
            return json_response(pipes.get(object_type.name, key).as_json())
        case ("PATCH", key):
            return _change(call, pipes.get(object_type.name, key))
        case ("PUT", key):
            return _replace(call, object_type.name, pipes.get(object_type.name, key))
        case ("DELETE", key):
            call.wrote()
            pipes.archive(object_type.name, key, now)
            return Response(204)
        case (_, key, "stages", *more):
            return _stages(call, object_type.name, pipes.get(object_type.name, key), more)
        case ("GET", key, "audit"):
            pipes.get(object_type.name, key)
            return json_response({"results": []})
    raise not_found()


def details(call: HubSpotCall, rest: list[str]) -> Response:
    """GET details and api-usage/daily/private-apps."""
    if call.request.method == "GET" and rest == ["details"]:
        offset = call.portal.clock.now().astimezone(call.portal.limits.zone).utcoffset()
        seconds = int(offset.total_seconds()) if offset else 0
        hours, minutes = divmod(abs(seconds) // 60, 60)
        return json_response(
            {
                "portalId": call.portal.portal_id,
                "accountType": call.portal.account_type,
                "timeZone": call.portal.time_zone,
                "companyCurrency": "USD",
                "additionalCurrencies": [],
                "utcOffset": f"{'-' if seconds < 0 else '+'}{hours:02d}:{minutes:02d}",
                "utcOffsetMilliseconds": seconds * 1000,
                "uiDomain": call.portal.ui_domain,
                "dataHostingLocation": "na1",
            }
        )
    if call.request.method == "GET" and rest == ["api-usage", "daily", "private-apps"]:
        limits = call.portal.limits
        usage = {"name": "private-apps-api-calls-daily", "usageLimit": limits.daily or 0, "currentUsage": limits.used}
        usage_fields = {
            "collectedAt": iso(call.portal.now()),
            "fetchStatus": "SUCCESS",
            "resetsAt": iso(to_ms(limits.resets_at())),
        }
        return json_response({"results": [usage | usage_fields]})
    raise not_found()


def _new_pipeline(call: HubSpotCall, name: str) -> Response:
    call.wrote()
    body = call.body(PIPELINE, "label", "displayOrder", "stages")
    stages = [_complete(stage) for stage in body["stages"]]
    pipeline = call.portal.pipelines.add(
        name,
        body["label"],
        [(stage.get("stageId"), stage["label"], _metadata(stage)) for stage in stages],
        call.portal.now(),
        pipeline_id=body.get("pipelineId"),
        order=body["displayOrder"],
    )
    for stage, sent in zip(pipeline.stages.values(), stages, strict=True):
        stage.order = sent["displayOrder"]
    return json_response(pipeline.as_json(), 201)


def _replace(call: HubSpotCall, name: str, pipeline: Pipeline) -> Response:
    call.wrote()
    body = call.body(PIPELINE, "label", "displayOrder", "stages")
    inputs = [_complete(stage) for stage in body["stages"]]
    for stage in inputs:
        check_metadata(name, _metadata(stage))
    now, kept = call.portal.now(), pipeline.stages
    pipeline.label, pipeline.order, pipeline.updated, pipeline.stages = (
        body["label"],
        body["displayOrder"],
        now,
        {},
    )
    for stage in inputs:
        new_stage = call.portal.pipelines.add_stage(
            name,
            pipeline,
            stage["label"],
            _metadata(stage),
            at=now,
            stage_id=stage.get("stageId"),
            order=stage["displayOrder"],
        )
        new_stage.created = kept[new_stage.id].created if new_stage.id in kept else now
    return json_response(pipeline.as_json())


def _change(call: HubSpotCall, entry: Pipeline | PortalStage) -> Response:
    call.wrote()
    body = call.body(STAGE)
    entry.label = body.get("label", entry.label)
    entry.order = body.get("displayOrder", entry.order)
    entry.updated = call.portal.now()
    if "archived" in body:
        entry.archived = call.portal.now() if body["archived"] else None
    return json_response(entry.as_json())


def _stages(call: HubSpotCall, name: str, pipeline: Pipeline, rest: list[str]) -> Response:
    match (call.request.method, *rest):
        case ("GET",):
            return json_response({"results": [stage.as_json() for stage in pipeline.live()]})
        case ("POST",):
            call.wrote()
            body = _complete(call.body(STAGE))
            made = call.portal.pipelines.add_stage(
                name,
                pipeline,
                body["label"],
                _metadata(body),
                at=call.portal.now(),
                stage_id=body.get("stageId"),
                order=body["displayOrder"],
            )
            return json_response(made.as_json(), 201)
        case ("GET", key):
            return json_response(pipeline.stage(key).as_json())
        case ("PATCH" | "PUT", key):
            return _change_stage(call, name, pipeline.stage(key))
        case ("DELETE", key):
            call.wrote()
            pipeline.stage(key).archived = call.portal.now()
            return Response(204)
        case ("GET", key, "audit"):
            pipeline.stage(key)
            return json_response({"results": []})
    raise not_found()


def _change_stage(call: HubSpotCall, name: str, stage: PortalStage) -> Response:
    body = call.body(STAGE, "metadata")
    metadata = {**stage.metadata, **_metadata(body)} if call.request.method == "PATCH" else _metadata(body)
    check_metadata(name, metadata)
    stage.metadata = metadata
    return _change(call, stage)


def _complete(written: Mapping[str, Any]) -> Mapping[str, Any]:
    missing = [name for name in ("displayOrder", "label", "metadata") if name not in written]
    if missing:
        raise required(missing)
    return written


def _metadata(written: Mapping[str, Any]) -> Metadata:
    return {name: from_python(value) for name, value in written["metadata"].items()}
