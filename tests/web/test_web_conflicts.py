"""Pages on PostgreSQL, where two transactions can stand in each other's way: nobody's request is lost for it."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from databases import ON_POSTGRESQL, giving_up_once
from sqlalchemy import Table
from web_world import World, running

from connector.store.ops.sign_ins import FOR_AN_ADDRESS
from connector.store.tables import follow_up, inbox, person, response, sign_in

pytestmark = ON_POSTGRESQL
JANE = {"address": "jane@acme.example", "account": "account1"}


@pytest.fixture
def world(store_address: str) -> Iterator[World]:
    with running(store_address) as world:
        yield world


def outcome(world: World) -> requests.Response:
    url = f"{world.url}/f/{world.tokens.outcome('follow-up')}"
    return world.http.post(url, data={"outcome": "solved"}, timeout=300, allow_redirects=False)


def bounce(world: World) -> requests.Response:
    report = {"message_id": "<a@acme.example>", "reason": "550 5.1.1"}
    return world.http.post(f"{world.url}/bounces/{world.tokens.bounces()}", json=report, timeout=300)


PAGES: dict[str, tuple[Table, Callable[[World, str], requests.Response], int]] = {
    "answer": (response, lambda world, token: world.post(token, {"rating": "4"}), 303),
    "unsubscribe": (person, lambda world, token: world.post(token, {}, "/unsubscribe"), 200),
    "sign in": (sign_in, lambda world, _: world.http.post(f"{world.url}/sign-in", data=JANE, timeout=300), 200),
    "outcome": (follow_up, lambda world, _: outcome(world), 303),
    "bounce": (inbox, lambda world, _: bounce(world), 202),
}


@pytest.mark.parametrize("name", PAGES)
def test_what_the_server_gave_up_for_another_is_done_again(world: World, name: str) -> None:
    table, ask_for, status = PAGES[name]
    token = world.invite()
    world.open_follow_up()
    with giving_up_once(world.store, table):
        assert ask_for(world, token).status_code == status


def at_once(count: int, ask_for: Callable[[int], requests.Response]) -> Counter[int]:
    """Return the statuses of so many requests that are made at the same time."""
    with ThreadPoolExecutor(count) as pool:
        return Counter(answer.status_code for answer in pool.map(ask_for, range(count)))


def test_many_links_of_one_person_stop_surveys_at_once(world: World) -> None:
    links = [world.link(world.invite(), "/unsubscribe") for _ in range(5)]
    assert at_once(20, lambda number: requests.post(links[number % 5], timeout=300)) == {200: 20}
    assert [row.opted_out_by for row in world.rows(person)] == ["link"]


def test_lists_of_bounces_in_any_order_are_kept_at_once(world: World) -> None:
    url = f"{world.url}/bounces/{world.tokens.bounces()}"
    reports = [{"message_id": f"<{number}@acme.example>", "reason": "550"} for number in range(20)]
    orders = (reports, reports[::-1])
    assert at_once(20, lambda number: requests.post(url, json=orders[number % 2], timeout=300)) == {202: 20}
    assert len(world.rows(inbox)) == 20


def test_requests_for_a_link_at_the_same_moment_are_counted(world: World) -> None:
    most = FOR_AN_ADDRESS[0][0]
    statuses = at_once(20, lambda _: requests.post(f"{world.url}/sign-in", data=JANE, timeout=300))
    assert statuses == {200: most, 429: 20 - most}
