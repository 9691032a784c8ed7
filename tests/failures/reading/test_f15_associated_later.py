"""HubSpot tells of an association on neither record's stamp: an interaction whose account comes later is not dropped."""

from datetime import timedelta

import pytest
from environment import DAY, HOUR
from environment_hubspot import HubSpotEnvironment


@pytest.mark.parametrize("days", [0, 3])
def test_a_ticket_that_gets_its_company_and_contact_later_is_asked_about(hub: HubSpotEnvironment, days: int) -> None:
    account = hub.account("Northwind")
    contact = hub.contact(account, "Maria Virtanen", "maria@nw.example")
    ticket = hub.org.insert("tickets", {"hs_pipeline": "0", "hs_pipeline_stage": "1", "subject": "It does not start"})
    hub.close_case(ticket)
    hub.later(HOUR)
    hub.later(days * DAY)
    hub.org.associate("tickets", ticket, "companies", account)
    hub.org.associate("tickets", ticket, "contacts", contact)
    hub.later(2 * HOUR)
    hub.later(DAY)
    hub.later(timedelta(minutes=5))
    assert [mail.to for mail in hub.mailbox.mails] == ["maria@nw.example"]
