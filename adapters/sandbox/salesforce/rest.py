"""The addresses of the data API: from a path to the function that answers it."""

from collections.abc import Sequence
from typing import Any

from adapters.sandbox.salesforce import bulk, composite, many, read_calls, tooling, write_calls
from adapters.sandbox.salesforce.calls import SalesforceCall, refusal
from adapters.sandbox.salesforce.describe import object_summary
from adapters.sandbox.salesforce.errors import RequestError, SalesforceError, not_found
from adapters.sandbox.salesforce.org.schema import OrgObjectType
from adapters.sandbox.web import Response, json_response

OLDEST_VERSION, NEWEST_VERSION = 31, 66
_RELEASES = ("Winter", "Spring", "Summer")


def versions() -> Response:
    """GET /services/data: no token needed."""
    return json_response(
        [
            {"label": _label(number), "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
            for number in range(OLDEST_VERSION, NEWEST_VERSION + 1)
        ]
    )


def _label(number: int) -> str:
    # Version 40 was Summer '17; there are three releases a year.
    year, part = divmod(number - 38, 3)
    return f"{_RELEASES[part]} '{17 + year}"


def checked_version(segment: str) -> str:
    """The version in a path; raises RequestError: 410 for retired ones, 404 for others that do not exist."""
    number = segment.removeprefix("v").removesuffix(".0")
    if not number.isdigit() or int(number) > NEWEST_VERSION:
        raise not_found()
    if int(number) < OLDEST_VERSION:
        words = f"Versions {OLDEST_VERSION - 1}.0 and below are retired. Use a supported version."
        raise RequestError("UNSUPPORTED_API_VERSION", words, status=410)
    return f"{number}.0"


def answer(call: SalesforceCall) -> Response:
    """Answers one call, errors included; used for calls from outside and for those inside composite ones."""
    try:
        return route(call, call.request.segments[3:])
    except SalesforceError as error:
        return refusal(error)


def route(call: SalesforceCall, rest: Sequence[str]) -> Response:
    """Everything under /services/data/vXX.X/."""
    org, method = call.org, call.request.method
    match (method, *rest):
        case ("GET",):
            names = ("sobjects", "query", "queryAll", "limits", "composite", "tooling", "jobs")
            return json_response({name: f"/services/data/v{call.version}/{name}" for name in names})
        case ("GET", "limits"):
            return json_response(org.limits.as_json())
        case ("GET", "limits", "recordCount"):
            return _record_count(call)
        case ("GET", "query" | "queryAll" as name):
            return read_calls.run_query(call, call.request.query.get("q"), deleted=name == "queryAll")
        case ("GET", "query" | "queryAll", locator):
            return read_calls.next_page(call, locator)
        case ("GET", "sobjects"):
            return read_calls.list_objects(call)
        case (_, "sobjects", name, *more):
            return _record(call, _readable(call, name), more)
        case ("POST", "composite"):
            return composite.composite(call, answer)
        case ("POST", "composite", "batch"):
            return composite.batch(call, answer)
        case (_, "composite", "sobjects", *more):
            return many.collection(call, more)
        case (_, "tooling", *more):
            return tooling.route(call, more)
        case (_, "jobs", "query" | "ingest" as kind, *more):
            return bulk.route(call, kind, more)
    raise not_found()


def _readable(call: SalesforceCall, name: str) -> OrgObjectType:
    object_type = call.org.object(name)
    if not call.org.readable(object_type, call.access):
        raise not_found()
    return object_type


def _record(call: SalesforceCall, object_type: OrgObjectType, rest: Sequence[str]) -> Response:
    match (call.request.method, *rest):
        case ("GET",):
            return json_response(
                {"objectDescribe": object_summary(object_type, call.access, call.version), "recentItems": []}
            )
        case ("POST",):
            return write_calls.create(call, object_type)
        case ("GET", "describe"):
            return read_calls.describe_object(call, object_type)
        case ("GET", "updated"):
            return read_calls.updated(call, object_type)
        case ("GET", "deleted"):
            return read_calls.deleted(call, object_type)
        case ("GET", record_id):
            return read_calls.get_record(call, object_type, record_id)
        case ("PATCH", record_id):
            return write_calls.update(call, object_type, record_id)
        case ("DELETE", record_id):
            return write_calls.delete(call, object_type, record_id)
        case ("GET", name, key):
            return read_calls.get_by_key(call, object_type, write_calls.external_field(call, object_type, name), key)
        case ("PATCH", name, key):
            return write_calls.upsert(call, object_type, write_calls.external_field(call, object_type, name), key)
    raise RequestError("METHOD_NOT_ALLOWED", f"HTTP Method '{call.request.method}' not allowed.", status=405)


def _record_count(call: SalesforceCall) -> Response:
    names = call.request.query.get("sObjects")
    wanted: list[Any] = (
        [call.org.schema.find(name) for name in names.split(",")] if names else list(call.org.schema.objects.values())
    )
    seen = [object_type for object_type in wanted if object_type and call.org.readable(object_type, call.access)]
    return json_response(
        {"sObjects": [{"count": call.org.count(object_type.name), "name": object_type.name} for object_type in seen]}
    )
