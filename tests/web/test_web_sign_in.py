"""Signing in: in the browser that asked, from a page of ours alone, and with mails that keep no page waiting."""

import re
import threading
from datetime import timedelta

import pytest
import requests
from requests.adapters import HTTPAdapter
from sqlalchemy import update
from web_world import running, wait_until

from connector.errors import MailInDoubt, MailUnavailable
from connector.store.ops import sign_ins
from connector.store.tables import owner, sign_in, web_session

OUR_OWN = "This link signs in the browser in which it was asked for"


def ask(world, address="jane@acme.example", **headers):
    fields = {"address": address, "account": "account1"}
    return requests.post(f"{world.url}/sign-in", data=fields, headers=headers, timeout=300)


def cookie_of(answer):
    return {"Cookie": answer.headers["set-cookie"].partition(";")[0]}


def link_of(mail):
    [link] = re.findall(r"http\S+/sign-in/\S+", mail.text)
    return link


def press(link, **headers):
    return requests.post(link, headers=headers, allow_redirects=False, timeout=300)


def asked(world, mails=1):
    """Ask for a link; return the browser's cookie and the link."""
    browser = cookie_of(ask(world))
    return browser, link_of(world.mails(mails)[-1])


@pytest.mark.parametrize(
    "typed", ["", "jane", "jane@", "@acme.example", "jane doe@acme.example", "a" * 300 + "@acme.example"]
)
def test_what_is_no_address_is_named_at_once_and_waits_for_no_mail(world, typed):
    answer = ask(world, typed)

    assert answer.status_code == 422
    assert "This is no e-mail address" in answer.text
    assert 'name="account" value="account1"' in answer.text
    assert f'value="{typed[:254]}"' in answer.text
    assert world.rows(sign_in) == []


# ── the browser that asked ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_link_signs_in_the_browser_that_asked_for_it_and_no_other(world):
    browser, link = asked(world)
    stranger, _ = asked(world, mails=2)
    for cookies in ({}, stranger, {"Cookie": "afterword-browser=" + "x" * 43}):
        opened = requests.get(link, headers=cookies, timeout=300)
        assert (opened.status_code, OUR_OWN in opened.text) == (403, True)
        assert 'name="account" value="account1"' in opened.text
        pressed = press(link, **cookies)
        assert (pressed.status_code, "set-cookie" in pressed.headers) == (403, False)

    assert "Press the button" in requests.get(link, headers=browser, timeout=300).text
    assert press(link, **browser).status_code == 303


def test_a_browser_that_asks_again_can_use_either_link(world):
    browser, first = asked(world)
    again = ask(world, **browser)
    assert cookie_of(again) == browser
    second = link_of(world.mails(2)[-1])
    for link in (second, first):
        assert press(link, **browser).status_code == 303


def test_a_button_that_is_pressed_twice_signs_in_by_whichever_press_the_browser_waits_for(world):
    browser, link = asked(world)
    sessions = []
    for _ in range(2):
        pressed = press(link, **browser)
        assert pressed.status_code == 303
        sessions.append(re.search("afterword=[^;]+", pressed.headers["set-cookie"])[0])
        world.clock.at += timedelta(seconds=59)
    for kept in sessions:
        shown = requests.get(f"{world.url}/accounts/account1", headers={"Cookie": kept}, timeout=300)
        assert "Virtanen" in shown.text
    # The second press makes the link last no longer, and nobody else profits.
    assert press(link, **browser).status_code == 410
    assert requests.get(link, headers=browser, timeout=300).status_code == 410


def test_who_is_no_user_any_more_is_not_signed_in_by_a_link_that_was_sent_before(world):
    browser, link = asked(world)
    with world.store.write() as tx:
        tx.execute(update(owner).values(active=False))

    assert (press(link, **browser).status_code, world.rows(web_session)) == (410, [])


# ── who asks for links of somebody else's ────────────────────────────────────────────────────────────────────────────


class From(HTTPAdapter):
    """Requests come from another address of this machine, as from another network."""

    def __init__(self, address):
        self.address = address
        super().__init__()

    def init_poolmanager(self, *args, **named):
        super().init_poolmanager(*args, source_address=(self.address, 0), **named)


def ask_from(world, address, **headers):
    with requests.Session() as http:
        http.mount("http://", From(address))
        fields = {"address": "jane@acme.example", "account": "account1"}
        return http.post(f"{world.url}/sign-in", data=fields, headers=headers, timeout=300)


def use_up(world, sources):
    """Have strangers ask for Jane's links until none of them gets one any more on this day."""
    for _ in range(12):
        for source in sources:
            while ask_from(world, source).status_code == 200:
                pass
        world.clock.at += timedelta(hours=1)


def test_a_stranger_who_uses_up_the_links_of_an_address_keeps_nobody_elsewhere_out(world):
    use_up(world, ["127.0.0.66"])
    assert ask_from(world, "127.0.0.66").status_code == 429
    assert ask_from(world, "127.0.0.7").status_code == 200


def test_a_browser_that_its_owner_has_signed_in_with_is_counted_alone(world):
    browser, link = asked(world)
    pressed = press(link, **browser)
    kept = [cookie for cookie in pressed.headers["set-cookie"].split(", ") if "afterword-browser" in cookie]
    assert f"Max-Age={30 * 24 * 3600}" in kept[0], "it is known again in a month"
    strangers = ["127.0.0.66", "127.0.0.67", "127.0.0.68"]
    use_up(world, strangers)
    assert {ask_from(world, source).status_code for source in [*strangers, "127.0.0.1"]} == {429}

    assert [ask(world, **browser).status_code for _ in range(6)] == [200] * 5 + [429]


def test_a_browser_is_known_for_the_address_alone_that_it_has_signed_in(world):
    browser, link = asked(world)
    press(link, **browser)
    for expected in [200] * 5 + [429]:
        assert ask(world, "max@acme.example", **browser).status_code == expected


def test_the_mailbox_of_a_user_gets_fifty_mails_a_day_at_most_for_strangers(world):
    use_up(world, [f"127.0.0.{number}" for number in range(60, 66)])
    assert len(world.rows(sign_in)) == 50


# ── from our own page ────────────────────────────────────────────────────────────────────────────────────────────────

ELSEWHERE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": "https://evil.acme.example"},
    {"Sec-Fetch-Site": "none", "Origin": "https://evil.example"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
]


@pytest.mark.parametrize("headers", ELSEWHERE, ids=str)
def test_no_other_site_signs_a_browser_in_or_out(world, headers):
    browser, link = asked(world)
    signed_in = cookie_of(press(link, **browser))
    browser, link = asked(world, mails=2)

    assert ask(world, **headers).status_code == 403
    assert (press(link, **browser, **headers).status_code, len(world.rows(web_session))) == (403, 1)
    assert press(f"{world.url}/sign-out", **signed_in, **headers).status_code == 403
    shown = requests.get(f"{world.url}/accounts/account1", headers=signed_in, timeout=300)
    assert "Virtanen Oy" in shown.text


@pytest.mark.parametrize("site", ["same-origin", "none", None])
def test_our_own_page_does(world, site):
    headers = {"Origin": world.url} | ({"Sec-Fetch-Site": site} if site else {})
    browser = cookie_of(ask(world, **headers))

    assert press(link_of(world.mails(1)[0]), **browser, **headers).status_code == 303


@pytest.mark.parametrize(("prefix", "path"), [("", "/"), ("/feedback", "/feedback")])
def test_over_https_the_cookies_are_for_our_path_and_for_https_alone(sqlite_address: str, prefix: str, path: str):
    with running(sqlite_address, prefix=prefix, public=f"https://feedback.acme.example{prefix}") as world:
        asked_for = ask(world)
        mailed = link_of(world.mails(1)[0]).replace("https://feedback.acme.example", world.url.removesuffix(prefix))
        pressed = press(mailed, **cookie_of(asked_for), Origin="https://feedback.acme.example")

    browser, signed_in = (one.headers["set-cookie"] for one in (asked_for, pressed))
    assert browser.startswith("__Secure-afterword-browser=") and f"Path={prefix}/sign-in;" in browser
    assert signed_in.startswith("__Secure-afterword=") and f"Path={path};" in signed_in
    for cookie in (browser, signed_in):
        assert [part for part in ("HttpOnly", "Secure", "SameSite=lax") if part not in cookie] == []


# ── mails that keep nobody waiting ───────────────────────────────────────────────────────────────────────────────────


class Hanging:
    """A mail server that takes nothing until it is let go."""

    def __init__(self):
        self.began = threading.Semaphore(0)
        self.may_go_on = threading.Event()

    def __call__(self, _message):
        self.began.release()
        assert self.may_go_on.wait(60)


def test_pages_are_served_while_the_mail_server_hangs(world):
    world.send = Hanging()
    token = world.invite()
    known = ask(world)
    assert world.send.began.acquire(timeout=300)

    answers = [ask(world, f"nobody{number}@acme.example") for number in range(29)]
    assert {(one.status_code, one.text) for one in answers} == {(200, known.text)}
    too_many = [ask(world, f"nobody{number}@acme.example") for number in range(29, 60)]
    assert {one.status_code for one in too_many} == {429}
    assert world.get(token).status_code == 200
    assert world.post(token, {"rating": "4"}).status_code == 303
    # What is nobody's is out of the queue, though the mail before it is under way.
    wait_until(lambda: [row.state for row in world.rows(sign_in) if row.state == "waiting"] == [])

    assert world.mailed == []
    world.send.may_go_on.set()
    assert [mail.to for mail in world.mails(1)] == ["jane@acme.example"]


def test_a_mail_that_could_not_go_out_is_tried_again_and_later_each_time(world):
    tries = []

    def refuse(message):
        tries.append(message.to)
        raise MailUnavailable("the server is away", remedy="wait")

    world.send = refuse
    ask(world)
    waits = []
    for number in range(1, 4):
        wait_until(lambda number=number: [row.attempts for row in world.rows(sign_in)] == [number])
        [row] = world.rows(sign_in)
        waits.append((row.next_at - world.clock.at).total_seconds())
        world.clock.at = row.next_at
        world.sign_in_mails.wake()
    assert (waits, len(tries) >= 3) == ([10, 20, 40], True)

    world.send = None
    world.clock.at += sign_ins.LINK_LIFE / 3
    world.sign_in_mails.wake()
    [mail] = world.mails(1)
    wait_until(lambda: [row.state for row in world.rows(sign_in)] == ["sent"])  # that is noted after the mail has gone
    [row] = world.rows(sign_in)
    assert (mail.to, row.state, row.sent_at) == ("jane@acme.example", "sent", world.clock.at)


def test_a_request_that_has_waited_for_as_long_as_a_link_is_good_is_dropped(world):
    def refuse(_message):
        raise MailUnavailable("the server is away", remedy="wait")

    world.send = refuse
    ask(world)
    wait_until(lambda: [row.attempts for row in world.rows(sign_in)] == [1])
    world.send = None
    world.clock.at += sign_ins.LINK_LIFE
    world.sign_in_mails.wake()
    wait_until(lambda: [row.state for row in world.rows(sign_in)] == ["dropped"])
    assert world.mailed == []


def test_a_mail_that_may_have_arrived_is_not_sent_again(world):
    def doubt(_message):
        raise MailInDoubt("cut off")

    world.send = doubt
    ask(world)
    wait_until(lambda: [row.state for row in world.rows(sign_in)] == ["in_doubt"])
