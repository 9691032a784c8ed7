"""What Salesforce gives in bulk is read as what it gives page by page; what it cannot give in bulk is asked for page by page."""

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from environment import DAY, HOUR, Environment
from incidents import answering, fact_of_accounts, names, rows, tiny_pages

from adapters.sandbox.web import Request, Response
from connector.commands import reconcile
from connector.store import tables

MADE = {f"Company {number}" for number in range(4)}


@pytest.fixture
def org(acme: Environment, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """A few accounts with figures; everything that comes in more than one page is worth a job."""
    monkeypatch.setattr("adapters.salesforce.records.bulk_reader.LEAST", 1)
    monkeypatch.setattr("adapters.salesforce.records.bulk_reader.SCARCE", 0)
    tiny_pages(acme)
    for number, name in enumerate(sorted(MADE)):
        account = acme.account(name)
        acme.org.update("Account", account, {"NumberOfEmployees": 10 + number, "AnnualRevenue": 1000.5 * number})
    acme.advance(HOUR)
    return acme


def jobs(env: Environment) -> int:
    return sum(job.object == "Account" for job in env.org.jobs.by_id.values())


def test_both_ways_give_the_same(org: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    fact_of_accounts(org, "staff", '"NumberOfEmployees"\nturnover = "AnnualRevenue"')

    def with_a_point(_page: int, _request: Request, right: Response) -> Response:
        return replace(right, body=re.sub(rb'"(1[0-3])"', rb'"\1.0"', right.body))

    with answering(org, r"/results", with_a_point):  # as the vendor writes whole numbers there, now and then
        assert org.lap().exit_code == 0
    ordered = jobs(org)
    assert ordered
    assert "/results" in [call.path for call in org.org.log if call.sobject == "Account"][-1]  # none by the other way
    assert names(org) == MADE
    assert {row.facts["staff"] for row in rows(org, tables.account)} == {10, 11, 12, 13}
    monkeypatch.setattr("adapters.salesforce.records.bulk_reader.LEAST", 1000)
    org.later(DAY)
    comparison = reconcile.run(org.installation, since=org.clock.now())
    assert jobs(org) == ordered
    assert (comparison.found["acme"].compared["Account"], comparison.found["acme"].drift["Account"]) == (len(MADE), 0)


@pytest.mark.parametrize("moment", ["ordered", "worked at"])
def test_a_job_that_fails_costs_no_record(org: Environment, moment: str) -> None:
    if moment == "ordered":
        said = [{"errorCode": "INVALIDJOB", "message": "InvalidJob : not for this object"}]
        fault = org.org.faults.fail(400, said, method="POST", path="jobs/query", times=None)
    else:
        failed = {"id": "750", "state": "Failed", "errorMessage": "InternalServerError"}
        fault = org.org.faults.fail(200, failed, method="GET", path="jobs/query/", times=None)
    assert org.lap().exit_code == 0
    assert fault.hits
    assert names(org) == MADE
    hits = fault.hits
    for number in range(4):
        org.account(f"Another {number}")
    rest = org.later(timedelta(hours=2))
    assert rest.pulled["acme"].counts["account"].changed == 4
    assert fault.hits == hits  # what does not work is not tried in every lap


def test_what_has_no_form_in_bulk_is_not_asked_for_in_bulk(org: Environment) -> None:
    fact_of_accounts(org, "place", '"BillingAddress"')
    ordered = set[str]()

    def note(_page: int, request: Request, _right: Response) -> None:
        ordered.add(json.loads(request.body)["query"].partition(" FROM ")[2].split()[0])

    with answering(org, r"jobs/query$", note):
        assert org.lap().exit_code == 0
    assert names(org) == MADE
    assert "Account" not in ordered
