"""Each object is read by the stamp that it really has: a wrong one finds nothing, and says nothing."""

import pytest
from environment import HOUR, Environment
from environment_hubspot import HubSpotEnvironment
from incidents import names

from connector.store import tables


def test_hubspots_contacts_are_read_by_a_stamp_of_their_own(hub: HubSpotEnvironment) -> None:
    contact = hub.contact(hub.account("Northwind"), "Maria Virtanen", "maria@nw.example")
    hub.lap()
    hub.later(HOUR)
    hub.org.update("contacts", contact, {"lastname": "Laine"})
    hub.later(HOUR)
    assert names(hub, tables.contact) == {"Maria Laine"}


@pytest.mark.parametrize("kind", ["owner", "account", "contact", "case"])
def test_a_change_of_anything_is_seen(either: Environment, kind: str) -> None:
    account = either.account("Northwind")
    contact = either.contact(account, "Maria Virtanen", "maria@nw.example")
    case = either.case(account, contact)
    either.later(HOUR)
    match kind:
        case "owner":
            either.rep("Ritva Laine", "ritva@acme.example")
        case "account":
            either.account("Southwind")
        case "contact":
            either.contact(account, "Olli Niemi", "olli@nw.example")
        case "case":
            either.close_case(case)
    report = either.later(2 * HOUR)
    assert report.pulled["acme"].counts[kind].changed >= 1
