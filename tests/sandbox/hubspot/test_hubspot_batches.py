"""Batches: at most 100 inputs, no id twice, and 207 when part of it failed."""

import pytest
from hubspot.crm.contacts import BatchInputSimplePublicObjectBatchInput, BatchReadInputSimplePublicObjectId

from adapters.sandbox.hubspot import Property


def batch(hub, action, inputs, kind="contacts", **more):
    return hub.objects("POST", f"{kind}/batch/{action}", json={"inputs": inputs, **more})


def named(*names, trace=False):
    rows = [{"properties": {"email": f"{name}@x.example", "firstname": name}} for name in names]
    return [row | {"objectWriteTraceId": f"t{at}"} for at, row in enumerate(rows)] if trace else rows


def test_reading_lists_what_is_missing_in_one_row(hub, portal):
    ids = [portal.insert("contacts", {"firstname": name}) for name in "AB"]
    answer = batch(hub, "read", [{"id": each} for each in [*ids[::-1], "7", "x"]], properties=["firstname"])
    assert answer.status_code == 207
    body = answer.json()
    assert (body["status"], body["numErrors"], [row["id"] for row in body["results"]]) == ("COMPLETE", 1, ids)
    assert body["errors"] == [
        {
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "message": "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid.",
            "context": {"ids": ["7", "x"]},
        }
    ]
    whole = batch(hub, "read", [{"id": each} for each in ids]).json()
    assert "errors" not in whole
    assert "numErrors" not in whole


def test_reading_by_a_unique_property_or_what_is_archived(hub, portal):
    made = portal.insert("contacts", {"email": "a@x.example"})
    assert batch(hub, "read", [{"id": "A@x.example"}], idProperty="email").json()["results"][0]["id"] == made
    assert batch(hub, "read", [{"id": "a"}], idProperty="firstname").status_code == 400
    portal.archive("contacts", made)
    path = "contacts/batch/read?archived=true"
    assert hub.objects("POST", path, json={"inputs": [{"id": made}]}).json()["results"][0]["archived"] is True


@pytest.mark.parametrize("action", ["read", "update", "upsert", "archive"])
def test_an_id_that_comes_twice_fails_the_whole_call(hub, portal, action):
    made = portal.insert("contacts", {"firstname": "A"})
    row = {"id": made, "properties": {"firstname": "B"}}
    answer = batch(hub, action, [row, row])
    assert answer.status_code == 400
    body = answer.json()
    assert body["message"] == f"Duplicate IDs found in batch input: [{made}]. IDs must be unique"
    assert (body["context"], body["category"]) == ({"ids": [made]}, "VALIDATION_ERROR")
    assert portal.get("contacts", made)["firstname"] == "A"


@pytest.mark.parametrize("action", ["read", "create", "update", "upsert", "archive"])
def test_a_hundred_inputs_at_most(hub, action):
    answer = batch(hub, action, [{"id": str(number), "properties": {}} for number in range(101)])
    assert answer.status_code == 400
    assert answer.json()["message"] == (
        "The maximum number of inputs supported in a batch is 100. Please reduce the number of items and try again"
    )


def test_fifty_with_history(hub):
    answer = batch(hub, "read", [{"id": str(number)} for number in range(51)], propertiesWithHistory=["email"])
    assert "supported in a batch is 50" in answer.json()["message"]


def test_creating_is_all_or_nothing_without_trace_ids(hub, portal):
    taken = portal.insert("contacts", {"email": "b@x.example"})
    answer = batch(hub, "create", named("a", "b"))
    assert (answer.status_code, answer.json()["category"]) == (409, "CONFLICT")
    assert portal.count("contacts") == 1
    wrong = batch(hub, "create", [*named("a"), {"properties": {"colour": "red"}}])
    assert wrong.status_code == 400
    assert [row["id"] for row in portal.rows("contacts")] == [taken]
    assert batch(hub, "create", named("a", "c")).status_code == 201


def test_the_same_address_twice_in_one_batch_undoes_the_first(hub, portal):
    assert batch(hub, "create", named("a", "a")).status_code == 409
    assert portal.count("contacts") == 0
    assert hub.found("contacts") == []


def test_with_trace_ids_each_input_fails_alone(hub, portal):
    taken = portal.insert("contacts", {"email": "b@x.example"})
    answer = batch(hub, "create", named("a", "b", "c", trace=True))
    assert answer.status_code == 207
    body = answer.json()
    assert [row["objectWriteTraceId"] for row in body["results"]] == ["t0", "t2"]
    (error,) = body["errors"]
    assert error["context"] == {"existingId": [taken], "objectWriteTraceId": ["t1"]}
    assert portal.count("contacts") == 3


def test_updating_tells_what_is_missing(hub, portal):
    made = portal.insert("contacts", {"firstname": "A"})
    rows = [{"id": made, "properties": {"firstname": "B"}}, {"id": "7", "properties": {"firstname": "B"}}]
    answer = batch(hub, "update", rows)
    assert (answer.status_code, answer.json()["errors"][0]["context"]) == (207, {"ids": ["7"]})
    assert portal.get("contacts", made)["firstname"] == "B"
    traced = batch(hub, "update", [rows[0], rows[1] | {"objectWriteTraceId": "t"}]).json()
    assert traced["errors"][0]["context"] == {"ids": ["7"], "objectWriteTraceId": ["t"]}


def test_an_unknown_property_fails_all_updates_even_with_trace_ids(hub, portal):
    ids = [portal.insert("contacts", {"firstname": name}) for name in "AB"]
    rows = [
        {"id": ids[0], "properties": {"firstname": "C"}, "objectWriteTraceId": "1"},
        {"id": ids[1], "properties": {"colour": "red"}, "objectWriteTraceId": "2"},
    ]
    assert batch(hub, "update", rows).status_code == 400
    assert portal.get("contacts", ids[0])["firstname"] == "A"


def test_a_wrong_value_fails_its_own_traced_update_alone(hub, portal):
    ids = [portal.insert("contacts", {"firstname": name}) for name in "AB"]
    rows = [
        {"id": ids[0], "properties": {"firstname": "C"}, "objectWriteTraceId": "1"},
        {"id": ids[1], "properties": {"lifecyclestage": "Lead"}, "objectWriteTraceId": "2"},
    ]
    answer = batch(hub, "update", rows)
    assert (answer.status_code, answer.json()["errors"][0]["context"]["objectWriteTraceId"]) == (207, ["2"])
    assert portal.get("contacts", ids[0])["firstname"] == "C"


def test_upserting_by_a_unique_property_says_what_is_new(hub, portal):
    portal.new_property("contacts", Property("member", unique=True))
    portal.insert("contacts", {"member": "m1"})
    rows = [{"idProperty": "member", "id": key, "properties": {"firstname": key}} for key in ("m1", "m2")]
    answer = batch(hub, "upsert", rows)
    assert (answer.status_code, [row["new"] for row in answer.json()["results"]]) == (200, [False, True])
    assert {row["member"] for row in portal.rows("contacts")} == {"m1", "m2"}


def test_upserting_contacts_by_address_succeeds_or_fails_together(hub, portal):
    rows = [
        {"idProperty": "email", "id": "a@x.example", "properties": {"firstname": "A"}, "objectWriteTraceId": "1"},
        {"idProperty": "email", "id": "b@", "properties": {"firstname": "B"}, "objectWriteTraceId": "2"},
    ]
    assert batch(hub, "upsert", rows).status_code == 400
    assert portal.count("contacts") == 0
    assert batch(hub, "upsert", rows[:1]).json()["results"][0]["new"] is True


def test_archiving_says_nothing_of_what_is_not_there(hub, portal):
    ids = [portal.insert("contacts", {"firstname": name}) for name in "AB"]
    assert batch(hub, "archive", [{"id": ids[0]}, {"id": "7"}]).status_code == 204
    assert portal.count("contacts") == 1


def test_records_are_made_with_their_associations(hub, portal):
    company = portal.insert("companies", {"name": "Acme"})
    spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 192}
    task = {"properties": {"hs_timestamp": "0"}, "associations": [{"to": {"id": company}, "types": [spec]}]}
    made = batch(hub, "create", [task], "tasks").json()["results"][0]["id"]
    assert portal.associated("tasks", made, "companies") == {company: [192]}
    wrong = {**task, "associations": [{"to": {"id": "7"}, "types": [spec]}]}
    assert batch(hub, "create", [task, wrong], "tasks").status_code == 404
    assert portal.count("tasks") == 1
    assert portal.associated("companies", company, "tasks") == {made: [191]}


def test_a_failed_batch_leaves_primary_companies_as_they_were(hub, portal):
    contact = portal.insert("contacts", {"firstname": "A"})
    first = portal.insert("companies", {"name": "A"})
    portal.associate("contacts", contact, "companies", first)
    spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 2}
    second = {"properties": {"name": "B"}, "associations": [{"to": {"id": contact}, "types": [spec]}]}
    wrong = {"properties": {"colour": "red"}}
    assert batch(hub, "create", [second, wrong], "companies").status_code == 400
    assert portal.associated("contacts", contact, "companies") == {first: [1, 279]}
    assert batch(hub, "create", [second], "companies").status_code == 201
    assert portal.associated("contacts", contact, "companies")[first] == [279]


def test_the_vendors_package_raises_nothing_on_part_failures(hubspot, portal):
    made = portal.insert("contacts", {"firstname": "A"})
    api = hubspot.crm.contacts.batch_api
    inputs = [{"id": made, "properties": {"firstname": "B"}}, {"id": "7", "properties": {"firstname": "B"}}]
    answer = api.update(BatchInputSimplePublicObjectBatchInput(inputs=inputs))
    assert (answer.status, answer.num_errors, answer.errors[0].context) == ("COMPLETE", 1, {"ids": ["7"]})
    read = BatchReadInputSimplePublicObjectId(
        inputs=[{"id": made}], properties=["firstname"], properties_with_history=["firstname"]
    )
    row = api.read(read).results[0]
    assert [each.value for each in row.properties_with_history["firstname"]] == ["B", "A"]
