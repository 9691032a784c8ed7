"""The HTTPS server: open connections, large bodies, pages of others, and a process of its own."""

import gzip
import json
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests

from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.salesforce import Salesforce
from adapters.sandbox.server import running
from adapters.sandbox.web import Response


def test_one_connection_carries_many_calls(http):
    answers = [http.api("GET", "limits") for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    (pool,) = http.get_adapter(http.url).poolmanager.pools._container.values()
    assert pool.num_connections == 1


def test_large_answers_are_packed_and_packed_bodies_are_read(http, org):
    org.load("Account", ({"Name": f"A{number}"} for number in range(300)))
    answer = http.query("SELECT Id, Name FROM Account")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.json()["records"]) == 300
    packed = gzip.compress(json.dumps({"Name": "Packed"}).encode())
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert http.api("POST", "sobjects/Account", data=packed, headers=headers).status_code == 201


def test_a_body_may_come_in_chunks(http, org):
    chunks = (part for part in (b'{"Name":', b'"Chunked"}'))
    made = http.api("POST", "sobjects/Account", data=chunks, headers={"Content-Type": "application/json"})
    assert made.status_code == 201
    assert org.rows("Account")[0]["Name"] == "Chunked"


def test_too_many_headers_are_refused(http):
    assert http.api("GET", "limits", headers={"X-Long": "x" * 17_000}).status_code == 431


def test_pages_of_others_are_mounted_beside_the_api(http, anyone, org):
    def handler(request):
        return Response(200, b"<h1>Acme</h1>") if request.path.startswith("/lightning/") else None

    org.mount_pages(handler)
    assert anyone.get(f"{anyone.url}/lightning/r/Account/1/view", timeout=300).text == "<h1>Acme</h1>"
    assert anyone.get(f"{anyone.url}/elsewhere", timeout=300).status_code == 404
    assert org.calls_by_kind() == {"page": 2}


def test_callers_at_the_same_time(org, server):
    made = []

    def work(number):
        with requests.Session() as session:
            session.trust_env, session.verify = False, str(server.ca_bundle)
            session.headers["Authorization"] = f"Bearer {org.access_token}"
            url = f"{server.url}/services/data/v62.0/sobjects/Account"
            made.extend(session.post(url, json={"Name": f"A{number}"}, timeout=300).json()["id"] for _ in range(10))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == org.count("Account") == 40


def test_stopping_ends_open_connections():
    before = threading.active_count()
    with running(Salesforce()) as server, requests.Session() as session:
        session.trust_env, session.verify = False, str(server.ca_bundle)
        assert session.get(f"{server.url}/services/data", timeout=300).status_code == 200
    assert threading.active_count() == before


def test_a_fault_of_the_sandbox_itself_is_answered_and_not_swallowed(http, org, monkeypatch):
    seen = []
    monkeypatch.setattr(threading, "excepthook", lambda trouble: seen.append(trouble.exc_type))
    monkeypatch.setattr(org.limits, "as_json", lambda: 1 / 0)
    answer = http.api("GET", "limits")
    assert (answer.status_code, answer.headers["Content-Type"]) == (500, "text/html")
    assert http.api("GET", "limits/recordCount").status_code == 200
    for _ in range(100):
        if seen:
            break
        time.sleep(0.05)
    assert seen == [ZeroDivisionError]


def test_a_clock_can_stand_follow_and_jump():
    still = SandboxClock(datetime(2026, 1, 1, tzinfo=UTC))
    assert still.now() == still.now()
    assert still.advance(timedelta(hours=1)) == datetime(2026, 1, 1, 1, tzinfo=UTC)
    following = SandboxClock()
    assert following.follows_real_time
    following.set(datetime(2030, 1, 1, tzinfo=UTC))
    assert timedelta(0) <= following.now() - datetime(2030, 1, 1, tzinfo=UTC) < timedelta(seconds=5)
    following.advance(timedelta(days=1))
    assert following.now() > datetime(2030, 1, 2, tzinfo=UTC)


def test_it_runs_as_a_process_until_it_is_told_to_stop(tmp_path: Path):
    ready = tmp_path / "ready.json"
    command = [
        sys.executable,
        "-m",
        "adapters.sandbox",
        "serve",
        "--cert-dir",
        str(tmp_path),
        "--ready-file",
        str(ready),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert told == json.loads(ready.read_text())
        with requests.Session() as session:
            session.trust_env, session.verify = False, told["ca_bundle"]
            form = {
                "grant_type": "client_credentials",
                "client_id": told["client_id"],
                "client_secret": told["client_secret"],
            }
            token = session.post(f"{told['url']}/services/oauth2/token", data=form, timeout=300)
            assert token.status_code == 200
            session.headers["Authorization"] = f"Bearer {told['access_token']}"
            assert session.get(f"{told['url']}/services/data/v62.0/limits", timeout=300).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=300) == 0
