"""What an account's page shows, and of what: the account as the CRM has it now, in words that nobody else's words can turn round."""

from sqlalchemy import update
from test_web_account import page, session

from connector.store.tables import account, follow_up

LINKED = {"customer": "customer1", "name": "Virtanen Group", "is_customer": True, "facts": {}}


def delete_account(world, account_id):
    with world.store.write() as tx:
        tx.execute(update(account).where(account.c.id == account_id).values(deleted_at=world.clock.at))


def put_follow_up(world, account_id, subject):
    which = {"id": f"f-{account_id}", "rule": "r", "customer": "customer1", "connection": "acme", "about": account_id}
    what = {"state": "open", "priority": "high", "subject": subject, "body": ""}
    world.put(follow_up, account_id=account_id, due_at=world.clock.at, opened_at=world.clock.at, **which, **what)


def test_an_account_that_the_crm_has_deleted_is_shown_to_nobody(world):
    world.post(world.invite(), {"rating": "2", "comment": "Too late"})
    headers = session(world)
    delete_account(world, "account1")

    shown = page(world, headers)

    assert shown.status_code == 404
    assert "Virtanen" not in shown.text
    assert "Too late" not in shown.text


def test_the_page_shows_nothing_of_a_linked_account_that_the_crm_has_deleted(world):
    world.put(account, id="account2", connection="acme", ref="Account/002", **LINKED)
    world.post(world.invite(account_id="account2", label="case 00777"), {"rating": "2", "comment": "Too late"})
    put_follow_up(world, "account2", "Call Virtanen Group")
    put_follow_up(world, "account1", "Call Virtanen Oy")
    delete_account(world, "account2")

    shown = page(world, session(world)).text

    assert "Call Virtanen Oy" in shown
    for words in ("Virtanen Group", "case 00777", "Too late"):
        assert words not in shown
