"""Single records and lists: properties as text or null, what is refused and in which words."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hubspot.crm.contacts import SimplePublicObjectInput, SimplePublicObjectInputForCreate
from hubspot.crm.contacts.exceptions import ApiException, NotFoundException

from adapters.sandbox.hubspot import Option, Property


def test_known_and_empty_is_null_and_what_was_not_asked_for_is_absent(hub, portal):
    made = portal.insert("contacts", {"firstname": "Ann", "email": "Ann@X.example"})
    row = hub.objects("GET", "contacts", params={"properties": "firstname,lastname,nonsense"}).json()["results"][0]
    assert row["properties"] == {
        "createdate": "2026-03-02T09:00:00Z",
        "firstname": "Ann",
        "hs_object_id": made,
        "lastmodifieddate": "2026-03-02T09:00:00Z",
        "lastname": None,
    }
    usual = hub.objects("GET", f"contacts/{made}").json()["properties"]
    assert sorted(usual) == ["createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"]
    assert usual["email"] == "ann@x.example"


def test_contacts_keep_their_stamp_under_a_name_of_their_own(hub, portal):
    portal.insert("contacts", {"firstname": "Ann"})
    portal.insert("companies", {"name": "Acme"})
    names = {"properties": "hs_lastmodifieddate,lastmodifieddate"}
    contact = hub.objects("GET", "contacts", params=names).json()["results"][0]["properties"]
    company = hub.objects("GET", "companies", params=names).json()["results"][0]["properties"]
    assert contact["hs_lastmodifieddate"] is None
    assert contact["lastmodifieddate"] == company["hs_lastmodifieddate"] == "2026-03-02T09:00:00Z"
    assert "lastmodifieddate" not in company


def test_stamps_have_milliseconds_and_drop_what_is_finer(hub, portal):
    made = portal.insert("companies", {"name": "A"}, at=datetime(2026, 1, 5, 10, 0, 0, 123_999, tzinfo=UTC))
    assert hub.objects("GET", f"companies/{made}").json()["updatedAt"] == "2026-01-05T10:00:00.123Z"


def test_lists_go_by_id_in_pages_and_the_last_has_no_paging(hub, portal):
    ids = [portal.insert("deals", {"dealname": f"D{number}"}) for number in range(5)]
    first = hub.objects("GET", "deals", params={"limit": 3}).json()
    assert first["paging"]["next"]["after"] == ids[2]
    assert first["paging"]["next"]["link"].startswith("https://localhost")
    second = hub.objects("GET", "deals", params={"limit": 3, "after": first["paging"]["next"]["after"]}).json()
    assert [row["id"] for row in first["results"] + second["results"]] == ids
    assert "paging" not in second
    assert hub.get(first["paging"]["next"]["link"], timeout=300).json() == second


@pytest.mark.parametrize("query", [{"limit": 101}, {"limit": 51, "propertiesWithHistory": "email"}, {"after": "x"}])
def test_a_page_too_long_or_a_cursor_that_is_none_is_refused(hub, query):
    assert hub.objects("GET", "contacts", params=query).status_code == 400


def test_archived_records_are_listed_apart_and_keep_their_stamp(hub, portal, clock):
    kept, gone = (portal.insert("contacts", {"firstname": name}) for name in "AB")
    clock.advance(timedelta(hours=1))
    assert hub.objects("DELETE", f"contacts/{gone}").status_code == 204
    assert [row["id"] for row in hub.objects("GET", "contacts").json()["results"]] == [kept]
    row = hub.objects("GET", "contacts", params={"archived": "true"}).json()["results"][0]
    assert (row["id"], row["archived"], row["archivedAt"]) == (gone, True, "2026-03-02T10:00:00Z")
    assert row["updatedAt"] == "2026-03-02T09:00:00Z"
    assert hub.objects("GET", f"contacts/{gone}").status_code == 404
    assert hub.objects("GET", f"contacts/{gone}", params={"archived": "true"}).status_code == 200
    assert hub.objects("DELETE", f"contacts/{gone}").status_code == 204
    portal.restore("contacts", gone)
    assert hub.objects("GET", f"contacts/{gone}").json()["updatedAt"] == "2026-03-02T10:00:00Z"


def test_the_object_goes_by_plural_singular_or_type_id_in_old_and_dated_versions(hub, portal):
    made = portal.insert("tickets", {"subject": "S", "hs_pipeline_stage": "1"})
    paths = [
        "crm/objects/2026-03/tickets",
        "crm/objects/2026-09/0-5",
        "crm/v3/objects/ticket",
        "crm/v3/objects/tickets",
    ]
    assert {hub.ok("GET", f"{path}/{made}")["id"] for path in paths} == {made}
    answer = hub.objects("GET", "butterflies")
    assert (answer.status_code, answer.json()["message"]) == (400, "Unable to infer object type from: butterflies")
    assert "category" not in answer.json()
    assert hub.api("GET", "crm/v2/objects/tickets").status_code == 404
    assert hub.objects("PUT", "tickets").status_code == 405


def test_the_vendors_package_reads_writes_and_archives(hubspot):
    api = hubspot.crm.contacts.basic_api
    made = api.create(SimplePublicObjectInputForCreate(properties={"email": "a@x.example"}, associations=[]))
    api.update(made.id, SimplePublicObjectInput(properties={"lastname": "L"}))
    assert api.get_by_id("a@x.example", id_property="email").properties["lastname"] == "L"
    assert [row.id for row in hubspot.crm.contacts.get_all()] == [made.id]
    api.archive(made.id)
    with pytest.raises(NotFoundException):
        api.get_by_id(made.id)
    with pytest.raises(ApiException) as refused:
        api.create(SimplePublicObjectInputForCreate(properties={"colour": "red"}, associations=[]))
    assert refused.value.status == 400


def create(hub, kind, **properties):
    return hub.objects("POST", kind, json={"properties": properties})


def test_created_and_updated_records_answer_with_what_was_written_and_calculated(hub, clock):
    made = create(hub, "tickets", subject="S", hs_pipeline_stage="1")
    assert made.status_code == 201
    assert made.json()["properties"]["subject"] == "S"
    assert "content" not in made.json()["properties"]
    clock.advance(timedelta(seconds=5))
    closed = hub.objects(
        "PATCH", f"tickets/{made.json()['id']}", json={"properties": {"hs_pipeline_stage": "4"}}
    ).json()
    assert closed["properties"]["closed_date"] == "2026-03-02T09:00:05Z"
    assert closed["properties"]["time_to_close"] == "5000"
    again = hub.objects("PATCH", f"tickets/{closed['id']}", json={"properties": {"hs_pipeline_stage": "2"}}).json()
    assert "closed_date" not in again["properties"]


def test_the_stage_alone_says_which_pipeline_and_whether_it_closes(hub, portal):
    pipeline, stages = portal.new_pipeline(
        "tickets", "Returns", {"In": {"ticketState": "OPEN"}, "Out": {"ticketState": "CLOSED"}}
    )
    made = create(hub, "tickets", subject="S", hs_pipeline_stage=stages["Out"]).json()
    assert portal.get("tickets", made["id"])["hs_pipeline"] == pipeline
    assert "closed_date" in made["properties"]
    wrong = create(hub, "tickets", subject="S", hs_pipeline="0", hs_pipeline_stage=stages["Out"]).json()
    assert wrong["errors"][0]["code"] == "INVALID_OPTION"
    words = f"{stages['Out']} is not a valid pipeline stage ID. Valid options are: pipelineId=0 : [1, 2, 3, 4]"
    assert wrong["errors"][0]["message"] == words


def test_some_portals_have_a_property_for_closed_tickets(hub, portal):
    ticket = portal.insert("tickets", {"hs_pipeline_stage": "4"})
    assert "hs_is_closed" not in portal.get("tickets", ticket)
    portal.new_property("tickets", Property("hs_is_closed", "bool", "booleancheckbox", read_only=True))
    portal.update("tickets", ticket, {"subject": "S"})
    assert portal.get("tickets", ticket)["hs_is_closed"] == "true"


def test_deals_tell_whether_they_are_closed_and_won(portal):
    made = portal.insert("deals", {"dealname": "D", "dealstage": "closedlost"})
    assert (portal.get("deals", made)["hs_is_closed"], portal.get("deals", made)["hs_is_closed_won"]) == (
        "true",
        "false",
    )
    portal.update("deals", made, {"dealstage": "closedwon"})
    assert portal.get("deals", made)["hs_is_closed_won"] == "true"


@pytest.mark.parametrize(
    ("written", "refused"),
    [
        (
            ("contacts", "colour", "red"),
            ("PROPERTY_DOESNT_EXIST", 'Property "colour" does not exist'),
        ),
        (
            ("contacts", "email", "dsf@"),
            ("INVALID_EMAIL", "Email address dsf@ is invalid"),
        ),
        (
            ("contacts", "hs_object_id", "1"),
            ("READ_ONLY_VALUE", '"hs_object_id" is a read only property; its value cannot be set.'),
        ),
        (
            ("contacts", "hs_email_optout", "true"),
            ("READ_ONLY_VALUE", '"hs_email_optout" is a read only property; its value cannot be set.'),
        ),
        (
            ("tasks", "hs_task_priority", "Very high"),
            ("INVALID_OPTION", "Very high was not one of the allowed options: [NONE, LOW, MEDIUM, HIGH]"),
        ),
        (
            ("calls", "hs_timestamp", "2019-05-13T12:05:53.602759Z"),
            ("INVALID_LONG", "2019-05-13T12:05:53.602759Z was not a valid long."),
        ),
        (
            ("companies", "numberofemployees", "many"),
            ("INVALID_INTEGER", "many was not a valid integer."),
        ),
        (
            ("companies", "hubspot_owner_id", "29947847357121"),
            ("INVALID_INTEGER", "29947847357121 was not a valid integer (for owner ID)."),
        ),
    ],
)
def test_values_that_do_not_fit_are_refused_with_the_vendors_words(hub, portal, written, refused):
    (kind, name, value), (code, words) = written, refused
    answer = create(hub, kind, **{name: value})
    assert answer.status_code == 400
    body = answer.json()
    assert (body["status"], body["category"]) == ("error", "VALIDATION_ERROR")
    assert body["errors"] == [{"message": words, "code": code, "context": {"propertyName": [name]}}]
    assert body["message"].startswith('Property values were not valid: [{"isValid":false,"message":')
    assert portal.count(kind) == 0


def test_a_user_id_is_no_owner_id(hub, portal):
    assert create(hub, "companies", hubspot_owner_id=str(portal.admin.user_id)).status_code == 400
    assert create(hub, "companies", hubspot_owner_id=str(portal.admin.id)).status_code == 201


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("numberofemployees", "10.0", "10"),
        ("numberofemployees", "1E+3", "1000"),
        ("numberofemployees", 12.5, "12.5"),
        ("founded", "2026-01-05", "2026-01-05"),
        ("founded", "1767571200000", "2026-01-05"),
        ("seen", "1767571200123", "2026-01-05T00:00:00.123Z"),
        ("seen", "2026-01-05T10:00:00+02:00", "2026-01-05T08:00:00Z"),
        ("regions", "north;south", "north;south"),
    ],
)
def test_values_are_kept_as_text_in_one_form(hub, portal, name, given, kept):
    _more_properties(portal)
    made = create(hub, "companies", **{name: given})
    assert made.json()["properties"][name] == kept


def test_a_date_is_a_day_in_utc(hub, portal):
    _more_properties(portal)
    body = create(hub, "companies", founded="1635535865000").json()
    assert body["errors"][0]["message"] == "1635535865000 is at 19:31:5.0 UTC, not midnight!"


def _more_properties(portal):
    portal.new_property("companies", Property("founded", "date", "date"))
    portal.new_property("companies", Property("seen", "datetime", "date"))
    regions = tuple(Option(value, value.title()) for value in ("north", "south"))
    portal.new_property("companies", Property("regions", "enumeration", "checkbox", options=regions))


def test_an_empty_text_clears_and_null_changes_nothing(hub, portal):
    made = portal.insert("contacts", {"firstname": "Ann", "lastname": "Lee"})
    hub.objects("PATCH", f"contacts/{made}", json={"properties": {"firstname": "", "lastname": None}})
    row = hub.objects("GET", f"contacts/{made}").json()["properties"]
    assert (row["firstname"], row["lastname"]) == (None, "Lee")


def test_an_address_is_taken_once(hub, portal):
    first = portal.insert("contacts", {"email": "a@x.example"})
    answer = create(hub, "contacts", email="A@x.example")
    assert (answer.status_code, answer.json()["category"]) == (409, "CONFLICT")
    assert answer.json()["message"] == f"Contact already exists. Existing ID: {first}"
    portal.archive("contacts", first)
    assert create(hub, "contacts", email="a@x.example").status_code == 201


def test_what_is_required_is_missed(hub):
    ticket = create(hub, "tickets", subject="S").json()
    assert ticket["message"] == "Error creating TICKET. Some required properties were not set."
    assert ticket["context"] == {"properties": ["hs_pipeline_stage"]}
    assert create(hub, "tasks", hs_task_subject="S").json()["context"] == {"properties": ["hs_timestamp"]}


def test_bodies_that_are_no_json_objects(hub):
    head = {"Content-Type": "application/json"}
    broken = hub.objects("POST", "contacts", data=b"{", headers=head).json()
    assert broken["message"].startswith("Invalid input JSON on line 1, column 2: ")
    wrong = hub.objects("POST", "contacts", json=[]).json()
    assert "Cannot deserialize instance of `java.util.LinkedHashMap` out of START_ARRAY token" in wrong["message"]
    assert hub.objects("POST", "contacts", json={}).json()["message"].endswith("not set: [properties]")
    assert hub.objects("POST", "contacts", data=b"{}").status_code == 415


def test_history_tells_values_newest_first(hub, portal, clock):
    made = portal.insert("contacts", {"firstname": "Ann"})
    clock.advance(timedelta(minutes=1))
    portal.update("contacts", made, {"firstname": "Anna"})
    path = f"contacts/{made}"
    told = hub.objects("GET", path, params={"propertiesWithHistory": "firstname"}).json()["propertiesWithHistory"]
    assert [(each["value"], each["timestamp"]) for each in told["firstname"]] == [
        ("Anna", "2026-03-02T09:01:00Z"),
        ("Ann", "2026-03-02T09:00:00Z"),
    ]


def test_feedback_submissions_are_read_only(hub, portal):
    made = portal.insert("feedback_submissions", {"hs_survey_type": "NPS", "hs_value": 9})
    row = hub.objects("GET", f"feedback_submissions/{made}", params={"properties": "hs_value"}).json()
    assert row["properties"]["hs_value"] == "9"
    assert (
        hub.objects("PATCH", f"feedback_submissions/{made}", json={"properties": {"hs_value": "1"}}).status_code == 405
    )
    assert create(hub, "feedback_submissions", hs_value="1").status_code == 405


def test_a_logged_activity_moves_the_stamp_of_its_contact(hub, portal, clock):
    contact = portal.insert("contacts", {"firstname": "Ann"})
    clock.advance(timedelta(minutes=1))
    spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 202}
    note = {
        "properties": {"hs_timestamp": "0", "hs_note_body": "x"},
        "associations": [{"to": {"id": contact}, "types": [spec]}],
    }
    assert hub.objects("POST", "notes", json=note).status_code == 201
    assert portal.get("contacts", contact)["lastmodifieddate"] == "2026-03-02T09:01:00Z"
    portal.configure(activities_touch=False)
    clock.advance(timedelta(minutes=1))
    assert hub.objects("POST", "notes", json=note).status_code == 201
    assert portal.get("contacts", contact)["lastmodifieddate"] == "2026-03-02T09:01:00Z"


def test_ids_are_long_and_alike_in_different_objects(portal):
    contact, company = portal.insert("contacts", {"firstname": "A"}), portal.insert("companies", {"name": "A"})
    assert contact == company
    assert int(contact) > 2**31


def test_python_values_become_wire_text(portal):
    portal_id = portal.insert(
        "calls", {"hs_timestamp": datetime(2026, 1, 1, tzinfo=UTC), "hs_call_duration": 90_000.0, "hs_call_title": None}
    )
    row = portal.get("calls", portal_id)
    assert (row["hs_timestamp"], row["hs_call_duration"]) == ("2026-01-01T00:00:00Z", "90000")
    assert "hs_call_title" not in row
    made = portal.insert("deals", {"dealname": "D", "closedate": date(2026, 2, 1)})
    assert portal.get("deals", made)["closedate"] == "2026-02-01T00:00:00Z"


def test_many_records_are_taken_as_they_are(hub, portal):
    stamp = datetime(2024, 1, 1, tzinfo=UTC)
    rows = [{"name": f"C{number}", "created": stamp, "modified": stamp + timedelta(days=number)} for number in range(3)]
    ids = portal.load("companies", [*rows, {"name": "old", "archived": stamp}])
    assert [row["id"] for row in hub.objects("GET", "companies").json()["results"]] == ids[:3]
    portal.load("companies", [{"name": "between", "id": int(ids[0]) - 1}])
    first = hub.objects("GET", "companies", params={"limit": 1, "properties": "name"}).json()["results"][0]
    assert first["properties"]["name"] == "between"
    portal.purge("companies", first["id"])
    later = portal.insert("companies", {"name": "new"})
    assert int(later) > int(ids[-1])
    found = hub.found(
        "companies", {"propertyName": "hs_lastmodifieddate", "operator": "LT", "value": "2024-01-02T12:00:00Z"}
    )
    assert sorted(found) == ids[:2]
