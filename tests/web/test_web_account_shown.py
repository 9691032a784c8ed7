"""What an account's page shows, and of what: the account as the CRM has it now, in words that nobody else's words can turn round."""

import re

import pytest
from sqlalchemy import update
from test_web_account import page, session

from connector.store.tables import account, contact, decision, decision_log, follow_up, interaction, owner

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


HEBREW = "שרה כהן"


def put_texts(world, text):
    """Let everything that others choose be this text, on the page of a customer who answered, and of one who was not asked."""
    with world.store.write() as tx:
        for table in (account, contact, owner):
            tx.execute(update(table).values(name=text))
    world.post(world.invite(name=text, label=text, owner_name=text), {"rating": "2", "comment": text})
    put_follow_up(world, "account1", text)
    case = {"id": "interaction9", "ref": "Case/9", "kind": "case", "label": text, "contact_refs": []}
    world.put(interaction, connection="acme", facts={}, **case)
    made = {"survey": "after-case", "connection": "acme", "interaction_id": "interaction9", "contact_id": "contact1"}
    refused = {"state": "refused", "reason": "opted_out"}
    world.put(decision, id="d9", account_id="account1", decided_at=world.clock.at, **made, **refused)
    world.put(decision_log, decision_id="d9", at=world.clock.at, **refused)


def test_no_words_of_others_turn_ours_round_on_the_accounts_page(world):
    put_texts(world, "Maria \u202eevil\u2067")

    shown = page(world, session(world)).text

    assert "Maria evil, 22 November 2026" in shown
    assert "case, Maria evil, Maria evil: not asked" in shown
    outside, comment = re.sub('(?s)<blockquote class="words" dir="auto">.*?</blockquote>', "", shown), shown
    assert "\u202e" in comment
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", outside)


def test_a_name_from_right_to_left_ends_where_it_ends_on_the_accounts_page(world):
    put_texts(world, HEBREW)

    shown = page(world, session(world)).text

    assert f"\u2068{HEBREW}\u2069, 22 November 2026" in shown
    outside = re.sub('(?s)<blockquote class="words" dir="auto">.*?</blockquote>', "", shown)
    assert outside.count(HEBREW) == outside.count(f"\u2068{HEBREW}\u2069") > 8


@pytest.mark.parametrize("rest", ["", "/thanks", "/unsubscribe"])
def test_nor_do_they_on_a_customers_pages(world, rest):
    token = world.invite(label=f"{HEBREW}\u202e", owner_name=HEBREW, email="maria\u202e@customer.example")
    world.post(token, {"rating": "2", "comment": HEBREW})

    shown = world.get(token, rest).text

    assert "\u202e" not in shown
    own = re.sub('(?s)<(dd|textarea)[^>]* dir="auto".*?</', "", shown)
    assert own.count(HEBREW) == own.count(f"\u2068{HEBREW}\u2069")
    assert own.count(HEBREW) == (0 if rest else 2)
