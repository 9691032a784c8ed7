"""Who may open an account's page: the firm's own people, as the CRM tells who they are."""

import re

import requests
from house import HOUR, House, wait_for
from sqlalchemy import select

from connector.store import tables
from tests.databases import ONE_DATABASE

pytestmark = ONE_DATABASE
ADDRESS, PARTNER = "jane@acme.example", "pia@partner.example"
SAME_PAGE = "If the address belongs to an active user of the CRM"


def customer(house: House, **people: str) -> str:
    """Make an account, let it be read, and return the id that its page has."""
    house.account("Northwind", **people)
    house.lap()
    with house.installation.store.read() as tx:
        return str(tx.execute(select(tables.account.c.id)).scalar_one())


def ask(house: House, address: str, account: str) -> dict[str, str]:
    """Ask for a link at the account's page; returns what the browser keeps, as a header: by hand, since cookies are for https alone."""
    answer = requests.post(f"{house.web}/sign-in", data={"address": address, "account": account}, timeout=20)
    assert SAME_PAGE in answer.text
    return {"Cookie": answer.headers["set-cookie"].partition(";")[0]}


def enter(house: House, account: str) -> dict[str, str]:
    """Ask for a link, press its button, and return the session as a header."""
    browser = ask(house, ADDRESS, account)
    wait_for(lambda: bool(house.mailbox.to(ADDRESS)))
    link = re.search(r"http\S+/sign-in/\S+", house.mailbox.to(ADDRESS)[-1].text)
    assert link is not None
    pressed = requests.post(link[0], headers=browser, allow_redirects=False, timeout=20)
    return {"Cookie": pressed.headers["set-cookie"].partition(";")[0]}


def shows(house: House, account: str, session: dict[str, str]) -> bool:
    return "Northwind" in requests.get(f"{house.web}/accounts/{account}", headers=session, timeout=20).text


def test_a_partner_who_has_a_login_is_refused_and_a_colleague_is_let_in(live: House) -> None:
    live.rep("Jane Doe", ADDRESS)
    partner = live.org.add_user("Pia Partner", PARTNER, user_type="PowerPartner")
    account = customer(live, owner=partner)
    ask(live, PARTNER, account)
    assert shows(live, account, enter(live, account))
    assert live.mailbox.to(PARTNER) == []


def test_a_colleague_who_leaves_is_out_when_the_users_are_read_again(live: House) -> None:
    user = live.rep("Jane Doe", ADDRESS)
    account = customer(live)
    session = enter(live, account)
    assert shows(live, account, session)
    live.org.update("User", user, {"IsActive": False})
    live.later(HOUR)
    assert not shows(live, account, session)
