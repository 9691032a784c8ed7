"""Single records: create, read, update, upsert, delete, and what each refusal says."""

from datetime import timedelta

import pytest
from simple_salesforce import exceptions
from simple_salesforce.format import format_external_id

from adapters.sandbox.salesforce import Field, RowError
from adapters.sandbox.salesforce.org.ids import to_18


def key_field(org, entity="Account", name="Key__c", **more):
    org.new_field(entity, Field(name, "string", "Key", length=64, external_id=True, unique=True, **more), grant=True)


def refused(answer):
    assert answer.status_code >= 400, answer.text
    (error, *_) = answer.json()
    return error["errorCode"], error["message"]


def test_the_checksum_of_a_known_id():
    assert to_18("0018M000003uKqq") == "0018M000003uKqqQAE"


def test_create_read_update_delete_through_simple_salesforce(sf, org):
    made = sf.Account.create({"Name": "  Acme  ", "Industry": "", "AnnualRevenue": 5})
    assert made == {"id": made["id"], "success": True, "errors": []}
    account = sf.Account.get(made["id"][:15])
    assert (account["Name"], account["Industry"], account["AnnualRevenue"]) == ("Acme", None, 5.0)
    assert account["CreatedDate"] == "2026-03-02T09:00:00.000+0000"
    assert account["CreatedById"] == org.integration_id
    assert sf.Account.update(made["id"], {"Name": "Acme Oy"}) == 204
    assert sf.Account.delete(made["id"]) == 204
    with pytest.raises(exceptions.SalesforceResourceNotFound) as caught:
        sf.Account.get(made["id"])
    assert caught.value.content == [{"message": "entity is deleted", "errorCode": "ENTITY_IS_DELETED", "fields": []}]


def test_an_update_that_changes_nothing_moves_both_stamps(sf, org):
    account = org.insert("Account", {"Name": "Acme"})
    org.clock.advance(timedelta(minutes=5, milliseconds=700))
    sf.Account.update(account, {"Name": "Acme"})
    row = sf.Account.get(account)
    assert row["SystemModstamp"] == row["LastModifiedDate"] == "2026-03-02T09:05:00.000+0000"


@pytest.mark.parametrize(
    ("object_name", "body", "code", "message"),
    [
        ("Account", {}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]"),
        (
            "Contact",
            {"LastName": "x" * 81},
            "STRING_TOO_LONG",
            f"Last Name: data value too large: {'x' * 81} (max length=80)",
        ),
        ("Contact", {"LastName": "x", "Email": "a b"}, "INVALID_EMAIL_ADDRESS", "Email: invalid email address: a b"),
        (
            "Account",
            {"Name": "x", "NumberOfEmployees": 1431655766},
            "NUMBER_OUTSIDE_VALID_RANGE",
            "Employees: value outside of valid range on numeric field: 1431655766",
        ),
        (
            "Task",
            {"TaskSubtype": "Test"},
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "Task Subtype: bad value for restricted picklist field: Test",
        ),
        (
            "Contact",
            {"LastName": "x", "AccountId": "1234"},
            "MALFORMED_ID",
            "Account ID: id value of incorrect type: 1234",
        ),
        (
            "Contact",
            {"LastName": "x", "OwnerId": "035000000000001"},
            "FIELD_INTEGRITY_EXCEPTION",
            "Owner ID: id value of incorrect type: 035000000000001AAA",
        ),
        (
            "Contact",
            {"LastName": "x", "AccountId": "0018M000003uKqq"},
            "INVALID_CROSS_REFERENCE_KEY",
            "invalid cross reference id",
        ),
        ("Contact", {"foo": "x"}, "INVALID_FIELD", "No such column 'foo' on sobject of type Contact"),
        (
            "Contact",
            {"LastName": 7},
            "JSON_PARSER_ERROR",
            "Cannot deserialize instance of string from VALUE_NUMBER_INT",
        ),
        (
            "Case",
            {"ClosedDate": "2017-10-17T00:00:00Z"},
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            "Unable to create/update fields: ClosedDate. Please check the security settings",
        ),
        (
            "Event",
            {"StartDateTime": "2017-10-17 00:00:00"},
            "JSON_PARSER_ERROR",
            "Cannot deserialize instance of datetime from VALUE_STRING value 2017-10-17 00:00:00",
        ),
        ("Event", {"Subject": "x"}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [StartDateTime]"),
    ],
)
def test_refusals_in_the_vendors_words(http, object_name, body, code, message):
    answer = http.api("POST", f"sobjects/{object_name}", json=body)
    assert answer.status_code == 400
    found_code, found_message = refused(answer)
    assert found_code == code
    assert found_message.startswith(message)


def test_a_body_that_is_not_declared_as_json_is_refused(http):
    answer = http.api("POST", "sobjects/Account", data="{}", headers={"Content-Type": "text/xml"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_missing_records_and_objects_are_not_found(http):
    assert http.api("GET", "sobjects/Account/0018M000003uKqq").status_code == 404
    assert refused(http.api("GET", "sobjects/Nope/describe")) == ("NOT_FOUND", "The requested resource does not exist")


def test_an_inactive_user_cannot_be_given_a_record(http, org):
    gone = org.add_user("Olli Owner", "olli@northwind.example", active=False)
    code, message = refused(http.api("POST", "sobjects/Task", json={"Subject": "x", "OwnerId": gone}))
    assert code == "INACTIVE_OWNER_OR_USER"
    assert gone[:15] in message


def test_upsert_by_key(http, sf, org):
    key_field(org)
    path = "sobjects/Account/Key__c/a%2F1%3F%25"
    made = http.api("PATCH", path, json={"Name": "Acme"})
    assert (made.status_code, made.json()["created"]) == (201, True)
    assert org.get("Account", made.json()["id"])["Key__c"] == "a/1?%"
    again = http.api("PATCH", path, json={"Name": "Acme Oy"})
    assert (again.status_code, again.json()) == (200, made.json() | {"created": False})
    assert http.api("PATCH", path, json={"Name": "Acme"}, version="45.0").status_code == 204
    assert sf.Account.upsert(format_external_id("Key__c", "a/1?%"), {"Name": "Acme"}) == 200
    by_key = http.api("GET", path)
    assert by_key.json()["Name"] == "Acme"


def test_upsert_refuses_the_key_in_the_body_and_fields_that_are_no_key(http, org):
    key_field(org)
    assert refused(http.api("PATCH", "sobjects/Account/Key__c/a", json={"Name": "x", "Key__c": "a"})) == (
        "INVALID_FIELD",
        "The Key__c field should not be specified in the sobject data.",
    )
    no_key = http.api("PATCH", "sobjects/Account/Industry/a", json={"Name": "x"})
    assert no_key.status_code == 404
    assert refused(no_key)[1] == "Provided external ID field does not exist or is not accessible: Industry"
    only = http.api("PATCH", "sobjects/Account/Key__c/a?updateOnly=true", json={"Name": "x"})
    assert only.status_code == 404
    assert http.api("PATCH", "sobjects/Account/Key__c/file.inc", json={"Name": "x"}).status_code == 404


def test_upsert_lists_the_records_when_several_match(http, org):
    org.new_field("Account", Field("Label__c", "string", "Label", length=9, external_id=True), grant=True)
    ids = [org.insert("Account", {"Name": f"A{number}", "Label__c": "same"}) for number in range(2)]
    answer = http.api("PATCH", "sobjects/Account/Label__c/SAME", json={"Name": "x"})
    assert answer.status_code == 300
    assert answer.json() == [f"/services/data/v62.0/sobjects/Account/{each}" for each in ids]


def test_a_unique_value_is_taken_whatever_its_case_and_the_answer_names_15_characters(http, org):
    key_field(org)
    first = org.insert("Account", {"Name": "A", "Key__c": "k-1"})
    assert refused(http.api("POST", "sobjects/Account", json={"Name": "B", "Key__c": "K-1"})) == (
        "DUPLICATE_VALUE",
        f"duplicate value found: Key__c duplicates value on record with id: {first[:15]}",
    )


def test_a_parent_may_be_named_by_its_key(http, org):
    key_field(org)
    account = org.insert("Account", {"Name": "A", "Key__c": "k"})
    made = http.api("POST", "sobjects/Contact", json={"LastName": "x", "Account": {"Key__c": "K"}}).json()
    assert org.get("Contact", made["id"])["AccountId"] == account
    assert refused(http.api("POST", "sobjects/Contact", json={"LastName": "x", "Account": {"Key__c": "0116"}})) == (
        "INVALID_FIELD",
        "Foreign key external ID: 0116 not found for field Key__c in entity Account",
    )


def test_a_case_takes_its_number_account_and_closing_time_by_itself(sf, org):
    account = org.insert("Account", {"Name": "A"})
    person = org.insert("Contact", {"LastName": "x", "AccountId": account, "Email": "x@a.example"})
    case = sf.Case.create({"ContactId": person, "Subject": "Broken"})["id"]
    row = sf.Case.get(case)
    assert (row["AccountId"], row["Status"], row["IsClosed"], row["ClosedDate"]) == (account, "New", False, None)
    assert (row["CaseNumber"], row["ContactEmail"], row["Priority"]) == ("00001001", "x@a.example", "Medium")
    org.clock.advance(timedelta(hours=2))
    sf.Case.update(case, {"Status": "Closed"})
    assert sf.Case.get(case)["ClosedDate"] == "2026-03-02T11:00:00.000+0000"
    sf.Case.update(case, {"Status": "Working"})
    assert (sf.Case.get(case)["IsClosed"], sf.Case.get(case)["ClosedDate"]) == (False, None)


def test_a_task_moves_the_stamp_of_its_account_but_not_the_modified_date(sf, org):
    account = org.insert("Account", {"Name": "A"})
    org.clock.advance(timedelta(minutes=1))
    task = sf.Task.create({"Subject": "Call", "WhatId": account, "ActivityDate": "2026-03-05", "Status": "Completed"})[
        "id"
    ]
    row = sf.Account.get(account)
    assert row["SystemModstamp"] == "2026-03-02T09:01:00.000+0000"
    assert row["LastModifiedDate"] == "2026-03-02T09:00:00.000+0000"
    assert row["LastActivityDate"] == "2026-03-05"
    assert sf.Task.get(task)["AccountId"] == account
    assert sf.Task.get(task)["CompletedDateTime"] == "2026-03-02T09:01:00.000+0000"


def test_an_opportunity_follows_its_stage(sf):
    made = sf.Opportunity.create({"Name": "O", "StageName": "Closed Won", "CloseDate": "2026-03-01", "Amount": 1000.5})
    row = sf.Opportunity.get(made["id"])
    assert (row["IsClosed"], row["IsWon"], row["Probability"], row["ExpectedRevenue"]) == (True, True, 100.0, 1000.5)


def test_an_event_knows_its_end(sf):
    made = sf.Event.create({"Subject": "Visit", "StartDateTime": "2026-03-03T10:00:00+02:00", "DurationInMinutes": 90})
    row = sf.Event.get(made["id"])
    assert row["StartDateTime"] == row["ActivityDateTime"] == "2026-03-03T08:00:00.000+0000"
    assert row["EndDateTime"] == "2026-03-03T09:30:00.000+0000"


def test_deleting_an_account_takes_its_contacts_and_is_refused_while_it_has_cases(http, org):
    account = org.insert("Account", {"Name": "A"})
    person = org.insert("Contact", {"LastName": "x", "AccountId": account})
    case = org.insert("Case", {"AccountId": account})
    assert refused(http.api("DELETE", f"sobjects/Account/{account}"))[0] == "DELETE_FAILED"
    org.delete("Case", case)
    assert http.api("DELETE", f"sobjects/Account/{account}").status_code == 204
    assert org.get("Contact", person)["IsDeleted"]


def test_a_merge_leaves_the_loser_in_the_bin_and_moves_its_children(http, org):
    winner, loser = (org.insert("Account", {"Name": name}) for name in ("W", "L"))
    person = org.insert("Contact", {"LastName": "x", "AccountId": loser})
    org.clock.advance(timedelta(minutes=1))
    org.merge("Account", winner, [loser])
    assert [row["Id"] for row in http.found("SELECT Id FROM Account")] == [winner]
    (gone,) = http.found("SELECT Id, MasterRecordId FROM Account WHERE IsDeleted = true", deleted=True)
    assert (gone["Id"], gone["MasterRecordId"]) == (loser, winner)
    moved = org.get("Contact", person)
    assert moved["AccountId"] == winner
    assert moved["SystemModstamp"] > moved["LastModifiedDate"]


def test_what_was_updated_and_deleted_in_a_span(sf, http, org):
    start = org.clock.now() - timedelta(minutes=10)
    kept, gone, purged = (org.insert("Account", {"Name": name}) for name in "KGP")
    org.delete("Account", gone)
    org.purge("Account", purged)
    org.clock.advance(timedelta(minutes=5))
    updated = sf.Account.updated(start, org.clock.now())
    assert updated["ids"] == [kept]
    assert updated["latestDateCovered"] == "2026-03-02T09:05:00.000+0000"
    deleted = sf.Account.deleted(start, org.clock.now())
    assert {each["id"] for each in deleted["deletedRecords"]} == {gone, purged}
    with pytest.raises(exceptions.SalesforceMalformedRequest) as caught:
        sf.Account.deleted(org.clock.now() - timedelta(days=16), org.clock.now())
    assert caught.value.content[0]["errorCode"] == "INVALID_REPLICATION_DATE"
    assert http.found("SELECT Id FROM Account WHERE IsDeleted = true", deleted=True)[0]["Id"] == gone


def test_rows_stamped_now_may_become_visible_later(sf, http, org):
    start = org.clock.now() - timedelta(minutes=10)
    late = org.insert("Contact", {"LastName": "Late"}, visible_after=timedelta(minutes=3))
    org.clock.advance(timedelta(minutes=2))
    assert http.found("SELECT Id FROM Contact") == []
    assert sf.Contact.updated(start, org.clock.now())["latestDateCovered"] == "2026-03-02T09:00:00.000+0000"
    org.clock.advance(timedelta(minutes=1))
    (row,) = http.found("SELECT Id, SystemModstamp FROM Contact")
    assert (row["Id"], row["SystemModstamp"]) == (late, "2026-03-02T09:00:00.000+0000")


def test_a_record_in_an_open_transaction_is_locked(http, org):
    account = org.insert("Account", {"Name": "A"})
    org.update("Account", account, {"Name": "B"}, visible_after=timedelta(minutes=1))
    assert refused(http.api("PATCH", f"sobjects/Account/{account}", json={"Name": "C"}))[0] == "UNABLE_TO_LOCK_ROW"
    assert org.get("Account", account)["Name"] == "A"
    org.clock.advance(timedelta(minutes=1))
    assert org.get("Account", account)["Name"] == "B"


def test_a_late_commit_does_not_take_back_what_happened_meanwhile(org):
    account = org.insert("Account", {"Name": "A"})
    person = org.insert("Contact", {"LastName": "x", "AccountId": account})
    org.insert(
        "Task", {"Subject": "Late", "WhatId": account, "Status": "Completed"}, visible_after=timedelta(minutes=5)
    )
    org.clock.advance(timedelta(minutes=2))
    org.insert("Task", {"Subject": "Soon", "WhoId": person})
    org.clock.advance(timedelta(minutes=3))
    row = org.get("Account", account)
    assert (row["SystemModstamp"], row["LastActivityDate"]) == ("2026-03-02T09:02:00.000+0000", "2026-03-02")
    assert org.count("Task") == 2


def test_a_key_in_an_open_transaction_cannot_be_taken_twice(http, org):
    key_field(org)
    org.insert("Account", {"Name": "A", "Key__c": "k"}, visible_after=timedelta(minutes=1))
    again = http.api("PATCH", "sobjects/Account/Key__c/K", json={"Name": "B"})
    assert refused(again)[0] == "UNABLE_TO_LOCK_ROW"
    org.clock.advance(timedelta(minutes=1))
    assert http.api("PATCH", "sobjects/Account/Key__c/K", json={"Name": "B"}).status_code == 200
    assert org.count("Account") == 1


def test_python_refuses_as_the_wire_does(org):
    with pytest.raises(RowError) as caught:
        org.insert("Contact", {})
    assert caught.value.code == "REQUIRED_FIELD_MISSING"


def test_limits_and_counts(http, sf, org):
    org.insert("Account", {"Name": "A"})
    org.limits.most = 5
    answer = http.api("GET", "limits/recordCount", params={"sObjects": "Account,Contact"})
    assert answer.json() == {"sObjects": [{"count": 1, "name": "Account"}, {"count": 0, "name": "Contact"}]}
    assert answer.headers["Sforce-Limit-Info"] == "api-usage=1/5"
    assert sf.limits()["DailyApiRequests"] == {"Max": 5, "Remaining": 3}
    for _ in range(3):
        http.api("GET", "limits")
    spent = http.api("GET", "limits")
    assert spent.status_code == 403
    assert spent.json() == [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
    assert "Retry-After" not in spent.headers
    org.clock.advance(timedelta(days=1))
    assert http.api("GET", "limits").status_code == 200
