"""Bodies of the wrong shape are refused with 400, whatever is wrong with them and wherever."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from adapters.sandbox.web import Request

ODD = (None, 1, "x", [], {}, [1], [None], {"a": 1}, True, 1.5)
OBJECTS, JOINS = "/crm/objects/2026-03/contacts", "/crm/associations/2026-03/contacts/companies"
PROPERTIES, PIPELINES = "/crm/properties/2026-03/contacts", "/crm/pipelines/2026-03/tickets"
SPEC = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}
RECORD = {
    "id": "7",
    "idProperty": "email",
    "properties": {"firstname": "x"},
    "associations": [{"to": {"id": "7"}, "types": [SPEC]}],
    "objectWriteTraceId": "1",
}
FILTER = {"propertyName": "firstname", "operator": "IN", "value": "x", "values": ["x"], "highValue": "z"}
SEARCH = {"filterGroups": [{"filters": [FILTER]}], "sorts": ["email"], "query": "a", "limit": 5, "after": "0"}
PAIR = {"from": {"id": "7"}, "to": {"id": "8"}, "types": [SPEC]}
OPTION = {"label": "a", "value": "b", "displayOrder": 1, "hidden": False}
DEFINITION = {
    "name": "q",
    "label": "x",
    "type": "enumeration",
    "fieldType": "select",
    "groupName": "contactinformation",
    "options": [OPTION],
    "displayOrder": 1,
    "hasUniqueValue": False,
}
STAGE = {"label": "In", "displayOrder": 0, "metadata": {"ticketState": "OPEN"}, "stageId": "z"}
PIPELINE = {"label": "x", "displayOrder": 1, "stages": [STAGE]}
CALLS = (
    ("POST", OBJECTS, RECORD),
    ("PATCH", f"{OBJECTS}/7", RECORD),
    ("POST", f"{OBJECTS}/search", SEARCH),
    *(("POST", f"{OBJECTS}/batch/{action}", {"inputs": [RECORD]}) for action in ("create", "update", "upsert")),
    *(("POST", f"{OBJECTS}/batch/{action}", {"inputs": [{"id": "7"}]}) for action in ("read", "archive")),
    ("POST", f"{OBJECTS}/merge", {"primaryObjectId": "7", "objectIdToMerge": "8"}),
    ("POST", f"{OBJECTS}/gdpr-delete", {"objectId": "7", "idProperty": "email"}),
    ("PUT", f"{OBJECTS}/7/associations/companies/8", [SPEC]),
    ("POST", f"{JOINS}/batch/read", {"inputs": [{"id": "7", "after": "0"}]}),
    *(("POST", f"{JOINS}/batch/{action}", {"inputs": [PAIR]}) for action in ("create", "labels/archive")),
    ("POST", f"{JOINS}/batch/archive", {"inputs": [{"from": {"id": "7"}, "to": [{"id": "8"}]}]}),
    ("PUT", f"{JOINS}/labels", {"label": "x", "associationTypeId": 1_000}),
    ("POST", PROPERTIES, DEFINITION),
    ("POST", f"{PROPERTIES}/batch/create", {"inputs": [DEFINITION]}),
    ("POST", f"{PROPERTIES}/groups", {"name": "g", "label": "x", "displayOrder": 1}),
    ("POST", PIPELINES, PIPELINE),
    ("PUT", f"{PIPELINES}/0", PIPELINE),
    ("PATCH", f"{PIPELINES}/0/stages/1", STAGE),
)


def spoiled(body: Any) -> Iterator[Any]:
    """The body with one thing in it replaced or missing."""
    yield from ODD
    if isinstance(body, dict):
        for name, inner in body.items():
            yield from ({**body, name: each} for each in spoiled(inner))
            yield {key: each for key, each in body.items() if key != name}
    if isinstance(body, list):
        yield from ([each] for each in spoiled(body[0]))


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_a_body_with_one_thing_wrong_is_an_answer_not_an_accident(portal, method, path, body):
    portal.configure(burst=0, searches_per_s=0)
    headers = {"authorization": f"Bearer {portal.access_token}", "content-type": "application/json"}
    refused = 0
    for each in spoiled(body):
        answer = portal.handle(Request(method, path, headers, json.dumps(each).encode()))
        assert answer.status in {200, 201, 204, 207, 400, 404, 409}, each
        refused += answer.status == 400
    assert refused >= len(ODD) - 3


def test_a_misfit_is_told_as_the_vendors_parser_does(hub):
    answer = hub.objects("POST", "contacts", json={"properties": {"firstname": ["x"]}})
    assert answer.status_code == 400
    words = "Invalid input JSON on line 1, column 1: Cannot deserialize instance of `java.lang.String` out of START_ARRAY token"
    assert answer.json()["message"] == words


@pytest.mark.parametrize(
    "path", ["contacts/²", "contacts/-1", "contacts/1.5", "contacts/٣?archived=true", "contacts?limit=²"]
)
def test_ids_that_are_no_numbers(hub, path):
    assert hub.objects("GET", path).status_code in {400, 404}
