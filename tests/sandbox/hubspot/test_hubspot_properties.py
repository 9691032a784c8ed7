"""Properties and groups: defined, unique ten times at most, changed and archived."""

import pytest
from hubspot.crm.properties import PropertyCreate
from hubspot_wire import where

from adapters.sandbox.hubspot import Property

PATH = "crm/properties/2026-03/companies"
NEW = {"name": "Pulse_Id", "label": "Pulse", "type": "string", "fieldType": "text", "groupName": "companyinformation"}


def test_definitions_tell_what_may_be_done(hub):
    listed = {row["name"]: row for row in hub.ok("GET", PATH)["results"]}
    stage = hub.ok("GET", "crm/v3/properties/tickets/hs_pipeline_stage")
    assert (stage["externalOptions"], stage["options"]) == (True, [])
    assert listed["createdate"]["modificationMetadata"]["readOnlyValue"] is True
    assert (listed["name"]["hubspotDefined"], listed["name"]["hasUniqueValue"]) == (True, False)
    priority = hub.ok("GET", "crm/properties/2026-03/tasks/hs_task_priority")
    assert [each["value"] for each in priority["options"]] == ["NONE", "LOW", "MEDIUM", "HIGH"]


def test_a_property_is_made_in_small_letters_used_changed_and_archived(hub, portal):
    made = hub.api("POST", PATH, json={**NEW, "hasUniqueValue": True})
    assert (made.status_code, made.json()["name"], made.json()["hasUniqueValue"]) == (201, "pulse_id", True)
    row = portal.insert("companies", {"pulse_id": "k1"})
    assert hub.objects("GET", "companies/K1", params={"idProperty": "pulse_id"}).json()["id"] == row
    changed = hub.ok("PATCH", f"{PATH}/pulse_id", json={"label": "Pulse number"})
    assert (changed["label"], changed["type"]) == ("Pulse number", "string")
    assert hub.api("DELETE", f"{PATH}/pulse_id").status_code == 204
    assert hub.api("GET", f"{PATH}/pulse_id").status_code == 404
    assert hub.ok("GET", f"{PATH}/pulse_id", params={"archived": "true"})["archived"] is True
    assert hub.objects("PATCH", f"companies/{row}", json={"properties": {"pulse_id": "x"}}).status_code == 400
    assert hub.api("POST", PATH, json=NEW).status_code == 409


def test_a_name_is_taken_once(hub):
    assert hub.api("POST", PATH, json=NEW).status_code == 201
    again = hub.api("POST", PATH, json=NEW)
    assert (again.status_code, again.json()["category"]) == (409, "OBJECT_ALREADY_EXISTS")
    assert again.json()["message"] == "A property named 'pulse_id' already exists."


@pytest.mark.parametrize(
    "wrong", [{"name": "1st"}, {"name": "a-b"}, {"groupName": "nowhere"}, {"type": "text"}, {"label": None}]
)
def test_definitions_that_are_refused(hub, wrong):
    assert hub.api("POST", PATH, json={**NEW, **wrong}).status_code == 400


def test_ten_unique_properties_for_an_object(hub):
    for number in range(10):
        assert hub.api("POST", PATH, json={**NEW, "name": f"key{number}", "hasUniqueValue": True}).status_code == 201
    assert hub.api("POST", PATH, json={**NEW, "name": "key10", "hasUniqueValue": True}).status_code == 400
    assert hub.api("POST", PATH, json={**NEW, "name": "key10"}).status_code == 201


def test_a_unique_value_is_taken_once(hub, portal):
    portal.new_property("companies", Property("key", unique=True))
    portal.insert("companies", {"key": "A"})
    answer = hub.objects("POST", "companies", json={"properties": {"key": "a"}})
    assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")
    assert answer.json()["errors"][0]["code"] == "CONFLICTING_UNIQUE_VALUE"
    assert '"error":"CONFLICTING_UNIQUE_VALUE"' in answer.json()["message"]


def test_standard_properties_stay_as_they_are(hub):
    assert hub.api("PATCH", f"{PATH}/name", json={"label": "x"}).status_code == 400
    assert hub.api("DELETE", f"{PATH}/name").status_code == 400


def test_options_can_be_added(hub, portal):
    options = [{"label": "Gold", "value": "gold", "displayOrder": 0, "hidden": False}]
    body = {**NEW, "name": "tier", "type": "enumeration", "fieldType": "select", "options": options}
    assert hub.api("POST", PATH, json=body).status_code == 201
    row = portal.insert("companies", {"tier": "gold"})
    assert hub.objects("PATCH", f"companies/{row}", json={"properties": {"tier": "Gold"}}).status_code == 400
    more = [*options, {"label": "Tin", "value": "tin", "displayOrder": 1, "hidden": False}]
    hub.ok("PATCH", f"{PATH}/tier", json={"options": more})
    assert hub.objects("PATCH", f"companies/{row}", json={"properties": {"tier": "tin"}}).status_code == 200
    assert hub.found("companies", where("tier", "EQ", "tin")) == [row]


def test_batches(hub):
    made = hub.api("POST", f"{PATH}/batch/create", json={"inputs": [NEW, {**NEW, "name": "second"}, NEW]})
    assert (made.status_code, [row["name"] for row in made.json()["results"]]) == (207, ["pulse_id", "second"])
    names = {"inputs": [{"name": "second"}, {"name": "third"}], "archived": False}
    read = hub.api("POST", f"{PATH}/batch/read", json=names)
    assert (read.status_code, [row["name"] for row in read.json()["results"]]) == (207, ["second"])
    assert hub.api("POST", f"{PATH}/batch/archive", json={"inputs": [{"name": "second"}]}).status_code == 204
    assert hub.api("GET", f"{PATH}/second").status_code == 404


def test_groups(hub):
    assert hub.api("POST", f"{PATH}/groups", json={"name": "pulse", "label": "Pulse"}).status_code == 201
    assert hub.api("POST", f"{PATH}/groups", json={"name": "pulse", "label": "Pulse"}).status_code == 409
    assert hub.ok("PATCH", f"{PATH}/groups/pulse", json={"label": "Score"})["label"] == "Score"
    assert hub.ok("GET", f"{PATH}/groups/pulse")["name"] == "pulse"
    assert "pulse" in {row["name"] for row in hub.ok("GET", f"{PATH}/groups")["results"]}
    assert hub.api("POST", PATH, json={**NEW, "groupName": "pulse"}).status_code == 201
    assert hub.api("DELETE", f"{PATH}/groups/pulse").status_code == 400
    hub.api("DELETE", f"{PATH}/pulse_id")
    assert hub.api("DELETE", f"{PATH}/groups/pulse").status_code == 204
    assert hub.api("GET", f"{PATH}/groups/pulse").status_code == 404


def test_the_vendors_package_defines(hubspot):
    spec = PropertyCreate(
        name="score", label="Score", type="number", field_type="number", group_name="companyinformation"
    )
    made = hubspot.crm.properties.core_api.create("companies", spec)
    assert (made.name, made.modification_metadata.read_only_value) == ("score", False)
