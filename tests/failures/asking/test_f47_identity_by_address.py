"""A person is a record of the CRM; an address is a property of it, compared without regard to case."""

from environment import DAY, HOUR, Environment
from incidents import asked, rows, words

from connector.store import tables


def test_a_new_address_makes_no_second_contact(either: Environment) -> None:
    who = asked(either, 4)
    either.later(HOUR)
    name = words(either, "Contact")
    either.org.update(name, who["contact"], {"Email" if name == "Contact" else "email": "maria.laine@nw.example"})
    either.later(2 * HOUR)
    (contact,) = rows(either, tables.contact)
    assert contact.email == "maria.laine@nw.example"


def test_an_opt_out_holds_for_the_same_address_in_other_letters(acme: Environment) -> None:
    account = acme.account("Northwind")
    first = acme.contact(account, "Maria Virtanen", "Maria@NW.example")
    acme.org.update("Contact", first, {"Afterword_No_Surveys__c": True})
    acme.later(HOUR)
    acme.close_case(acme.case(account, acme.contact(account, "M Virtanen", "maria@nw.example")))
    acme.later(HOUR)
    acme.later(2 * DAY)
    assert acme.mailbox.mails == []
