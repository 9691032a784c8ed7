"""Records for a pretend portal: as many as were asked for, with the fields that the default mapping reads."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from adapters.sandbox.hubspot import HubSpot
from adapters.sandbox.salesforce.org.seed import Sizes

_OWNERS = 10
_HISTORY = timedelta(days=700)
_SETTLED = timedelta(days=1)
Row = Mapping[str, Any]


def fill(portal: HubSpot, sizes: Sizes, now: datetime) -> None:
    """Fill the portal with companies, their people and what happened to these, spread over two years before `now`."""
    owners = [portal.add_owner(f"Olivia Owner{n}", f"owner{n}@northwind.example") for n in range(_OWNERS)]
    companies = portal.load("companies", _rows(sizes.accounts, now, lambda n: _company(n, owners[n % _OWNERS])))
    people = portal.load("contacts", _rows(sizes.contacts, now, lambda n: _person(n, owners[n % _OWNERS])))
    portal.load_links("contacts", "companies", ((one, companies[n % len(companies)]) for n, one in enumerate(people)))
    for name, count, row in (
        ("tickets", sizes.cases, _ticket),
        ("calls", sizes.calls, _call),
        ("meetings", sizes.meetings, _meeting),
        ("deals", sizes.opportunities, _deal),
    ):
        made = portal.load(name, _rows(count, now, lambda n, row=row: row(n, owners[n % _OWNERS])))
        portal.load_links(name, "contacts", ((one, people[n % len(people)]) for n, one in enumerate(made)))
        portal.load_links(
            name, "companies", ((one, companies[n % len(people) % len(companies)]) for n, one in enumerate(made))
        )


def _rows(count: int, now: datetime, row: Any) -> Iterator[Row]:
    """Yield rows, each with the moment in which it was made and changed last."""
    for n in range(count):
        at = now - _SETTLED - _HISTORY * (1 - n / count)
        yield {**row(n), "created": at, "modified": at}


def _company(n: int, owner: str) -> Row:
    return {
        "name": f"Example Company {n}",
        "domain": f"company{n}.example",
        "industry": "MACHINERY",
        "numberofemployees": str(10 + n % 500),
        "annualrevenue": str(100_000 + n),
        "lifecyclestage": "customer" if n % 3 else "lead",
        "country": "Finland",
        "hubspot_owner_id": owner,
    }


def _person(n: int, owner: str) -> Row:
    return {
        "firstname": "Maria",
        "lastname": f"Virtanen{n}",
        "email": f"maria.virtanen{n}@company{n % 997}.example",
        "jobtitle": "Head of Purchasing",
        "hs_language": "fi",
        "lifecyclestage": "customer",
        "hubspot_owner_id": owner,
    }


def _ticket(n: int, owner: str) -> Row:
    return {
        "subject": f"It does not start, case {n}",
        "hs_pipeline": "0",
        "hs_pipeline_stage": "4" if n % 4 else "1",
        "hs_ticket_priority": "HIGH",
        "hs_ticket_category": "PRODUCT_ISSUE",
        "source_type": "EMAIL",
        "hubspot_owner_id": owner,
    }


def _call(n: int, owner: str) -> Row:
    return {
        "hs_call_title": f"Renewal {n}",
        "hs_call_status": "COMPLETED",
        "hs_call_direction": "OUTBOUND",
        "hs_call_duration": "300000",
        "hs_timestamp": "2026-01-05T10:00:00Z",
        "hubspot_owner_id": owner,
    }


def _meeting(n: int, owner: str) -> Row:
    return {
        "hs_meeting_title": f"Review {n}",
        "hs_meeting_outcome": "COMPLETED",
        "hs_timestamp": "2026-01-05T10:00:00Z",
        "hs_meeting_end_time": "2026-01-05T11:00:00Z",
        "hubspot_owner_id": owner,
    }


def _deal(n: int, owner: str) -> Row:
    return {
        "dealname": f"Renewal {n}",
        "dealstage": "closedwon" if n % 2 else "qualifiedtobuy",
        "pipeline": "default",
        "amount": str(1_000 + n),
        "closedate": "2026-01-05T10:00:00Z",
        "hubspot_owner_id": owner,
    }
