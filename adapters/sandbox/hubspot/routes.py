"""The addresses of the API, in the versions v3 and v4 and those that are dates: from a path to what answers it."""

import re

from adapters.sandbox.hubspot import account, association_calls, property_calls, read_calls, write_calls
from adapters.sandbox.hubspot.calls import HubSpotCall
from adapters.sandbox.hubspot.errors import not_found
from adapters.sandbox.web import Response

DATED = ("2026-03", "2026-09")
VERSIONS = frozenset({"v3", "v4", *DATED})
_PAGE = "<html><head><title>Error {0}</title></head><body><h2>HTTP ERROR {0}</h2></body></html>"
_VERSION = re.compile(r"v\d+|\d{4}-\d\d")


def address(segments: list[str]) -> tuple[str, str, list[str]] | None:
    """The family, the version and the rest of a path; None when nothing has that address.

    Old versions come before the family (`crm/v3/objects`), dates after it (`crm/objects/2026-03`).
    """
    match segments:
        case ["crm", version, family, *rest] if _VERSION.fullmatch(version):
            dated_here = version in DATED
            return None if dated_here or version not in VERSIONS else (family, version, rest)
        case ["crm", "associations", "v4", *rest]:
            return "associations", "v4", rest
        case ["crm", family, version, *rest] if version in DATED:
            return family, version, rest
        case ["account-info", version, *rest] if version in VERSIONS - {"v4"}:
            return "account-info", version, rest
    return None


def is_search(segments: list[str]) -> bool:
    """Whether a path is that of a search, which has limits of its own."""
    found_address = address(segments)
    return found_address is not None and found_address[0] == "objects" and found_address[2][1:] == ["search"]


def route(call: HubSpotCall, family: str, rest: list[str]) -> Response:
    """Answers a call; raises HubSpotError."""
    if family == "objects" and rest:
        return _objects(call, rest)
    if family == "properties" and rest:
        return property_calls.answer(call, rest)
    if family == "owners":
        return account.owners(call, rest)
    if family == "pipelines" and rest:
        return account.pipelines(call, rest)
    if family == "associations" and len(rest) >= 3:
        return association_calls.between(call, rest)
    if family == "limits" and rest == ["custom-properties"]:
        return property_calls.limits(call)
    if family == "account-info":
        return account.details(call, rest)
    raise not_found()


def page(status: int) -> Response:
    """The page of HTML that answers an address or method that does not exist."""
    return Response(status, _PAGE.format(status).encode(), {"Content-Type": "text/html;charset=utf-8"})


def _objects(call: HubSpotCall, rest: list[str]) -> Response:
    name, *more = rest
    method = call.request.method
    reads = method == "GET" or more in (["search"], ["batch", "read"])
    object_type = call.object(name, write=not reads)
    if len(more) >= 2 and more[1] == "associations":
        return association_calls.of_record(call, object_type, more[0], more[2:])
    if call.version == "v4":
        raise not_found()
    match (method, *more):
        case ("GET",):
            return read_calls.list_records(call, object_type)
        case ("POST",):
            return write_calls.create(call, object_type)
        case ("POST", "search"):
            return read_calls.search(call, object_type)
        case ("POST", "merge"):
            return write_calls.merge_records(call, object_type)
        case ("POST", "gdpr-delete"):
            return write_calls.gdpr_delete(call, object_type)
        case ("POST", "batch", action):
            actions = {
                "read": read_calls.batch_read,
                "create": write_calls.batch_create,
                "update": write_calls.batch_update,
                "upsert": write_calls.batch_upsert,
                "archive": write_calls.batch_archive,
            }
            return actions[action](call, object_type) if action in actions else page(404)
        case ("GET", record_id):
            return read_calls.get_record(call, object_type, record_id)
        case ("PATCH", record_id):
            return write_calls.update(call, object_type, record_id)
        case ("DELETE", record_id):
            return write_calls.archive(call, object_type, record_id)
    return page(405)
