"""What belongs to a record comes in pages of its own, and owners do too: the first page is not all."""

import pytest
from environment import HOUR
from environment_hubspot import HubSpotEnvironment
from incidents import rows

from adapters.hubspot.records import owners
from adapters.sandbox.hubspot import association_calls
from connector.store import tables


def test_the_primary_company_of_a_ticket_may_stand_on_a_later_page(
    hub: HubSpotEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(association_calls, "MOST_PER_PAGE", 2)  # as with 500, in less time
    ticket = hub.org.insert("tickets", {"hs_pipeline": "0", "hs_pipeline_stage": "1", "subject": "It does not start"})
    primary = 26
    companies = [hub.account(f"Company {number}") for number in range(5)]
    for company in companies:
        hub.org.associate("tickets", ticket, "companies", company)
    hub.org.associate("tickets", ticket, "companies", companies[-1], primary)
    hub.lap()
    (interaction,) = rows(hub, tables.interaction)
    assert interaction.account_ref == f"companies/{companies[-1]}"


def test_more_owners_than_a_page_holds_are_all_known(hub: HubSpotEnvironment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owners, "_PAGE", 2)  # as with hundreds, in less time
    reps = [hub.rep(f"Rep {number}", f"rep{number}@acme.example") for number in range(5)]
    companies = [hub.account(f"Company {rep}", owner=rep) for rep in reps]
    hub.later(HOUR)
    assert {f"owners/{rep}" for rep in reps} <= {row.ref for row in rows(hub, tables.owner)}
    owned = {row.ref: row.owner_ref for row in rows(hub, tables.account)}
    assert owned == {f"companies/{company}": f"owners/{rep}" for company, rep in zip(companies, reps, strict=True)}
