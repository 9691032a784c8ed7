"""Contacts that a CRM has made of mail that machines sent: nobody there would read a question."""

import pytest
from default_mappings import packaged
from mapping_orgs import a_record, an_org, full

from connector.model import Contact
from mappings.loading import load


def contact(address: str) -> Contact:
    mapping = load(packaged("salesforce"), "test.toml").fit(an_org())[0]
    asked = next(query for query in mapping.queries if query.object == "Contact")
    reading = mapping.read("acme", a_record("Contact", "X1", **full(asked.fields, {"Name": "Shop", "Email": address})))
    assert isinstance(reading.value, Contact)
    return reading.value


@pytest.mark.parametrize(
    "name",
    [
        *("noreply", "no-reply", "No.Reply", "no_reply", "noreply2", "noreply+x1", "jira-noreply", "noreply-shop"),
        *("donotreply", "do-not-reply", "DoNotReply", "nicht-antworten", "ne-pas-repondre", "ei-vastausta"),
        *("mailer-daemon", "MAILER-DAEMON", "postmaster", "bounces+81-maria=lumo.example", "bounce"),
    ],
)
def test_a_machine_has_no_address_that_anybody_would_be_asked_at(name: str) -> None:
    machine = contact(f"{name}@lumo.example")
    assert (machine.email, machine.facts["email_invalid"]) == (None, True)


@pytest.mark.parametrize(
    "name", ["moreno.reply", "nora.eply", "reply", "info", "postmaster.smith", "eleonoreply", "bouncer", "maria+no"]
)
def test_people_and_shared_mailboxes_keep_theirs(name: str) -> None:
    assert contact(f"{name}@lumo.example").email == f"{name}@lumo.example"
