"""A person is a record of the CRM; an address is a property of it, compared without regard to case."""

from house import DAY, HOUR, House
from incidents import asked, rows, words

from connector.store import tables


def test_a_new_address_makes_no_second_contact(either: House) -> None:
    who = asked(either, 4)
    either.later(HOUR)
    name = words(either, "Contact")
    either.org.update(name, who["contact"], {"Email" if name == "Contact" else "email": "maria.laine@nw.example"})
    either.later(2 * HOUR)
    (contact,) = rows(either, tables.contact)
    assert contact.email == "maria.laine@nw.example"


def test_an_opt_out_holds_for_the_same_address_in_other_letters(either: House) -> None:
    account = either.account("Northwind")
    field = "HasOptedOutOfEmail" if words(either, "Contact") == "Contact" else "hs_email_optout"
    first = either.contact(account, "Maria Virtanen", "Maria@NW.example")
    either.org.update(words(either, "Contact"), first, {field: True if field[0] == "H" else "true"})
    either.later(HOUR)
    either.close_case(either.case(account, second_record(either, account)))
    either.later(HOUR)
    either.later(2 * DAY)
    assert either.mailbox.mails == []


def second_record(house: House, account: str) -> str:
    """The same person once more; HubSpot takes an address once, so she is written with a second one there first."""
    contact = house.contact(account, "M Virtanen", "other@nw.example")
    return contact if words(house, "Contact") == "contacts" and _keep(house, contact) else _same(house, contact)


def _same(house: House, contact: str) -> str:
    house.org.update("Contact", contact, {"Email": "maria@nw.example"})
    return contact
