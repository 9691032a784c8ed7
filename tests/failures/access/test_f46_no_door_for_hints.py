"""No CRM is asked to send us anything: what changed is asked for, so that no forged, lost or late message can mislead.

Where a mail provider may report, the address itself is signed, and a report that comes twice counts once.
"""

import warnings

import requests
from environment import Environment
from incidents import asked, rows

from connector.app.service import web_parts
from connector.store import tables
from connector.web.app import create_app

FOR_PEOPLE = {"/s/{token}", "/f/{token}", "/s/{token}/unsubscribe", "/sign-in", "/sign-in/{token}", "/sign-out"}
FOR_MAIL_PROVIDERS = {"/bounces/{token}"}


def test_whoever_may_send_something_is_a_person_or_a_mail_provider(acme: Environment) -> None:
    app = create_app(web_parts(acme.installation, lambda _customer: None))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pages that answer GET and HEAD under one name
        paths = app.openapi()["paths"]
    doors = {path for path, methods in paths.items() if not methods.keys() <= {"get", "head"}}
    assert doors == FOR_PEOPLE | FOR_MAIL_PROVIDERS


def test_a_forged_report_is_not_taken_and_a_true_one_once(acme: Environment) -> None:
    asked(acme)
    true = acme.status()["bounces_to"]
    report = {"message_id": "<somebody@elsewhere.example>", "reason": "5.1.1 unknown"}
    forged = true[:-1] + ("a" if true[-1] != "a" else "b")
    assert requests.post(forged, json=report, timeout=300).status_code == 404
    assert rows(acme, tables.inbox) == []
    for _ in range(2):
        assert requests.post(true, json=report, timeout=300).status_code == 202
    assert len(rows(acme, tables.inbox)) == 1
