"""The switches: each does what it says, counts what it hit, and can be set from another process."""

from datetime import timedelta

import pytest
import requests


def test_the_nth_call_fails_and_the_next_works(http, org):
    body = [{"message": "down", "errorCode": "SERVER_UNAVAILABLE"}]
    fault = org.faults.fail(503, body, path=r"/query", nth=2)
    statuses = [http.query("SELECT Id FROM Account").status_code for _ in range(3)]
    assert statuses == [200, 503, 200]
    assert fault.hits == 1
    assert http.api("GET", "limits").status_code == 200


def test_too_many_calls_at_once_differ_from_too_many_a_day_in_the_words_only(http, org):
    org.limits.crowded = 1
    answer = http.api("GET", "limits")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (403, "REQUEST_LIMIT_EXCEEDED")
    assert answer.json()[0]["message"].startswith("ConcurrentRequests")
    assert http.api("GET", "limits").status_code == 200


def test_a_page_of_html_instead_of_json(http, org):
    org.faults.html(503)
    answer = http.api("GET", "limits")
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "text/html")
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


@pytest.mark.parametrize(("moment", "made"), [("before", 0), ("after", 1)])
def test_a_dropped_connection_before_or_after_the_work(http, org, moment, made):
    org.faults.drop(moment, method="POST")
    with pytest.raises(requests.ConnectionError):
        http.api("POST", "sobjects/Account", json={"Name": "A"})
    assert org.count("Account") == made


def test_a_body_cut_short(http, org):
    org.faults.truncate(10)
    with pytest.raises(requests.RequestException):
        http.api("GET", "sobjects/Account/describe")


def test_a_slow_answer_runs_into_the_callers_timeout(http, org):
    org.faults.slow(1.0)
    with pytest.raises(requests.ReadTimeout):
        http.get(f"{http.url}/services/data/v62.0/limits", timeout=0.2)


def test_a_token_that_dies_in_the_middle(http, org):
    org.faults.expire_token(nth=2)
    assert [http.api("GET", "limits").status_code for _ in range(3)] == [200, 401, 401]


def test_single_rows_are_refused_by_key_by_test_or_by_number(http, org):
    org.faults.refuse_row("Account", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "Not on Mondays", key="B")
    org.faults.refuse_row(
        "Account", "DUPLICATES_DETECTED", "Use one of these records?", test=lambda row: row.get("Name") == "C"
    )
    org.faults.refuse_row("Contact", "X", "third", nth=3, times=1)
    records = [{"attributes": {"type": "Account"}, "Name": name} for name in "ABC"]
    records += [{"attributes": {"type": "Contact"}, "LastName": name} for name in "KLMN"]
    results = http.api("POST", "composite/sobjects", json={"records": records}).json()
    codes = [result["errors"][0]["statusCode"] if result["errors"] else None for result in results]
    assert codes == [None, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "DUPLICATES_DETECTED", None, None, "X", None]


def test_a_duplicate_rule_lets_pass_who_insists(http, org):
    org.faults.refuse_row("Account", "DUPLICATES_DETECTED", "Use one of these records?")
    assert http.api("POST", "sobjects/Account", json={"Name": "A"}).status_code == 400
    insist = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
    assert http.api("POST", "sobjects/Account", json={"Name": "A"}, headers=insist).status_code == 201


def test_a_locked_account_blocks_its_own_update_and_its_new_children(http, org):
    account = org.insert("Account", {"Name": "A"})
    org.faults.lock_row(account, times=2)
    org.update("Account", account, {"Name": "Others are not held up"})
    update = http.api("PATCH", f"sobjects/Account/{account}", json={"Name": "B"})
    child = http.api("POST", "sobjects/Task", json={"Subject": "x", "WhatId": account})
    for answer in (update, child):
        assert answer.json()[0]["errorCode"] == "UNABLE_TO_LOCK_ROW"
        assert account in answer.json()[0]["message"]
    assert http.api("PATCH", f"sobjects/Account/{account}", json={"Name": "B"}).status_code == 204


def test_writes_over_the_wire_can_stay_hidden_for_a_while(http, org):
    org.faults.hide_commits(timedelta(minutes=2), object_name="Contact", times=1)
    made = http.api("POST", "sobjects/Contact", json={"LastName": "A"}).json()["id"]
    assert http.api("GET", f"sobjects/Contact/{made}").status_code == 404
    org.clock.advance(timedelta(minutes=2))
    assert http.api("GET", f"sobjects/Contact/{made}").json()["SystemModstamp"] == "2026-03-02T09:00:00.000+0000"


def test_chance_hits_the_same_calls_for_the_same_seed(http, org):
    def run():
        org.faults.at_random(0.4, seed=11)
        return [http.api("GET", "limits").status_code for _ in range(20)]

    first = run()
    assert first == run()
    assert {200, 503} == set(first)
    org.faults.clear()
    assert http.api("GET", "limits").status_code == 200


def control(http, method, path, /, **body):
    return http.request(method, f"{http.url}/sandbox/{path}", json=body or None, timeout=300)


def test_another_process_drives_clock_faults_and_records(anyone, http):
    made = control(
        anyone, "POST", "rows/Account", values={"Name": "A"}, by="Ada Admin", at="2026-01-01T00:00:00Z"
    ).json()["id"]
    assert http.found("SELECT CreatedDate FROM Account")[0]["CreatedDate"] == "2026-01-01T00:00:00.000+0000"
    assert control(anyone, "PATCH", f"rows/Account/{made}", values={"Name": "B"}).status_code == 200
    assert control(anyone, "GET", f"rows/Account/{made}").json()["Name"] == "B"
    assert control(anyone, "POST", "clock", advance_s=60).json() == {"now": "2026-03-02T09:01:00+00:00"}
    assert control(anyone, "POST", "clock", set="2026-04-01T00:00:00+03:00").json() == {
        "now": "2026-03-31T21:00:00+00:00"
    }
    assert control(anyone, "POST", "faults", fault="fail", status=500, path="/limits").status_code == 200
    assert http.api("GET", "limits").status_code == 500
    assert control(anyone, "DELETE", "faults").status_code == 200
    assert control(anyone, "DELETE", f"rows/Account/{made}").status_code == 200
    assert control(anyone, "GET", "rows/Account").json() == []


def test_another_process_changes_how_the_org_behaves(anyone, http):
    assert control(anyone, "POST", "settings", daily_calls=2, rows_per_page=200).status_code == 200
    assert http.api("GET", "limits").json()["DailyApiRequests"] == {"Max": 2, "Remaining": 1}
    assert control(anyone, "POST", "settings", colour="blue").status_code == 400


def test_control_says_what_it_cannot_do(anyone):
    assert "no such fault: melt" in control(anyone, "POST", "faults", fault="melt").json()["error"]
    assert control(anyone, "POST", "rows/Contact", values={}).json()["code"] == "REQUIRED_FIELD_MISSING"
    assert control(anyone, "POST", "rows/Contact", values={}, by="Nobody").status_code == 400
    assert control(anyone, "GET", "nowhere").status_code == 400


def test_the_log_tells_reads_from_writes(anyone, http, org):
    http.query("SELECT Id FROM Account")
    mark = org.log.mark()
    http.api("POST", "sobjects/Account", json={"Name": "A"})
    http.found("SELECT Id FROM Account")
    http.api("POST", "composite/sobjects", json={"records": [{"attributes": {"type": "Account"}, "Name": "B"}] * 3})
    calls = [(call.kind, call.sobject, call.rows, call.status) for call in org.log.since(mark)]
    assert calls == [("write", "Account", 1, 201), ("read", "Account", 1, 200), ("write", "Account", 3, 200)]
    assert org.calls_by_kind() == {"read": 2, "write": 2}
    told = control(anyone, "GET", f"log?since={mark}").json()
    assert [call["kind"] for call in told] == ["write", "read", "write"]
    assert told[0]["user"] == org.integration_id
    assert org.log.since(org.log.mark(), kind="write") == []
