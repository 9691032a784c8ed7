"""An opt-out is kept, whatever the CRM says later, and is looked at once more before a mail leaves."""

from house import DAY, HOUR, House
from house_both import unsubscribe
from incidents import asked, rows, words

from connector.store import tables


def opt_out(house: House, contact: str, *, out: bool) -> None:
    """Let a user tick or clear the CRM's own box."""
    if words(house, "Contact") == "Contact":
        house.org.update("Contact", contact, {"HasOptedOutOfEmail": out})
    else:
        house.org.update("contacts", contact, {"hs_email_optout": str(out).lower()})


def test_who_unsubscribed_is_not_asked_again_though_the_crm_knows_nothing_of_it(either: House) -> None:
    who = asked(either)
    unsubscribe(either.mailbox.mails[0])
    either.lap()
    either.close_case(either.case(who["account"], who["contact"]))
    either.later(HOUR)
    either.later(2 * DAY)
    assert len(either.mailbox.mails) == 1


def test_a_box_that_was_ticked_once_and_cleared_again_by_a_sync_still_counts(either: House) -> None:
    account = either.account("Northwind")
    contact = either.contact(account, "Maria Virtanen", "maria@nw.example")
    opt_out(either, contact, out=True)
    either.later(2 * HOUR)
    opt_out(either, contact, out=False)
    either.later(2 * HOUR)
    either.close_case(either.case(account, contact))
    either.later(HOUR)
    either.later(2 * DAY)
    assert either.mailbox.mails == []
    (person,) = rows(either, tables.person)
    assert person.opted_out_at is not None


def test_a_box_ticked_just_before_the_mail_leaves_stops_it(either: House) -> None:
    account = either.account("Northwind")
    contact = either.contact(account, "Maria Virtanen", "maria@nw.example")
    either.close_case(either.case(account, contact))
    either.later(HOUR)
    either.advance(DAY)
    opt_out(either, contact, out=True)
    either.lap()
    either.later(DAY)
    assert either.mailbox.mails == []
