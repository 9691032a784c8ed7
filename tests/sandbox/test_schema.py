"""Custom fields, who sees them, and what describe tells."""

import pytest

from adapters.sandbox.salesforce import Field

TEXT = {"type": "Text", "label": "Key", "length": 64, "externalId": True, "unique": True}


def make(http, name, **metadata):
    return http.api("POST", "tooling/sobjects/CustomField", json={"FullName": name, "Metadata": metadata})


def described(http, name):
    return {field["name"]: field for field in http.api("GET", f"sobjects/{name}/describe").json()["fields"]}


def grant(http, name, **more):
    object_name = name.partition(".")[0]
    parent = http.found("SELECT Id FROM PermissionSet WHERE Name = 'Mine'")
    if not parent:
        made = http.api("POST", "sobjects/PermissionSet", json={"Name": "Mine", "Label": "Mine"})
        parent = [{"Id": made.json()["id"]}]
    row = {"ParentId": parent[0]["Id"], "SobjectType": object_name, "Field": name, "PermissionsRead": True} | more
    return http.api("POST", "sobjects/FieldPermissions", json=row)


def assign(http, org):
    (parent,) = http.found("SELECT Id FROM PermissionSet WHERE Name = 'Mine'")
    row = {"PermissionSetId": parent["Id"], "AssigneeId": org.integration_id}
    return http.api("POST", "sobjects/PermissionSetAssignment", json=row)


def test_a_new_field_is_seen_by_nobody_until_it_is_granted_and_assigned(http, admin, org):
    made = make(admin, "Account.Score__c", type="Number", label="Score", precision=3, scale=0)
    assert made.status_code == 201
    assert made.json() == {"id": made.json()["id"], "success": True, "errors": [], "warnings": [], "infos": []}
    for session in (http, admin):
        assert "Score__c" not in described(session, "Account")
        assert session.query("SELECT Score__c FROM Account").json()[0]["errorCode"] == "INVALID_FIELD"
        assert session.api("POST", "sobjects/Account", json={"Name": "x", "Score__c": 1}).json()[0] == {
            "message": "No such column 'Score__c' on sobject of type Account",
            "errorCode": "INVALID_FIELD",
        }
    assert grant(admin, "Account.Score__c", PermissionsEdit=True).status_code == 201
    assert "Score__c" not in described(http, "Account")
    assert assign(admin, org).status_code == 201
    field = described(http, "Account")["Score__c"]
    assert (field["type"], field["precision"], field["scale"], field["custom"]) == ("double", 3, 0, True)
    assert field["createable"] and field["updateable"] and field["nillable"]
    assert "Score__c" not in described(admin, "Account")


def test_a_field_that_may_only_be_read(http, admin, org):
    make(admin, "Account.Score__c", type="Number", label="Score", precision=3, scale=0)
    grant(admin, "Account.Score__c")
    assign(admin, org)
    assert described(http, "Account")["Score__c"]["updateable"] is False
    answer = http.api("POST", "sobjects/Account", json={"Name": "x", "Score__c": 1})
    assert answer.json()[0]["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert answer.json()[0]["fields"] == ["Score__c"]


def test_a_required_field_is_always_seen_and_cannot_be_granted(http, admin):
    make(admin, "Account.Must__c", type="Text", label="Must", length=9, required=True)
    assert "Must__c" in described(http, "Account")
    refused = grant(admin, "Account.Must__c")
    assert refused.status_code == 400
    assert refused.json()[0]["message"].startswith("Field Name: bad value for restricted picklist field")


@pytest.mark.parametrize("rights", [{"PermissionsRead": False}, {"PermissionsRead": False, "PermissionsEdit": True}])
def test_edit_needs_read_and_a_grant_of_nothing_cannot_be(admin, rights):
    make(admin, "Account.Score__c", type="Number", label="Score", precision=3, scale=0)
    assert grant(admin, "Account.Score__c", **rights).json()[0]["errorCode"] == "FIELD_INTEGRITY_EXCEPTION"


def test_a_grant_on_the_profile_needs_no_assignment(http, admin, org):
    make(admin, "Contact.Key__c", **TEXT)
    profile = org.get("User", org.integration_id)["ProfileId"]
    (parent,) = admin.found(f"SELECT Id FROM PermissionSet WHERE IsOwnedByProfile = true AND ProfileId = '{profile}'")  # noqa: S608
    row = {"ParentId": parent["Id"], "SobjectType": "Contact", "Field": "Contact.Key__c", "PermissionsRead": True}
    admin.api("POST", "sobjects/FieldPermissions", json=row)
    field = described(http, "Contact")["Key__c"]
    assert field["externalId"] and field["unique"] and field["idLookup"] and field["length"] == 64


def test_the_integration_user_may_not_set_anything_up(http):
    assert make(http, "Account.Key__c", **TEXT).status_code == 403
    refused = http.api("POST", "sobjects/PermissionSet", json={"Name": "Mine", "Label": "Mine"})
    assert refused.json()[0]["errorCode"] == "INSUFFICIENT_ACCESS_OR_READONLY"


def test_activity_fields_show_on_tasks_and_events(admin, org):
    assert make(admin, "Task.Key__c", **TEXT).status_code == 400
    assert make(admin, "Activity.Key__c", **TEXT).status_code == 201
    assert all("Key__c" in org.schema.objects[name].fields for name in ("Task", "Event"))
    assert grant(admin, "Task.Key__c").status_code == 201


@pytest.mark.parametrize(
    ("metadata", "code", "words"),
    [
        (
            {"type": "Long Text Area", "label": "x"},
            "JSON_PARSER_ERROR",
            "instance of complexvalue from VALUE_STRING value",
        ),
        ({"type": "Text", "label": "x"}, "FIELD_INTEGRITY_EXCEPTION", "length"),
        ({"type": "Checkbox", "label": "x"}, "FIELD_INTEGRITY_EXCEPTION", "defaultValue"),
        ({"type": "Picklist", "label": "x"}, "FIELD_INTEGRITY_EXCEPTION", "value set"),
        ({"type": "Date", "label": "x", "unique": True}, "FIELD_INTEGRITY_EXCEPTION", "Date"),
    ],
)
def test_metadata_that_makes_no_field(admin, metadata, code, words):
    error = make(admin, "Account.X__c", **metadata).json()[0]
    assert error["errorCode"] == code
    assert words in error["message"]


def test_a_taken_name_is_refused_and_a_deleted_field_takes_its_values_along(http, admin, org):
    field_id = make(admin, "Account.Key__c", **TEXT).json()["id"]
    assert make(admin, "Account.Key__c", **TEXT).json()[0]["errorCode"] == "DUPLICATE_DEVELOPER_NAME"
    account = org.insert("Account", {"Name": "A", "Key__c": "k"})
    grant(admin, "Account.Key__c")
    assert admin.api("DELETE", f"tooling/sobjects/CustomField/{field_id}").status_code == 204
    assert "Key__c" not in org.get("Account", account)
    assert admin.found("SELECT Id FROM FieldPermissions WHERE Field = 'Account.Key__c'") == []
    assert make(admin, "Account.Key__c", **TEXT).status_code == 201


def test_custom_fields_are_found_by_the_tooling_query_alone(http, admin):
    make(admin, "Account.Key__c", **TEXT)
    make(admin, "Account.Other__c", **TEXT)
    where = "WHERE TableEnumOrId = 'Account' AND DeveloperName = 'Key'"
    query = f"SELECT Id, DeveloperName, Metadata, FullName FROM CustomField {where}"  # noqa: S608
    (row,) = admin.api("GET", "tooling/query", params={"q": query}).json()["records"]
    assert (row["DeveloperName"], row["FullName"], row["Metadata"]["length"]) == ("Key", "Account.Key__c", 64)
    several = admin.api("GET", "tooling/query", params={"q": "SELECT Metadata FROM CustomField"})
    assert "no more than one row for retrieval. Result size: 2" in several.json()[0]["message"]
    assert http.query("SELECT Id FROM CustomField").json()[0]["errorCode"] == "INVALID_TYPE"


def test_a_field_can_be_changed(admin, org):
    field_id = make(admin, "Account.Key__c", **TEXT).json()["id"]
    changed = admin.api(
        "PATCH", f"tooling/sobjects/CustomField/{field_id}", json={"Metadata": TEXT | {"label": "Our key"}}
    )
    assert changed.status_code == 204
    assert org.schema.objects["Account"].fields["Key__c"].label == "Our key"


def test_layouts_gain_a_field_only_when_told(admin, org):
    make(admin, "Account.Key__c", **TEXT)
    query = "SELECT Id, Name FROM Layout WHERE TableEnumOrId = 'Account'"
    (row,) = admin.api("GET", "tooling/query", params={"q": query}).json()["records"]
    path = f"tooling/sobjects/Layout/{row['Id']}"
    metadata = admin.api("GET", path).json()["Metadata"]
    assert "Key__c" not in str(metadata)
    section = {"label": "Ours", "style": "OneColumn", "layoutColumns": [{"layoutItems": [{"field": "Key__c"}]}]}
    metadata["layoutSections"].append(section)
    assert admin.api("PATCH", path, json={"Metadata": metadata}).status_code == 204
    assert org.layout("Account")["layoutSections"][-1]["label"] == "Ours"
    section["layoutColumns"][0]["layoutItems"][0]["field"] = "Gone__c"
    assert "no CustomField named Account.Gone__c found" in admin.api("PATCH", path, json={"Metadata": metadata}).text


def test_describe_tells_the_vendors_attributes(http):
    fields = described(http, "Contact")
    assert fields["LastName"] == fields["LastName"] | {
        "type": "string",
        "length": 80,
        "byteLength": 240,
        "nillable": False,
        "createable": True,
        "updateable": True,
        "label": "Last Name",
    }
    assert fields["Name"]["nameField"] is True
    assert fields["Name"]["updateable"] is False
    assert fields["AccountId"]["referenceTo"] == ["Account"]
    assert fields["AccountId"]["relationshipName"] == "Account"
    assert fields["SystemModstamp"]["filterable"] and not fields["Description"]["filterable"]
    assert not {"HasOptedOutOfEmail", "DoNotCall"} & fields.keys()
    statuses = described(http, "Case")["Status"]["picklistValues"]
    assert [each["value"] for each in statuses] == ["New", "Working", "Escalated", "Closed"]
    assert [each["value"] for each in statuses if each["defaultValue"]] == ["New"]


def test_describe_is_not_sent_again_while_nothing_changed(http, org):
    first = http.api("GET", "sobjects/Account/describe")
    again = {"If-Modified-Since": first.headers["Last-Modified"]}
    unchanged = http.api("GET", "sobjects/Account/describe", headers=again)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    org.clock.advance(org.oauth.lifetime)
    org.new_field("Account", Field("New__c", "boolean", "New"), grant=True)
    assert http.api("GET", "sobjects/Account/describe", headers=again).status_code == 200


def test_an_object_without_access_is_not_there(http, org):
    for row in org.rows("ObjectPermissions", SobjectType="Opportunity"):
        org.update("ObjectPermissions", row["Id"], {"PermissionsRead": False})
    names = {each["name"] for each in http.api("GET", "sobjects").json()["sobjects"]}
    assert "Opportunity" not in names
    assert "Account" in names
    assert http.api("GET", "sobjects/Opportunity/describe").status_code == 404
    assert http.query("SELECT Id FROM Opportunity").json()[0]["errorCode"] == "INVALID_TYPE"


def test_statuses_tell_which_of_them_are_closed(http):
    rows = http.found("SELECT MasterLabel, IsClosed FROM CaseStatus WHERE IsClosed = true")
    assert [row["MasterLabel"] for row in rows] == ["Closed"]
    assert http.found("SELECT TimeZoneSidKey, IsSandbox FROM Organization")[0]["TimeZoneSidKey"] == "Europe/Helsinki"


def test_grants_and_assignments_exist_once(admin, org):
    make(admin, "Account.Score__c", type="Number", label="Score", precision=3, scale=0)
    assert [grant(admin, "Account.Score__c").status_code for _ in range(2)] == [201, 400]
    assert [assign(admin, org).status_code for _ in range(2)] == [201, 400]
    again = admin.api("POST", "sobjects/PermissionSet", json={"Name": "Mine", "Label": "Mine"})
    assert again.json()[0]["errorCode"] == "DUPLICATE_DEVELOPER_NAME"


def test_a_permission_set_goes_with_its_grants_once_nobody_has_it(admin, org):
    make(admin, "Account.Score__c", type="Number", label="Score", precision=3, scale=0)
    grant(admin, "Account.Score__c")
    assignment = assign(admin, org).json()["id"]
    (parent,) = admin.found("SELECT Id FROM PermissionSet WHERE Name = 'Mine'")
    path = f"sobjects/PermissionSet/{parent['Id']}"
    assert admin.api("DELETE", path).json()[0]["errorCode"] == "DELETE_FAILED"
    assert admin.api("DELETE", f"sobjects/PermissionSetAssignment/{assignment}").status_code == 204
    assert admin.api("DELETE", path).status_code == 204
    assert admin.found("SELECT Id FROM FieldPermissions WHERE Field = 'Account.Score__c'") == []
    assert admin.found("SELECT Id FROM PermissionSet WHERE Name = 'Mine'", deleted=True) == []
