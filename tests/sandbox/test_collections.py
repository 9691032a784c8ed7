"""Many records in one call, and many calls in one."""

import pytest

from adapters.sandbox.salesforce import Field


def of(kind, **values):
    return {"attributes": {"type": kind}, **values}


def send(http, method, path, records, **more):
    return http.api(method, f"composite/sobjects{path}", json={"records": records, **more})


@pytest.fixture
def keyed(org):
    org.new_field("Account", Field("Key__c", "string", "Key", length=64, external_id=True, unique=True), grant=True)
    return org


def test_each_record_has_a_result_in_order_and_a_failed_one_no_id(http, org):
    answer = send(http, "POST", "", [of("Account", Name="A"), of("Account"), of("Contact", LastName="C")])
    assert answer.status_code == 200
    first, second, third = answer.json()
    assert first == {"id": org.rows("Account")[0]["Id"], "success": True, "errors": []}
    assert second == {
        "success": False,
        "errors": [
            {
                "statusCode": "REQUIRED_FIELD_MISSING",
                "message": "Required fields are missing: [Name]",
                "fields": ["Name"],
            }
        ],
    }
    assert third["success"]


def test_all_or_none_undoes_the_good_ones(http, org):
    answer = send(http, "POST", "", [of("Account", Name="A"), of("Account")], allOrNone=True)
    good, bad = answer.json()
    assert good["errors"][0]["statusCode"] == "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    assert bad["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert org.rows("Account") == []


def test_more_than_200_records_or_ten_chunks_are_refused(http, org):
    many = send(http, "POST", "", [of("Account", Name="A")] * 201)
    assert many.status_code == 400
    assert many.json() == [
        {
            "message": "record limit reached. cannot submit more than 200 records into this call",
            "errorCode": "EXCEEDED_ID_LIMIT",
        }
    ]
    mixed = [of("Account", Name="A"), of("Contact", LastName="C")] * 6
    assert send(http, "POST", "", mixed).status_code == 400
    assert send(http, "POST", "", sorted(mixed, key=str)).status_code == 200


def test_an_unknown_column_fails_the_whole_call(http, org):
    answer = send(http, "POST", "", [of("Account", Name="A"), of("Account", Name="B", Nope__c=1)])
    assert answer.status_code == 400
    assert answer.json()[0]["message"] == "No such column 'Nope__c' on sobject of type Account"
    assert org.rows("Account") == []


def test_update_names_the_record_in_the_body_and_refuses_one_id_twice(http, org):
    one, two = (org.insert("Account", {"Name": name}) for name in "AB")
    answer = send(http, "PATCH", "", [of("Account", Id=one, Name="A2"), of("Account", id=two, Name="B2")])
    assert [each["success"] for each in answer.json()] == [True, True]
    twice = send(http, "PATCH", "", [of("Account", Id=one, Name="X"), of("Account", Id=one, Name="Y")])
    assert [each["success"] for each in twice.json()] == [False, False]
    assert org.get("Account", one)["Name"] == "A2"


def test_upsert_takes_the_key_in_the_body(http, keyed):
    old = keyed.insert("Account", {"Name": "Old", "Key__c": "a-1"})
    records = [of("Account", Key__c="a-1", Name="New"), of("Account", Key__c="a-2", Name="Second")]
    updated, created = send(http, "PATCH", "/Account/Key__c", records).json()
    assert updated == {"id": old, "success": True, "errors": [], "created": False}
    assert created["created"] is True


def test_upsert_of_one_key_twice_fails_both(http, keyed):
    records = [
        of("Account", Key__c="a-1", Name="A"),
        of("Account", Key__c="A-1", Name="B"),
        of("Account", Key__c="b", Name="C"),
    ]
    first, second, third = send(http, "PATCH", "/Account/Key__c", records).json()
    assert first["errors"][0]["statusCode"] == second["errors"][0]["statusCode"] == "DUPLICATE_VALUE"
    assert first["errors"][0]["message"] == "Duplicate external id specified: a-1"
    assert third["success"]
    assert len(keyed.rows("Account")) == 1


def test_delete_and_retrieve(http, org):
    one, two = (org.insert("Account", {"Name": name}) for name in "AB")
    unknown = "0018M000003uKqqQAE"
    answer = http.api("DELETE", "composite/sobjects", params={"ids": f"{one},{unknown}"})
    assert [each["success"] for each in answer.json()] == [True, False]
    kept = http.api("POST", "composite/sobjects/Account", json={"ids": [one, two, unknown], "fields": ["Name"]}).json()
    assert kept[0] is None
    assert kept[1]["Name"] == "B"
    assert kept[2] is None


def composite(http, calls, **more):
    return http.api("POST", "composite", json={"compositeRequest": calls, **more})


def sub(method, path, reference, body=None):
    call = {"method": method, "url": f"/services/data/v62.0/{path}", "referenceId": reference}
    return call if body is None else call | {"body": body}


def test_composite_calls_refer_to_each_other_and_count_once(http, org):
    answer = composite(
        http,
        [
            sub("POST", "sobjects/Account", "one", {"Name": "A"}),
            sub("POST", "sobjects/Contact", "two", {"LastName": "C", "AccountId": "@{one.id}"}),
            sub("GET", "query?q=SELECT+AccountId+FROM+Contact", "three"),
        ],
    )
    one, two, three = answer.json()["compositeResponse"]
    assert [each["httpStatusCode"] for each in (one, two, three)] == [201, 201, 200]
    assert three["body"]["records"][0]["AccountId"] == one["body"]["id"]
    assert org.limits.used == 1


def test_composite_all_or_none_halts_the_others(http, org):
    calls = [sub("POST", "sobjects/Account", "one", {"Name": "A"}), sub("POST", "sobjects/Account", "two", {})]
    one, two = composite(http, calls, allOrNone=True).json()["compositeResponse"]
    assert (one["httpStatusCode"], one["body"][0]["errorCode"]) == (400, "PROCESSING_HALTED")
    assert two["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert org.rows("Account") == []
    assert composite(http, [calls[0]] * 26).status_code == 400


def test_batch_calls_are_independent_and_each_counts(http, org):
    calls = [{"method": "GET", "url": "v62.0/limits"}, {"method": "GET", "url": "v62.0/sobjects/Nope/describe"}]
    answer = http.api("POST", "composite/batch", json={"batchRequests": calls}).json()
    assert answer["hasErrors"] is True
    assert [each["statusCode"] for each in answer["results"]] == [200, 404]
    assert org.limits.used == 3
