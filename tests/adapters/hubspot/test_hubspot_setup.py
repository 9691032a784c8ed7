"""Setting an account up, and taking it back."""

import pytest
from written_hubspot import Reply, Wire, definition, refusal

from adapters.hubspot.crm_adapter import HubSpotAdapter
from connector.errors import NotPermitted, Unavailable
from connector.ports import FieldSpec

GROUPS = "/crm/properties/2026-03/{}/groups"
SPECS = [
    FieldSpec(
        "companies", "afterword_mood", "Customer mood", "picklist", options=("Happy", "Unhappy"), help="In a word."
    ),
    FieldSpec("companies", "afterword_silent", "Silent", "boolean"),
    FieldSpec("tasks", "afterword_key", "Key", "text", length=80, unique=True),
]


@pytest.fixture
def account(wire: Wire) -> Wire:
    for name in ("companies", "tasks"):
        wire.properties(name, "name")
        wire.answer("GET", GROUPS.format(name), {"results": [{"name": "companyinformation"}]})
        wire.answer("POST", GROUPS.format(name), {"name": "afterword"}, status=201)
        wire.answer("POST", f"/crm/properties/2026-03/{name}", {"name": "made"}, status=201)
    return wire


def test_the_plan_names_what_is_missing(hub: HubSpotAdapter, account: Wire) -> None:
    steps = hub.plan_setup(SPECS)
    assert [step.key for step in steps] == [
        "group:companies.afterword",
        "field:companies.afterword_mood",
        "field:companies.afterword_silent",
        "layout:companies",
        "group:tasks.afterword",
        "field:tasks.afterword_key",
    ]
    assert [step.key for step in steps if step.manual] == ["layout:companies"]
    assert {request.method for request in account.requests} == {"GET"}


def test_what_is_there_is_left_alone(hub: HubSpotAdapter, wire: Wire) -> None:
    wire.answer("GET", "/crm/properties/2026-03/companies", {"results": [definition("afterword_mood")]})
    assert hub.plan_setup(SPECS[:1]) == []


def test_properties_are_made_as_hubspot_wants_them(hub: HubSpotAdapter, account: Wire) -> None:
    results = list(hub.apply_setup(hub.plan_setup(SPECS)))
    assert [result.done for result in results if not result.step.manual] == [True] * 5
    mood, silent = (one.body for one in account.sent("POST", "/crm/properties/2026-03/companies"))
    assert (mood["type"], mood["fieldType"], mood["groupName"]) == ("enumeration", "select", "afterword")
    assert [option["value"] for option in mood["options"]] == ["Happy", "Unhappy"]
    assert [option["value"] for option in silent["options"]] == ["true", "false"]
    (key,) = (one.body for one in account.sent("POST", "/crm/properties/2026-03/tasks"))
    assert key["hasUniqueValue"] is True


def test_a_task_key_that_may_not_be_unique_is_made_all_the_same(hub: HubSpotAdapter, account: Wire) -> None:
    no = Reply(refusal("Unique properties are not supported for this object type."), 400)
    account.queues["POST", "/crm/properties/2026-03/tasks"] = [no, Reply({"name": "afterword_key"}, 201)]
    results = list(hub.apply_setup(hub.plan_setup(SPECS[2:])))
    assert [result.done for result in results] == [True, True]
    assert account.sent("POST", "/crm/properties/2026-03/tasks")[1].body["hasUniqueValue"] is False


def test_a_plain_key_of_an_activity_can_still_find_its_record(hub: HubSpotAdapter, wire: Wire) -> None:
    wire.properties("tasks", "afterword_key")
    key = hub.describe("tasks").fields["afterword_key"]
    assert (key.unique, key.external_id) == (False, True)
    wire.properties("companies", "afterword_key")
    assert not hub.describe("companies").fields["afterword_key"].external_id


def test_undo_takes_back_only_what_was_made(hub: HubSpotAdapter, account: Wire) -> None:
    there = Reply(refusal("A property named 'afterword_mood' already exists.", "OBJECT_ALREADY_EXISTS"), 409)
    account.queues["POST", "/crm/properties/2026-03/companies"] = [there, Reply({"name": "x"}, 201)]
    made = list(hub.apply_setup(hub.plan_setup(SPECS[:2])))
    assert [result.done for result in made if not result.step.manual] == [True] * 3
    steps = hub.plan_undo(made)
    assert [step.key for step in steps] == [
        "remove:field:companies.afterword_silent",
        "remove:group:companies.afterword",
    ]
    account.answer("DELETE", "/crm/properties/2026-03/companies/afterword_silent", "", status=204)
    gone = refusal("Property does not exist", "OBJECT_NOT_FOUND")
    account.answer("DELETE", "/crm/properties/2026-03/companies/groups/afterword", gone, status=404)
    assert [result.done for result in hub.apply_setup(steps)] == [True, True]


def test_a_property_that_somebody_has_deleted_already_is_undone(hub: HubSpotAdapter, account: Wire) -> None:
    made = list(hub.apply_setup(hub.plan_setup(SPECS[:2])))
    mood = [step for step in hub.plan_undo(made) if "mood" in step.key]
    said = 'Property "afterword_mood" does not exist'
    gone = refusal(said, "OBJECT_NOT_FOUND", subCategory="PROPERTY_DOESNT_EXIST")
    account.answer("DELETE", "/crm/properties/2026-03/companies/afterword_mood", gone, status=404)
    (result,) = hub.apply_setup(mood)
    assert (result.done, result.error) == (True, None)


def test_what_was_made_though_the_answer_was_lost_can_be_undone(hub: HubSpotAdapter, account: Wire) -> None:
    account.queues["POST", "/crm/properties/2026-03/companies"] = [Reply("<html>", 504)]
    account.answer("GET", "/crm/properties/2026-03/companies/afterword_mood", {"name": "afterword_mood"})
    missing = refusal("resource not found", "OBJECT_NOT_FOUND")
    account.answer("GET", "/crm/properties/2026-03/companies/afterword_silent", missing, status=404)
    _, mood, silent = (one for one in hub.apply_setup(hub.plan_setup(SPECS[:2])) if not one.step.manual)
    assert (mood.done, silent.done) == (True, False)
    assert isinstance(silent.error, Unavailable)
    assert [step.key for step in hub.plan_undo([mood])] == ["remove:field:companies.afterword_mood"]


def test_a_step_that_may_not_be_done_does_not_stop_the_others(hub: HubSpotAdapter, account: Wire) -> None:
    no = Reply(refusal("Not granted.", "MISSING_SCOPES"), 403)
    account.queues["POST", "/crm/properties/2026-03/companies"] = [no, Reply({"name": "x"}, 201)]
    results = [result for result in hub.apply_setup(hub.plan_setup(SPECS[:2])) if not result.step.manual]
    assert [result.done for result in results] == [True, False, True]
    assert isinstance(results[1].error, NotPermitted)
