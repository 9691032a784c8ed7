"""What somebody can do with one survey link, again and again."""

from datetime import timedelta

import pytest
import requests
from sqlalchemy import select, update
from web_world import NOW

from connector.store.ops.sign_ins import PRESSED_AGAIN, connections_of
from connector.store.surveys.answers import MOST_ANSWERS, MOST_IN_AN_HOUR
from connector.store.tables import contact, follow_up, inbox, outbox_record, person, response, sign_in
from connector.store.views.account_page import LATEST, account_view

HOUR = timedelta(hours=1)


def correct(world, token, number):
    return world.post(token, {"rating": str(1 + number % 5), "comment": f"version {number}"})


def test_corrections_have_an_end_and_the_last_one_is_kept_in_full(world):
    token = world.invite()
    for number in range(MOST_IN_AN_HOUR):
        assert correct(world, token, number).status_code == 303
        world.clock.at += timedelta(seconds=1)

    refused = correct(world, token, MOST_IN_AN_HOUR)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, str(3600 - MOST_IN_AN_HOUR))
    assert "What you sent last is kept just as it is" in refused.text
    assert "hello@acme.example" in refused.text
    [counting] = [row for row in world.responses() if row.counts]
    last = MOST_IN_AN_HOUR - 1
    assert (counting.comment, world.ratings(counting.id)) == (f"version {last}", {"csat": float(1 + last % 5)})
    assert f"version {last}" in world.get(token, "/thanks").text
    # The very same again is no correction.
    assert correct(world, token, last).status_code == 303

    for number in range(MOST_IN_AN_HOUR, MOST_ANSWERS):
        world.clock.at += HOUR
        assert correct(world, token, number).status_code == 303
    world.clock.at += 10 * HOUR
    refused = correct(world, token, MOST_ANSWERS)
    assert (refused.status_code, "retry-after" in refused.headers) == (429, False)
    assert len(world.responses()) == MOST_ANSWERS


def test_corrections_push_no_other_answer_off_the_accounts_page(world):
    other = world.invite(contact_id="contact3", name="Somebody Else")
    world.post(other, {"rating": "2", "comment": "An older answer"})
    flooded = world.invite()
    world.clock.at += HOUR
    rows = [
        {"invitation_id": "invitation2", "revision": number, "at": world.clock.at, "id": f"r{number}", "counts": False}
        for number in range(1, LATEST + 2)
    ]
    common = {"survey": "s", "connection": "acme", "account_id": "account1", "label": "l", "source": "page"}
    with world.store.write() as tx:
        tx.execute(response.insert(), [row | common for row in rows])
    assert flooded
    with world.store.read() as tx:
        view = account_view(tx, "account1", crms=connections_of(tx, "jane@acme.example"))
    assert view is not None
    assert "An older answer" in [answer.comment for answer in view.answers]


def test_what_changes_nothing_waits_for_no_turn_to_write(world):
    token = world.invite()
    correct(world, token, 1)

    with world.store.write():
        assert correct(world, token, 1).status_code == 303
        for made_up in ("made-up", world.tokens.survey("invitation1")):
            assert world.http.post(f"{world.url}/sign-in/{made_up}", timeout=300).status_code == 410


# ── people whom the CRM has deleted ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def gone(world):
    """The link of somebody whose contact was deleted after they had answered."""
    token = world.invite(label="case of Maria")
    world.post(token, {"rating": "2", "comment": "Their words"})
    with world.store.write() as tx:
        tx.execute(update(contact).where(contact.c.id == "contact1").values(deleted_at=NOW))
    return token


def shows_nothing(page):
    return not [words for words in ("maria@", "Maria", "Their words", "case of", "Jane Doe") if words in page.text]


def test_the_survey_of_a_deleted_contact_is_closed(world, gone):
    for rest in ("", "?rating=4", "/thanks", "/unsubscribe"):
        page = world.get(gone, rest)
        assert (page.status_code, shows_nothing(page), "has been withdrawn" in page.text) == (410, True, True), rest
    page = world.post(gone, {"rating": "5", "comment": "More"})
    assert (page.status_code, shows_nothing(page)) == (410, True)
    assert [row.comment for row in world.responses()] == ["Their words"]

    with world.store.write() as tx:
        tx.execute(update(contact).where(contact.c.id == "contact1").values(deleted_at=None))
    assert world.get(gone).status_code == 200


def test_who_was_deleted_may_still_say_that_they_want_no_surveys(world, gone):
    page = world.post(gone, {"List-Unsubscribe": "One-Click"}, "/unsubscribe")

    assert (page.status_code, shows_nothing(page)) == (200, True)
    assert [row.opted_out_by for row in world.rows(person)] == ["link"]


def test_an_outcome_link_shows_nothing_of_a_deleted_contact_and_takes_the_outcome(world, gone):
    which = {"id": "f1", "rule": "r", "customer": "customer1", "connection": "acme", "account_id": "account1"}
    what = {"state": "open", "priority": "high", "subject": "Call Maria Virtanen", "body": "", "note": "Maria said"}
    world.put(follow_up, contact_id="contact1", about="contact1", due_at=NOW, opened_at=NOW, **which, **what)
    link = f"{world.url}/f/{world.tokens.outcome('f1')}"

    page = world.http.get(link, timeout=300)
    assert (page.status_code, shows_nothing(page)) == (200, True)
    noted = world.http.post(link, data={"outcome": "no_action_needed"}, allow_redirects=False, timeout=300)
    assert noted.status_code == 303
    assert shows_nothing(world.http.get(f"{link}/thanks", timeout=300))
    with world.store.read() as tx:
        assert tx.execute(select(follow_up.c.state)).scalar_one() == "closed"


# ── links that are sent again and again ──────────────────────────────────────────────────────────────────────────────


def test_who_is_out_of_surveys_already_waits_for_no_turn_to_write(world):
    token = world.invite()
    assert world.post(token, {"List-Unsubscribe": "One-Click"}, "/unsubscribe").status_code == 200

    with world.store.write():
        page = world.post(token, {"List-Unsubscribe": "One-Click"}, "/unsubscribe")
    assert (page.status_code, "Maria" in page.text) == (200, False)


def test_who_is_out_already_is_out_on_a_record_that_came_later_too(world):
    token = world.invite()
    world.post(token, {}, "/unsubscribe")
    world.put(
        contact,
        id="contact9",
        ref="Contact/009",
        name="Maria V",
        email="maria@customer.example",
        person="person1",
        no_surveys=False,
        facts={},
        connection="acme",
    )

    world.post(token, {}, "/unsubscribe")
    assert {"Contact/003", "Contact/009", "contacts/9"} == {row.ref for row in world.rows(outbox_record)}


def test_a_sign_in_link_and_a_session_that_are_used_up_wait_for_no_turn_to_write(world):
    asked = world.http.post(f"{world.url}/sign-in", data={"address": "jane@acme.example"}, timeout=300)
    browser = {"Cookie": asked.headers["set-cookie"].partition(";")[0]}
    [row] = world.mails(1) and world.rows(sign_in)
    link = f"{world.url}/sign-in/{world.tokens.sign_in(row.nonce)}"
    entered = requests.post(link, headers=browser, timeout=300)
    session = {"Cookie": entered.headers["set-cookie"].partition(";")[0]}
    assert requests.post(f"{world.url}/sign-out", headers=session, timeout=300).status_code == 200
    world.clock.at += PRESSED_AGAIN

    with world.store.write():
        assert requests.post(link, headers=browser, timeout=300).status_code == 410
        assert requests.post(f"{world.url}/sign-out", headers=session, timeout=300).status_code == 200


def test_a_link_in_another_browser_waits_for_no_turn_to_write(world):
    world.http.post(f"{world.url}/sign-in", data={"address": "jane@acme.example"}, timeout=300)
    [row] = world.mails(1) and world.rows(sign_in)

    with world.store.write():
        link = f"{world.url}/sign-in/{world.tokens.sign_in(row.nonce)}"
        assert requests.post(link, timeout=300).status_code == 403


def test_reports_of_bounces_that_are_kept_already_wait_for_no_turn_to_write(world):
    url, report = f"{world.url}/bounces/{world.tokens.bounces()}", {"message_id": "m@acme.example", "reason": "full"}
    assert requests.post(url, json=report, timeout=300).status_code == 202

    with world.store.write():
        for body in (report, [report, report], []):
            assert requests.post(url, json=body, timeout=300).status_code == 202
    assert len(world.rows(inbox)) == 1
