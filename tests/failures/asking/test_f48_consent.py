"""An opt-out is kept, whatever the CRM says later, and is looked at once more before a mail leaves."""

from default_mappings import packaged
from environment import DAY, HOUR, Environment, mapping_line
from environment_both import unsubscribe
from incidents import asked, rows, words

from adapters.sandbox.salesforce.org.schema import Field
from connector.store import tables


def opt_out(env: Environment, contact: str, *, out: bool) -> None:
    """Let a user tick or clear the CRM's own box."""
    if words(env, "Contact") == "Contact":
        env.org.update("Contact", contact, {"HasOptedOutOfEmail": out})
    else:
        env.org.update("contacts", contact, {"hs_email_optout": str(out).lower()})


def test_who_unsubscribed_is_not_asked_again_though_the_crm_knows_nothing_of_it(either: Environment) -> None:
    who = asked(either)
    unsubscribe(either.mailbox.mails[0])
    either.lap()
    either.close_case(either.case(who["account"], who["contact"]))
    either.later(HOUR)
    either.later(2 * DAY)
    assert len(either.mailbox.mails) == 1


def test_a_box_that_was_ticked_once_and_cleared_again_by_a_sync_still_counts(either: Environment) -> None:
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


def test_a_box_ticked_just_before_the_mail_leaves_stops_it(either: Environment) -> None:
    account = either.account("Northwind")
    contact = either.contact(account, "Maria Virtanen", "maria@nw.example")
    either.close_case(either.case(account, contact))
    either.later(HOUR)
    either.advance(DAY)
    opt_out(either, contact, out=True)
    either.lap()
    either.later(DAY)
    assert either.mailbox.mails == []


def test_a_box_that_only_administrators_see_is_granted_to_us_and_counts(acme: Environment) -> None:
    acme.org.new_field("Contact", Field("Leave_Alone__c", "boolean", "Leave alone"))
    profile = acme.record("User", acme.org.admin_id)["ProfileId"]
    (admins,) = (row["Id"] for row in acme.org.rows("PermissionSet", ProfileId=profile))
    acme.org.grant(admins, "Contact", "Leave_Alone__c")
    own = '[{ field = "HasOptedOutOfEmail", is = true }, { field = "Leave_Alone__c", is = true, optional = true }]'
    text = packaged("salesforce").replace('[{ field = "HasOptedOutOfEmail", is = true }]', own)
    acme.configure(extra=mapping_line(acme, text))
    acme.set_up()
    granted = acme.org.rows("FieldPermissions", Field="Contact.Leave_Alone__c")
    assert [row["PermissionsEdit"] for row in granted if row["ParentId"] != admins] == [False]
    account = acme.account("Northwind")
    contact = acme.contact(account, "Maria Virtanen", "maria@nw.example")
    acme.org.update("Contact", contact, {"Leave_Alone__c": True})
    acme.lap()
    acme.close_case(acme.case(account, contact))
    acme.later(HOUR)
    acme.later(2 * DAY)
    assert acme.mailbox.mails == []
