"""The pretend HubSpot as a process of its own."""

import json
import signal
import subprocess
import sys

from hubspot_wire import Hub


def test_serving_until_told_to_stop():
    command = [sys.executable, "-m", "adapters.sandbox", "serve", "--crm", "hubspot", "--start", "2026-03-02T09:00:00"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        told = json.loads(process.stdout.readline())
        with Hub(told["url"], told["ca_bundle"], told["access_token"]) as hub:
            assert hub.objects("POST", "contacts", json={"properties": {"firstname": "A"}}).status_code == 201
            form = {name: told[name] for name in ("client_id", "client_secret", "refresh_token")}
            renewed = hub.ok("POST", "oauth/v3/token", data={**form, "grant_type": "refresh_token"})
        with Hub(told["url"], told["ca_bundle"], renewed["access_token"]) as hub:
            row = hub.objects("GET", "contacts").json()["results"][0]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=300) == 0
    assert row["createdAt"] == "2026-03-02T09:00:00Z"


def test_it_begins_with_invented_companies():
    command = [sys.executable, "-m", "adapters.sandbox", "serve", "--crm", "hubspot", "--accounts", "3", "--seed", "5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        told = json.loads(process.stdout.readline())
        with Hub(told["url"], told["ca_bundle"], told["access_token"]) as hub:
            companies = hub.objects("GET", "companies").json()["results"]
            account = hub.ok("GET", "account-info/v3/details")
            place = f"contacts/{account['portalId']}/record/0-2/{companies[0]['id']}"
            page = hub.get(f"https://{account['uiDomain']}/{place}", timeout=300).text
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=300) == 0
    assert len(companies) == 3
    assert all(each["properties"]["domain"].endswith(".example") for each in companies)
    assert f"<h1>{companies[0]['properties']['name']}</h1>" in page
