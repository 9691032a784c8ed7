"""An account's page, and signing in by a one-time link."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import update
from web_world import wait_until

from connector.commands import why
from connector.model import OptOutWay
from connector.store.surveys.people import bounced, opt_out
from connector.store.tables import (
    account,
    binding,
    contact,
    customer_score,
    decision,
    decision_log,
    follow_up,
    interaction,
    owner,
    sign_in,
)
from connector.web.pages import account as pages_account

SAME = "If the address belongs to an active user of the CRM"


def ask(world, address="jane@acme.example", account_id="account1"):
    """Ask for a link and wait for the mail."""
    before = len(world.mailed)
    answer = ask_in_vain(world, address, account_id)
    assert len(world.mails(before + 1)) == before + 1
    return answer


def ask_in_vain(world, address="jane@acme.example", account_id="account1", **headers):
    fields = {"address": address, "account": account_id}
    answer = world.http.post(f"{world.url}/sign-in", data=fields, headers=headers, timeout=300)
    keep(world, answer)
    return answer


def keep(world, answer):
    """Keep what a browser would: its cookies are for https only, so they are handed over by hand here."""
    for cookie in answer.cookies:
        world.http.headers["Cookie"] = f"{cookie.name}={cookie.value}"


def no_mail(world):
    """Wait until everything that was asked for has been looked at: none of it was anybody's."""
    wait_until(lambda: not [row for row in world.rows(sign_in) if row.state in ("waiting", "sending")])
    assert world.mailed == []


def mailed_link(world):
    [link] = re.findall(r"http\S+/sign-in/\S+", world.mailed[-1].text)
    return link


def press(world, link, **headers):
    return world.http.post(link, allow_redirects=False, headers=headers, timeout=300)


def session(world, address="jane@acme.example"):
    ask(world, address)
    cookie = press(world, mailed_link(world)).headers["set-cookie"]
    return {"Cookie": cookie.partition(";")[0]}


def page(world, headers=None, account_id="account1"):
    # The cookie is for https only, so it is handed over by hand here.
    return world.http.get(f"{world.url}/accounts/{account_id}", headers=headers, timeout=300)


def test_a_visitor_who_is_not_signed_in_sees_nothing_of_the_account(world):
    for account_id in ("account1", "no-such-account"):
        shown = page(world, account_id=account_id)
        assert shown.status_code == 200
        assert "Virtanen" not in shown.text
        assert "Your e-mail address in the CRM" in shown.text


def test_an_active_user_gets_a_link_that_signs_in_and_leads_to_the_account(world):
    assert SAME in ask(world, " Jane@ACME.example ").text
    [mail] = world.mailed
    assert mail.to == "jane@acme.example"

    reply = press(world, mailed_link(world))

    assert reply.status_code == 303
    assert reply.headers["location"] == "/accounts/account1"
    cookie = reply.headers["set-cookie"]
    for part in ("HttpOnly", "Secure", "SameSite=lax", "Max-Age=43200"):
        assert part in cookie
    assert "jane" not in cookie
    assert "Virtanen Oy" in page(world, {"Cookie": cookie.partition(";")[0]}).text


@pytest.mark.parametrize(
    "address", ["maria@customer.example", "nobody@acme.example", "%@%", "x" * 200 + "@acme.example"]
)
def test_any_other_address_gets_the_same_page_and_no_mail(world, address):
    known = ask(world)
    world.mailed.clear()

    other = ask_in_vain(world, address)

    assert (other.status_code, other.text) == (known.status_code, known.text)
    no_mail(world)


@pytest.mark.parametrize("change", [{"active": False}, {"deleted_at": "now"}, {"standard": False}, {"standard": None}])
def test_who_is_no_longer_a_user_neither_gets_in_nor_stays_in(world, change):
    headers = session(world)
    world.mailed.clear()
    values = {name: world.clock.at if value == "now" else value for name, value in change.items()}
    with world.store.write() as tx:
        tx.execute(update(owner).values(**values))

    ask_in_vain(world)
    no_mail(world)
    assert "Virtanen" not in page(world, headers).text


def test_users_of_a_crm_that_is_not_connected_any_more_see_nothing(world):
    """Nobody reads any more who of them has left."""
    headers = session(world)
    world.crms.remove("acme")
    assert "Virtanen" not in page(world, headers).text

    world.put(
        owner,
        id="o2",
        ref="owners/1",
        name="Jane",
        email="jane@acme.example",
        connection="acme-hub",
        active=True,
        standard=True,
    )
    assert page(world, headers).status_code == 404


def test_opening_the_link_does_not_use_it_up_but_pressing_does(world):
    ask(world)
    link = mailed_link(world)

    for _ in range(20):
        opened = world.http.get(link, timeout=300)
        assert opened.status_code == 200
        assert "set-cookie" not in opened.headers
    assert world.rows(sign_in)[0].used_at is None

    assert press(world, link).status_code == 303
    world.clock.at += timedelta(minutes=1)
    again = press(world, link)
    assert again.status_code == 410
    assert "set-cookie" not in again.headers


def test_a_link_is_good_for_fifteen_minutes(world):
    ask(world)
    world.clock.at += timedelta(minutes=15)

    assert press(world, mailed_link(world)).status_code == 410


def test_a_forged_link_opens_nothing(world):
    for token in ("nonsense", world.tokens.survey("x"), world.tokens.sign_in("never-made")):
        assert press(world, f"{world.url}/sign-in/{token}").status_code == 410


def test_a_session_ends_after_twelve_hours(world):
    headers = session(world)

    world.clock.at += timedelta(hours=12) - timedelta(seconds=1)
    assert "Virtanen" in page(world, headers).text
    world.clock.at += timedelta(seconds=1)
    assert "Virtanen" not in page(world, headers).text


@pytest.mark.parametrize("cookie", ["afterword=nonsense", "afterword=", "other=1"])
def test_a_forged_session_is_none(world, cookie):
    assert "Virtanen" not in page(world, {"Cookie": cookie}).text


def test_a_survey_token_is_no_session(world):
    [kept] = session(world).values()
    secret = world.tokens.read_session(kept.partition("=")[2])

    assert "Virtanen" in page(world, {"Cookie": f"afterword={world.tokens.session(secret)}"}).text
    assert "Virtanen" not in page(world, {"Cookie": f"afterword={world.tokens.survey(secret)}"}).text


def test_nobodys_mailbox_is_filled_by_others(world):
    for _ in range(5):
        ask(world)
    for _ in range(3):
        refused = ask_in_vain(world)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "900")
        assert "ask again in 15 minutes" in refused.text
    assert len(world.mailed) == 5
    # An address that is nobody's is counted as well: the page would tell it otherwise.
    assert [ask_in_vain(world, "nobody@acme.example").status_code for _ in range(6)] == [200] * 5 + [429]

    world.clock.at += timedelta(minutes=16)
    ask(world)
    assert len(world.mailed) == 6


@pytest.mark.parametrize("account_id", ["//evil.example", "../../x", 'a"><b>', "", "x" * 65])
def test_the_link_leads_nowhere_but_to_an_account(world, account_id):
    ask(world, account_id=account_id)

    reply = press(world, mailed_link(world))

    assert reply.status_code == 200
    assert "location" not in reply.headers
    assert "You are signed in" in reply.text


def test_signing_out_ends_the_session_and_takes_the_cookie_away(world):
    headers = session(world)
    reply = world.http.post(f"{world.url}/sign-out", headers=headers, timeout=300)

    assert 'afterword=""' in reply.headers["set-cookie"]
    assert "Max-Age=0" in reply.headers["set-cookie"]
    # Whoever kept a copy of it is out, too.
    assert "Virtanen" not in page(world, headers).text
    assert world.http.post(f"{world.url}/sign-out", headers=headers, timeout=300).status_code == 200


def test_the_page_shows_figures_answers_follow_ups_and_who_was_asked(world):
    token = world.invite("composite")
    world.post(token, {"rating": "2", "speed": "1", "comment": "Nobody <called> back"})
    answer = world.responses()[0]
    moment = world.clock.at
    figures = {
        "score": 41.6,
        "low": 30.2,
        "high": 55.4,
        "mood": "Mixed",
        "people": 3,
        "answers": 4,
        "trend": None,
        "metrics": {"csat": 33.333, "nps": None},
        "later": {"an": "unknown key"},
    }
    with world.store.write() as tx:
        tx.execute(update(customer_score).values(figures=figures))
    world.open_follow_up(
        response_id=answer.id,
        opened_at=moment,
        due_at=moment,
        subject="Call Maria Virtanen by Fri 15:00",
        about="",
        contact_id=None,
        owner_ref=None,
    )

    shown = page(world, session(world)).text

    for words in (
        "<strong>42</strong> of 100, likely between 30 and 55",
        "Mixed",
        "2 of 5 (overall), 1 of 5 (speed)",
        "Nobody &lt;called&gt; back",
        "22 November 2026",
        "Call Maria Virtanen by Fri 15:00",
        "Maria Virtanen, case 00123",
        "33 %",
        "sent 22 November 2026 · answered",
    ):
        assert words in shown
    assert "None" not in shown


def test_the_survey_log_is_told_in_sentences(world):
    world.put(binding, connection="acme", ref="Account/001", kind="account", id="account1", content_hash="c")
    world.put(
        interaction,
        id="interaction9",
        connection="acme",
        ref="Case/9",
        kind="case",
        label="case 00999",
        contact_refs=[],
        facts={},
    )
    made = {"survey": "after-case", "connection": "acme", "interaction_id": "interaction9", "contact_id": "contact1"}
    world.put(
        decision, id="d9", account_id="account1", state="refused", reason="opted_out", decided_at=world.clock.at, **made
    )
    world.put(decision_log, decision_id="d9", at=world.clock.at, state="refused", reason="opted_out")

    shown = page(world, session(world)).text

    assert "case 00999" in shown
    assert "this person does not want surveys" in shown


def test_the_page_names_nobody_whom_the_crm_has_deleted(world):
    token, moment = world.invite(), world.clock.at
    world.post(token, {"rating": "2", "comment": "Too late"})
    which = {"id": "f1", "rule": "r", "customer": "customer1", "connection": "acme", "account_id": "account1"}
    what = {"state": "open", "priority": "high", "subject": "Call Maria Virtanen", "body": "", "due_at": moment}
    world.put(follow_up, contact_id="contact1", about="contact1", opened_at=moment, **which, **what)
    case = {"id": "interaction9", "ref": "Case/9", "kind": "case", "label": "case 00999", "contact_refs": []}
    world.put(interaction, connection="acme", facts={}, **case)
    made = {"survey": "after-case", "connection": "acme", "interaction_id": "interaction9", "contact_id": "contact1"}
    refused = {"state": "refused", "reason": "opted_out"}
    world.put(decision, id="d9", account_id="account1", decided_at=moment, **made, **refused)
    world.put(decision_log, decision_id="d9", at=moment, **refused)
    with world.store.write() as tx:
        opt_out(tx, "person1", moment, "crm")
        tx.execute(update(contact).where(contact.c.id == "contact1").values(deleted_at=moment))

    shown = page(world, session(world)).text

    assert "Maria" not in shown
    assert shown.lower().count("somebody who is no longer known") == 5
    assert "case 00999" in shown


def test_the_survey_log_does_not_repeat_who_was_asked(world):
    world.invite(account_id="account1")

    shown = page(world, session(world)).text

    assert shown.count("Maria Virtanen") == 1
    assert "Nobody was left out" in shown


@pytest.mark.parametrize(
    ("by", "way"),
    [
        ("link", "unsubscribed by the link in a mail"),
        ("complaint", "they called a mail spam"),
        ("crm", "as the record in the CRM says"),
        ("admin", "as an admin has noted"),
        ("erased", "their data were erased"),
    ],
)
def test_the_page_says_since_when_somebody_wants_no_surveys(world, by, way):
    world.invite()
    with world.store.write() as tx:
        opt_out(tx, "person1", world.clock.at, by)

    shown = page(world, session(world)).text

    assert f"wants no surveys since 22 November 2026 ({way})" in shown
    assert "open until" not in shown


@pytest.mark.parametrize("ways", [pages_account.OPTED_OUT, why.OPTED_OUT], ids=["page", "why"])
def test_every_way_of_opting_out_has_words(ways):
    assert set(ways) == set(OptOutWay)


def test_the_page_says_that_mail_does_not_arrive(world):
    world.invite()
    with world.store.write() as tx:
        bounced(tx, "person1", world.clock.at, "no such user")

    assert "mail bounced on 22 November 2026" in page(world, session(world)).text


@pytest.mark.parametrize(
    ("owner_ref", "note", "told"),
    [
        ("User/005", None, "for Jane Doe"),
        (None, "Nobody could be assigned: Jim is no longer active.", "for nobody"),
    ],
)
def test_a_follow_up_says_whose_it_is_or_why_nobodys(world, owner_ref, note, told):
    moment = world.clock.at
    which = {"id": "f1", "rule": "unhappy", "customer": "customer1", "connection": "acme", "account_id": "account1"}
    what = {"state": "open", "priority": "high", "due_at": moment, "opened_at": moment, "subject": "Call", "body": ""}
    world.put(follow_up, owner_ref=owner_ref, owner_note=note, **which, **what)

    shown = page(world, session(world)).text

    assert f"· {told} ·" in shown
    assert note is None or note in shown


def test_an_account_about_which_nothing_is_known_yet_says_so(world):
    shown = page(world, session(world)).text

    for words in ("There is no figure yet", "Nobody has answered yet", "Nobody has been asked yet"):
        assert words in shown


def test_a_user_of_one_crm_does_not_see_the_accounts_of_another(world):
    world.put(
        account,
        id="account2",
        connection="acme-hub",
        ref="companies/1",
        customer="customer2",
        name="Secret Ltd",
        is_customer=True,
        facts={},
    )
    headers = session(world)

    assert page(world, headers, "account2").status_code == 404
    assert "Secret" not in page(world, headers, "account2").text
    assert page(world, headers, "no-such-account").status_code == 404


@pytest.mark.parametrize(
    ("state", "is_open"), [("sent", True), ("due", True), ("cancelled", False), ("bounced", False)]
)
def test_only_what_can_be_answered_is_called_open(world, state, is_open):
    world.invite(state=state)
    assert ("open until 6 December 2026" in page(world, session(world)).text) == is_open


def test_what_could_be_answered_until_lately_is_not_called_open_any_more(world):
    world.invite()
    world.clock.at += timedelta(days=14)
    assert "· was open until 6 December 2026" in page(world, session(world)).text


def linked(world):
    """Give the account's customer an account in another CRM, with a user of its own, an answer and a follow-up in each."""
    hub = {"connection": "acme-hub"}
    there = {"id": "account2", "ref": "companies/1", "customer": "customer1", "name": "Virtanen in the hub"}
    world.put(account, is_customer=True, facts={}, **there, **hub)
    names = {"id": "owner2", "ref": "owners/7", "name": "Hugo Hub", "email": "hugo@acme.example"}
    world.put(owner, active=True, standard=True, **names, **hub)
    for crm, account_id, side in (("acme", "account1", "here"), ("acme-hub", "account2", "there")):
        common = {"connection": crm, "account_id": account_id}
        token = world.invite(label=f"asked {side}", name=f"Invited {side}", **common)
        world.post(token, {"rating": "1", "comment": f"Said {side}"})
        which = {"id": f"f-{side}", "about": side, "rule": "r", "customer": "customer1", "subject": f"Call {side}"}
        what = {"state": "open", "priority": "high", "due_at": world.clock.at, "opened_at": world.clock.at, "body": ""}
        world.put(follow_up, **which, **what, **common)
        case = {"id": f"i-{side}", "ref": f"Case/{side}", "kind": "case", "label": f"left out {side}"}
        world.put(interaction, contact_refs=[], facts={}, connection=crm, **case)
        verdict = {"state": "refused", "reason": "opted_out"}
        refused = {"id": f"d-{side}", "survey": "s", "interaction_id": f"i-{side}", "contact_id": "", **common}
        world.put(decision, decided_at=world.clock.at, **refused, **verdict)
        world.put(decision_log, decision_id=f"d-{side}", at=world.clock.at, **verdict)


HERE = ("Said here", "asked here", "Invited here", "Call here", "left out here")
THERE = ("Said there", "asked there", "Invited there", "Call there", "left out there")


def test_of_a_customer_of_two_crms_a_user_sees_what_came_through_their_own(world):
    linked(world)
    for address, own, mine, others, not_theirs in (
        ("jane@acme.example", "account1", HERE, THERE, "account2"),
        ("hugo@acme.example", "account2", THERE, HERE, "account1"),
    ):
        headers = session(world, address)
        shown = page(world, headers, own).text
        assert [words for words in mine if words not in shown] == []
        assert [words for words in others if words in shown] == []
        hidden = page(world, headers, not_theirs)
        assert (hidden.status_code, [words for words in (*HERE, *THERE) if words in hidden.text]) == (404, [])


def test_a_user_of_both_crms_sees_the_accounts_of_one_customer_together(world):
    linked(world)
    world.put(
        owner,
        id="owner3",
        ref="owners/8",
        name="Jane",
        email="jane@acme.example",
        active=True,
        standard=True,
        connection="acme-hub",
    )
    headers = session(world)
    for account_id in ("account1", "account2"):
        shown = page(world, headers, account_id).text
        assert [words for words in (*HERE, *THERE) if words not in shown] == []
