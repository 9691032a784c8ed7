"""Who may open an account's page: the firm's own people, as the CRM tells who they are."""

import re
import threading
from datetime import timedelta

import pytest
import requests
from environment import HOUR, Environment, wait_for
from sqlalchemy import select

from connector.errors import Unavailable
from connector.store import tables
from connector.web.auth.user_check import UserCheck, UserVerdict

ADDRESS, PARTNER = "jane@acme.example", "pia@partner.example"
SAME_PAGE = "If the address belongs to an active user of the CRM"


def customer(env: Environment, **people: str) -> str:
    """Make an account, let it be read, and return the id that its page has."""
    env.account("Northwind", **people)
    env.lap()
    with env.installation.store.read() as tx:
        return str(tx.execute(select(tables.account.c.id)).scalar_one())


def ask(env: Environment, address: str, account: str) -> dict[str, str]:
    """Ask for a link at the account's page; returns what the browser keeps, as a header: by hand, since cookies are for https alone."""
    answer = requests.post(f"{env.web}/sign-in", data={"address": address, "account": account}, timeout=300)
    assert SAME_PAGE in answer.text
    return {"Cookie": answer.headers["set-cookie"].partition(";")[0]}


def enter(env: Environment, account: str) -> dict[str, str]:
    """Ask for a link, press its button, and return the session as a header."""
    browser = ask(env, ADDRESS, account)
    wait_for(lambda: bool(env.mailbox.to(ADDRESS)))
    link = re.search(r"http\S+/sign-in/\S+", env.mailbox.to(ADDRESS)[-1].text)
    assert link is not None
    pressed = requests.post(link[0], headers=browser, allow_redirects=False, timeout=300)
    return {"Cookie": pressed.headers["set-cookie"].partition(";")[0]}


def shows(env: Environment, account: str, session: dict[str, str]) -> bool:
    return "Northwind" in requests.get(f"{env.web}/accounts/{account}", headers=session, timeout=300).text


def test_a_partner_who_has_a_login_is_refused_and_a_colleague_is_let_in(live: Environment) -> None:
    live.rep("Jane Doe", ADDRESS)
    partner = live.org.add_user("Pia Partner", PARTNER, user_type="PowerPartner")
    account = customer(live, owner=partner)
    ask(live, PARTNER, account)
    assert shows(live, account, enter(live, account))
    assert live.mailbox.to(PARTNER) == []


def test_a_colleague_who_leaves_is_out_when_the_users_are_read_again(live: Environment) -> None:
    user = live.rep("Jane Doe", ADDRESS)
    account = customer(live)
    session = enter(live, account)
    assert shows(live, account, session)
    live.org.update("User", user, {"IsActive": False})
    live.later(HOUR)
    assert not shows(live, account, session)


# ── asked at sign-in ─────────────────────────────────────────────────────────────────────────────────────────────────


def requests_for_links(env: Environment) -> list[str]:
    with env.installation.store.read() as tx:
        return list(tx.execute(select(tables.sign_in.c.state)).scalars())


def cannot_be_asked(env: Environment) -> None:
    env.org.oauth.end_all()
    answer = {"error": "invalid_grant", "error_description": "ip restricted or invalid login hours"}
    env.org.faults.fail(400, answer, method="POST", path="oauth2/token")


def test_who_has_left_gets_no_link_though_users_were_not_read_again(live: Environment) -> None:
    user = live.rep("Jane Doe", ADDRESS)
    account = customer(live)
    live.org.update("User", user, {"IsActive": False})
    ask(live, ADDRESS, account)
    wait_for(lambda: requests_for_links(live) == ["dropped"])
    assert live.mailbox.to(ADDRESS) == []


def test_while_the_crm_cannot_be_asked_colleagues_come_in_by_what_was_read(live: Environment) -> None:
    live.rep("Jane Doe", ADDRESS)
    account = customer(live)
    cannot_be_asked(live)
    live.clock.advance(12 * HOUR)
    assert shows(live, account, enter(live, account))


def test_what_was_read_long_ago_lets_nobody_in_and_they_are_told_why(live: Environment) -> None:
    live.rep("Jane Doe", ADDRESS)
    account = customer(live)
    cannot_be_asked(live)
    since = f"{live.clock.now():%d %b %Y}"
    live.clock.advance(13 * HOUR)
    ask(live, ADDRESS, account)
    wait_for(lambda: requests_for_links(live) == ["not_asked"])
    [mail] = live.mailbox.to(ADDRESS)
    assert f"the CRM could not be asked since {since}" in " ".join(mail.text.split())
    assert not [link for link in mail.links if "/sign-in/" in link]


def test_a_crm_that_hangs_is_not_waited_for(live: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    live.rep("Jane Doe", ADDRESS)
    customer(live)
    may_go_on, calls = threading.Event(), []

    def hang(*args: object) -> None:
        calls.append(args)
        assert may_go_on.wait(60)
        raise Unavailable("it hung", remedy="wait")

    monkeypatch.setattr(live.installation.endpoints[0].adapter, "fetch", hang)
    check = UserCheck(live.installation, within=timedelta(milliseconds=1))
    assert check(ADDRESS).verdict is UserVerdict.USER
    wait_for(lambda: bool(calls))
    assert check(ADDRESS).verdict is UserVerdict.USER
    assert len(calls) == 1, "nobody else is asked about meanwhile"
    may_go_on.set()


def count_calls(env: Environment, monkeypatch: pytest.MonkeyPatch, failure: Unavailable | None = None) -> list[object]:
    """Count how often the CRM is asked about users from now on; with `failure` it does not say."""
    adapter, calls = env.installation.endpoints[0].adapter, []
    fetch = adapter.fetch

    def counted(*args: object) -> object:
        calls.append(args)
        if failure is not None:
            raise failure
        return fetch(*args)

    monkeypatch.setattr(adapter, "fetch", counted)
    return calls


@pytest.mark.parametrize("failure", [None, Unavailable("it is away", remedy="wait")])
def test_however_often_links_are_asked_for_the_crm_is_asked_about_a_user_once_in_ten_minutes(
    live: Environment, monkeypatch: pytest.MonkeyPatch, failure: Unavailable | None
) -> None:
    live.rep("Jane Doe", ADDRESS)
    live.rep("Jonas Berg", "jonas@acme.example")
    customer(live)
    check, calls = UserCheck(live.installation), count_calls(live, monkeypatch, failure)
    for _ in range(20):
        assert check(ADDRESS).verdict is UserVerdict.USER
        live.clock.advance(timedelta(seconds=29))
    assert len(calls) == 1
    assert check("jonas@acme.example").verdict is UserVerdict.USER
    assert len(calls) == 2, "others are asked about meanwhile"
    live.clock.advance(timedelta(seconds=20))
    assert check(ADDRESS).verdict is UserVerdict.USER
    assert len(calls) == 3


def test_who_was_found_to_have_left_is_not_asked_about_again(
    live: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = live.rep("Jane Doe", ADDRESS)
    customer(live)
    live.org.update("User", user, {"IsActive": False})
    check, calls = UserCheck(live.installation), count_calls(live, monkeypatch)
    for _ in range(3):
        assert check(ADDRESS).verdict is UserVerdict.NO_USER
    assert len(calls) == 1
