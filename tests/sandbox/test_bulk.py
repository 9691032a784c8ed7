"""Bulk API 2.0 jobs, through simple-salesforce and by hand."""

import csv
import io

import pytest
import simple_salesforce
from simple_salesforce import exceptions

from adapters.sandbox.salesforce import Field


@pytest.fixture
def bulk(sf):
    return sf.bulk2


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


def job(http, body, content=None):
    made = http.api("POST", "jobs/ingest", json={"contentType": "CSV", "lineEnding": "LF"} | body)
    assert made.status_code == 200, made.text
    path = f"jobs/ingest/{made.json()['id']}"
    if content is not None:
        assert http.api("PUT", f"{path}/batches", data=content, headers={"Content-Type": "text/csv"}).status_code == 201
        assert http.api("PATCH", path, json={"state": "UploadComplete"}).status_code == 200
    return path


def test_insert_and_query_through_simple_salesforce(bulk, org):
    rows = [{"Name": 'A "quoted"\nname', "NumberOfEmployees": "12"}, {"Name": "B", "NumberOfEmployees": "#N/A"}]
    (counts,) = bulk.Account.insert(records=rows, wait=0)
    assert (counts["numberRecordsProcessed"], counts["numberRecordsFailed"]) == (2, 0)
    texts = list(
        bulk.Account.query("SELECT Id, Name, NumberOfEmployees, IsDeleted, CreatedDate, Phone FROM Account", wait=0)
    )
    found = sorted(table(texts[0]), key=lambda row: row["Name"])
    assert [(row["Name"], row["NumberOfEmployees"]) for row in found] == [('A "quoted"\nname', "12"), ("B", "")]
    assert (found[0]["IsDeleted"], found[0]["CreatedDate"], found[0]["Phone"]) == (
        "false",
        "2026-03-02T09:00:00.000Z",
        "",
    )


def test_failed_rows_do_not_fail_the_job_and_come_in_another_order(bulk):
    rows = [{"LastName": "A"}, {"LastName": ""}, {"LastName": "C", "AccountId": "0018M000003uKqq"}, {"LastName": "D"}]
    (counts,) = bulk.Contact.insert(records=[{"AccountId": "", **row} for row in rows], wait=0)
    assert (counts["numberRecordsProcessed"], counts["numberRecordsFailed"]) == (4, 2)
    good = table(bulk.Contact.get_successful_records(counts["job_id"]))
    assert [row["LastName"] for row in good] == ["D", "A"]
    assert all(row["sf__Id"].startswith("003") and row["sf__Created"] == "true" for row in good)
    errors = {row["sf__Error"] for row in table(bulk.Contact.get_failed_records(counts["job_id"]))}
    assert errors == {
        "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --",
        "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:AccountId --",
    }
    assert table(bulk.Contact.get_unprocessed_records(counts["job_id"])) == []


def test_an_empty_cell_leaves_alone_and_not_available_empties(bulk, org):
    account = org.insert("Account", {"Name": "A", "Phone": "1", "Industry": "Energy"})
    bulk.Account.update(records=[{"Id": account, "Phone": "", "Industry": "#N/A"}], wait=0)
    row = org.get("Account", account)
    assert (row.get("Phone"), row.get("Industry")) == ("1", None)


def test_upsert_and_lookups_by_key_and_delete(bulk, org):
    org.new_field("Account", Field("Key__c", "string", "Key", length=20, external_id=True, unique=True), grant=True)
    bulk.Account.upsert(records=[{"Key__c": "k", "Name": "A"}], external_id_field="Key__c", wait=0)
    bulk.Account.upsert(records=[{"Key__c": "K", "Name": "A2"}], external_id_field="Key__c", wait=0)
    (account,) = org.rows("Account")
    assert account["Name"] == "A2"
    bulk.Contact.insert(records=[{"LastName": "C", "Account.Key__c": "k"}], wait=0)
    assert org.rows("Contact")[0]["AccountId"] == account["Id"]
    bulk.Account.delete(records=[{"Id": account["Id"]}], wait=0)
    assert org.get("Account", account["Id"])["IsDeleted"]


def test_a_hidden_column_fails_the_job(bulk, org):
    org.new_field("Account", Field("Hidden__c", "string", "Hidden", length=20))
    with pytest.raises(exceptions.SalesforceOperationError, match="InvalidBatch : Field name not found : Hidden__c"):
        bulk.Account.insert(records=[{"Name": "A", "Hidden__c": "x"}], wait=0)
    assert org.rows("Account") == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"Name\r\nA\r\n", "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF"),
        (b"\xef\xbb\xbfName\nA\n", "InvalidBatch : Field name not found : \ufeffName"),
    ],
)
def test_uploads_that_cannot_be_read(http, content, words):
    path = job(http, {"object": "Account", "operation": "insert"}, content)
    answer = http.api("GET", path).json()
    assert (answer["state"], answer["errorMessage"]) == ("Failed", words)


def test_only_one_upload_to_a_job(http):
    path = job(http, {"object": "Account", "operation": "insert"})
    headers = {"Content-Type": "text/csv"}
    assert http.api("PUT", f"{path}/batches", data="Name\nA\n", headers=headers).status_code == 201
    again = http.api("PUT", f"{path}/batches", data="Name\nB\n", headers=headers)
    assert again.status_code == 400
    assert again.json()[0]["message"].startswith("Found multiple contents for job")


def test_a_job_takes_its_time_and_can_be_aborted(http, org):
    org.jobs.polls = 1
    path = job(http, {"object": "Account", "operation": "insert"}, "Name\nA\n")
    assert [http.api("GET", path).json()["state"] for _ in range(2)] == ["InProgress", "JobComplete"]
    other = job(http, {"object": "Account", "operation": "insert"})
    assert http.api("PATCH", other, json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert http.api("DELETE", other).status_code == 204
    assert http.api("GET", other).status_code == 404


def test_query_results_come_in_parts_and_the_last_locator_is_the_word_null(http, org):
    org.load("Contact", ({"LastName": f"N{number}"} for number in range(25)))
    made = http.api("POST", "jobs/query", json={"operation": "query", "query": "SELECT Id FROM Contact"}).json()
    path = f"jobs/query/{made['id']}"
    assert http.api("GET", path).json()["state"] == "JobComplete"
    first = http.api("GET", f"{path}/results", params={"maxRecords": 20})
    assert first.headers["Sforce-NumberOfRecords"] == "20"
    second = http.api("GET", f"{path}/results", params={"maxRecords": 20, "locator": first.headers["Sforce-Locator"]})
    assert (second.headers["Sforce-NumberOfRecords"], second.headers["Sforce-Locator"]) == ("5", "null")
    assert first.text.startswith('"Id"\n"003')
    assert http.api("GET", f"{path}/results", version="61.0").status_code == 409


def test_large_numbers_are_written_with_an_exponent(http, org):
    org.load("Account", [{"Name": "A", "AnnualRevenue": 12_000_000.0}, {"Name": "B", "AnnualRevenue": 1_000_000.0}])
    query = "SELECT AnnualRevenue FROM Account ORDER BY Name"
    path = f"jobs/query/{http.api('POST', 'jobs/query', json={'operation': 'query', 'query': query}).json()['id']}"
    http.api("GET", path)
    assert http.api("GET", f"{path}/results").text == '"AnnualRevenue"\n"1.2E7"\n"1000000.0"\n'


@pytest.mark.parametrize(
    "query",
    [
        "SELECT COUNT() FROM Account",
        "SELECT Id FROM Account OFFSET 5",
        "SELECT BillingAddress FROM Account",
        "SELECT Nope FROM Account",
    ],
)
def test_what_a_query_job_cannot_do(http, query):
    answer = http.api("POST", "jobs/query", json={"operation": "query", "query": query})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "API_ERROR")


def test_the_package_keeps_the_token_that_it_had_when_bulk_was_first_touched(server, org, http):
    session = org.oauth.open(org.integration_id)
    sf = simple_salesforce.Salesforce(session_id=session.token, instance_url=server.url, session=http, version="62.0")
    contacts = sf.bulk2.Contact
    org.oauth.end(session.token)
    with pytest.raises(exceptions.SalesforceExpiredSession):
        contacts.insert(records=[{"LastName": "A"}], wait=0)
