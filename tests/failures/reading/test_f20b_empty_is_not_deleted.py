"""Absence is no evidence: nothing is taken as deleted because a CRM answers with nothing, or with "you may not"."""

import json

import pytest
from environment import DAY, HOUR, Environment
from incidents import answering, delete, names

from adapters.sandbox.web import Request, Response, json_response
from connector.commands import reconcile
from connector.errors import ImplausibleLoss, NotPermitted

ASKED = r"/sobjects/Account/|FROM(%20|\+)Account|companies"
"""Every question about accounts, whether it lists them or asks for some by their ids."""


@pytest.fixture
def twelve(either: Environment) -> Environment:
    """Twelve accounts that were read."""
    for number in range(12):
        either.account(f"Account {number}")
    either.lap()
    assert len(names(either)) == 12
    either.later(DAY)
    return either


def nothing(_page: int, request: Request, right: Response) -> Response | None:
    """Answer as if no record were there."""
    if right.status != 200 or "schemas" in request.target or "properties" in request.target:
        return None
    body = json.loads(right.body)
    if "records" in body:
        return json_response({"totalSize": 0, "done": True, "records": []}, 200, right.headers)
    return json_response({"results": [], "total": 0}, 200, right.headers) if "results" in body else None


def forbidden(_page: int, _request: Request, _right: Response) -> Response:
    """Answer that we may not look."""
    reason = {
        "errorCode": "INSUFFICIENT_ACCESS",
        "status": "error",
        "message": "no access",
        "category": "MISSING_SCOPES",
    }
    return json_response([reason], 403) if "sobjects" in _request.target else json_response(reason, 403)


def test_a_crm_that_shows_nothing_at_all_has_not_lost_everything(twelve: Environment) -> None:
    with answering(twelve, ASKED, nothing) as pages:
        assert twelve.lap().exit_code == 0
        night = reconcile.run(twelve.installation, since=twelve.clock.now())
    assert pages
    assert len(names(twelve)) == 12
    (refusal,) = night.found["acme"].problems
    assert isinstance(refusal, ImplausibleLoss)
    assert twelve.later(HOUR).exit_code == 0


def test_a_right_that_was_taken_away_is_not_an_empty_list(twelve: Environment) -> None:
    with answering(twelve, ASKED, forbidden):
        report = twelve.lap()
        night = reconcile.run(twelve.installation, since=twelve.clock.now())
    assert report.exit_code == 3
    for problems in (report.failures["acme"], night.found["acme"].problems):
        assert {type(error) for error in problems} == {NotPermitted}
    assert len(names(twelve)) == 12


def test_a_flood_of_deletions_waits_until_an_admin_has_looked(twelve: Environment) -> None:
    for row in list(twelve.org.rows(twelve.ACCOUNT)):
        delete(twelve, "Account", row.get("Id") or row["id"])
    report = twelve.later(2 * HOUR)
    assert report.exit_code == 3
    assert len(names(twelve)) == 12
    (refusal,) = report.failures["acme"]
    assert "--accept-loss" in refusal.remedy
    accepted = reconcile.run(twelve.installation, since=twelve.clock.now(), accept_loss=True)
    assert accepted.lap.exit_code == 0
    assert names(twelve) == set()
