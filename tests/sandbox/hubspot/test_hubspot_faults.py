"""The switches at work on the pretend HubSpot, and driving it from another process."""

from datetime import timedelta

import pytest
import requests

from adapters.sandbox.web import json_response


def test_a_row_is_refused_alone_or_takes_its_batch_along(hub, portal):
    portal.faults.refuse_row("contacts", "VALIDATION_ERROR", "Not on Mondays", key="b@x.example")
    rows = [{"properties": {"email": f"{name}@x.example"}} for name in "ab"]
    assert hub.objects("POST", "contacts/batch/create", json={"inputs": rows}).status_code == 400
    assert portal.count("contacts") == 0
    traced = [row | {"objectWriteTraceId": str(at)} for at, row in enumerate(rows)]
    answer = hub.objects("POST", "contacts/batch/create", json={"inputs": traced}).json()
    assert (len(answer["results"]), answer["errors"][0]["message"]) == (1, "Not on Mondays")


def test_a_locked_record_answers_423(hub, portal):
    made = portal.insert("companies", {"name": "A"})
    portal.faults.lock_row(made, times=1)
    body = {"properties": {"name": "B"}}
    assert [hub.objects("PATCH", f"companies/{made}", json=body).status_code for _ in range(2)] == [423, 200]


@pytest.mark.parametrize(("moment", "made"), [("before", 0), ("after", 1)])
def test_a_lost_answer_may_have_been_processed(hub, portal, moment, made):
    portal.faults.drop(moment, method="POST")
    with pytest.raises(requests.ConnectionError):
        hub.objects("POST", "companies", json={"properties": {"name": "A"}})
    assert portal.count("companies") == made


def test_gateways_answer_with_html_and_migrations_with_a_time_to_wait(hub, portal):
    portal.faults.html(502, path="/companies")
    page = hub.objects("GET", "companies")
    assert (page.status_code, page.headers["Content-Type"]) == (502, "text/html")
    portal.faults.fail(477, {"message": "Migration in progress"}, headers={"Retry-After": "60"})
    moved = hub.objects("GET", "companies")
    assert (moved.status_code, moved.headers["Retry-After"]) == (477, "60")


def test_a_token_dies_in_the_middle(hub, portal):
    portal.faults.expire_token(nth=2)
    assert [hub.objects("GET", "companies").status_code for _ in range(2)] == [200, 401]


def test_some_writes_can_be_hidden_from_searches(hub, portal, clock):
    portal.faults.hide_commits(timedelta(minutes=1), object_name="companies", times=1)
    late, soon = (portal.insert("companies", {"name": name}) for name in "AB")
    assert hub.found("companies") == [soon]
    assert hub.objects("GET", f"companies/{late}").status_code == 200
    clock.advance(timedelta(minutes=1))
    assert sorted(hub.found("companies")) == [late, soon]


def control(hub, method, path, /, **body):
    return hub.api(method, f"sandbox/{path}", json=body or None)


def test_another_process_drives_it(hub, portal):
    first = control(hub, "POST", "rows/contacts", values={"firstname": "A"}, at="2026-01-01T00:00:00Z").json()["id"]
    assert control(hub, "PATCH", f"rows/contacts/{first}", values={"lastname": "B"}).status_code == 200
    row = control(hub, "GET", f"rows/contacts/{first}").json()
    assert (row["lastname"], row["createdate"], row["archived"]) == ("B", "2026-01-01T00:00:00Z", False)
    second = control(hub, "POST", "rows/contact", values={"firstname": "C"}).json()["id"]
    assert control(hub, "POST", f"rows/contacts/{first}/merge", losers=[second]).json() == {"id": first}
    assert control(hub, "DELETE", f"rows/contacts/{first}").status_code == 200
    assert [each["id"] for each in control(hub, "GET", "rows/contacts?deleted").json()] == [first]
    assert control(hub, "POST", "settings", search_lag_s=5, merges_make_new_ids=["contact"]).status_code == 200
    assert portal.merges_make_new_ids == {"contacts"}
    refused = control(hub, "POST", "rows/contacts", values={"colour": "red"})
    assert (refused.status_code, refused.json()["code"]) == (409, "VALIDATION_ERROR")
    assert control(hub, "POST", "rows/butterflies", values={}).status_code == 409


def test_the_log_tells_reads_from_writes(hub, portal):
    hub.objects("POST", "contacts", json={"properties": {"firstname": "A"}})
    hub.objects("GET", "contacts")
    hub.found("contacts")
    hub.objects("POST", "contacts/batch/create", json={"inputs": [{"properties": {"firstname": "B"}}] * 3})
    calls = [(call.kind, call.sobject, call.rows, call.status) for call in portal.log]
    assert calls == [
        ("write", "contacts", 1, 201),
        ("read", "contacts", 1, 200),
        ("read", "contacts", 1, 200),
        ("write", "contacts", 3, 201),
    ]


def test_pages_can_be_added_beside_the_api(hub, portal):
    portal.mount_pages(lambda request: json_response({"page": request.path}) if request.path == "/contacts/1" else None)
    assert hub.ok("GET", "contacts/1") == {"page": "/contacts/1"}
    assert hub.api("GET", "nowhere").status_code == 404
