"""An address is one person however its domain is spelled: in letters, in ASCII, or as an earlier version kept it."""

import hashlib
import hmac

import pytest
from databases import BOTH_DATABASES
from lap_world import DAY, LapWorld
from sqlalchemy import select, update
from two_worlds import TwoWorlds

from connector.store import tables
from connector.store.surveys import people

ASCII, LETTERS = "maria@xn--bcher-kva.example", "Maria@Bücher.example"
STRASSE = "info@straße.example"


def kept_before(world: LapWorld, address: str) -> str:
    """Return the person as earlier versions kept it: a hash of the address as the CRM spells it, in small letters."""
    with world.store.write() as tx:
        key = people.person_key(tx)
    return hmac.digest(key, address.lower().encode(), hashlib.sha256).hex()[:32]


@BOTH_DATABASES
def test_two_spellings_in_two_crms_are_one_person(both: TwoWorlds) -> None:
    account, theirs = both.account("Northwind"), both.other.account("Northwind Oy")
    here = both.crm.contact(account, "Maria Virtanen", Email=LETTERS)
    there = both.other.contact(theirs, "Maria Virtanen", Email=ASCII)
    both.ask(account, here)
    both.lap()
    assert both.mailbox.messages[-1].to == ASCII
    assert both.on(both.other, there) == both.on(both.crm, here) != {}


@pytest.mark.parametrize("spelling", [ASCII, LETTERS, "maria@bu\u0308cher.example", LETTERS.upper()])
def test_an_opt_out_holds_whichever_way_the_address_is_spelled(both: TwoWorlds, spelling: str) -> None:
    account = both.account("Northwind")
    with both.store.write() as tx:
        people.opt_out(tx, people.person_of(people.person_key(tx), ASCII), both.clock.now(), "link")
    contact = both.crm.contact(account, "Maria Virtanen", Email=spelling)
    both.crm.close(both.crm.case(account, contact))
    both.lap(DAY)
    both.lap(DAY)
    assert both.mailbox.messages == []


@pytest.mark.parametrize("mark", ["opted_out_at", "bounced_at"])
@pytest.mark.parametrize("spelling", [ASCII, LETTERS])
def test_a_mark_of_an_earlier_version_holds_for_a_person_who_comes_back(
    both: TwoWorlds, spelling: str, mark: str
) -> None:
    old = kept_before(both, LETTERS)
    with both.store.write() as tx:
        people.opt_out(tx, old, both.clock.now(), "erased")
        if mark == "bounced_at":
            people.bounced(tx, old, both.clock.now(), "550")
            tx.execute(update(tables.person).values(opted_out_at=None))
    account = both.account("Northwind")
    contact = both.crm.contact(account, "Maria Virtanen", Email=spelling)
    both.crm.close(both.crm.case(account, contact))
    both.lap(DAY)
    both.lap(DAY)
    assert both.mailbox.messages == []


def test_mail_for_one_street_goes_to_no_other(both: TwoWorlds) -> None:
    account = both.account("Northwind")
    contact = both.crm.contact(account, "Info", Email=STRASSE)
    both.ask(account, contact)
    assert both.mailbox.messages[-1].to == "info@xn--strae-oqa.example"


@pytest.mark.parametrize("address", ["maria@i❤.example", "maria@a\u200db.example", "maria@" + "ü" * 62 + ".example"])
def test_an_address_whose_domain_has_no_form_in_the_dns_is_no_address(both: TwoWorlds, address: str) -> None:
    account = both.account("Northwind")
    both.crm.close(both.crm.case(account, both.crm.contact(account, "Maria", Email=address)))
    both.lap(DAY)
    both.lap(DAY)
    assert both.mailbox.messages == []
    with both.store.read() as tx:
        assert "no_address" in set(tx.execute(select(tables.decision.c.reason)).scalars())
