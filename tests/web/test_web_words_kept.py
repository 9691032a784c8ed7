"""Words that cannot be recorded any more stand on the page that says so, so that they can be sent another way."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from test_web_outcome import opened, post
from test_web_without_store import take_away
from web_world import World

from connector.store.surveys.answers import MOST_IN_AN_HOUR
from connector.store.tables import contact, invitation

WORDS = "Nobody <called> back.\nI waited a week."
SHOWN = "Nobody &lt;called&gt; back.\nI waited a week."


def close(world: World) -> None:
    world.clock.at += timedelta(days=14)


def withdraw(world: World) -> None:
    with world.store.write() as tx:
        tx.execute(update(invitation).values(state="cancelled"))


def delete_person(world: World) -> None:
    with world.store.write() as tx:
        tx.execute(update(contact).values(deleted_at=world.clock.at))


def lose_store(world: World) -> None:
    take_away(world)


@pytest.mark.parametrize(
    ("happens", "status"), [(close, 410), (withdraw, 410), (delete_person, 410), (lose_store, 503)]
)
def test_what_a_customer_typed_meanwhile_is_on_the_page_that_takes_no_answer(
    world: World, happens: Any, status: int
) -> None:
    token = world.invite()
    happens(world)

    page = world.post(token, {"rating": "2", "comment": WORDS})

    assert page.status_code == status
    assert SHOWN in page.text
    assert "This has not been recorded" in page.text
    assert "hello@acme.example" in page.text


def test_the_words_of_one_correction_too_many_are_on_the_page_too(world: World) -> None:
    token = world.invite()
    for number in range(MOST_IN_AN_HOUR):
        world.post(token, {"rating": "2", "comment": f"version {number}"})

    page = world.post(token, {"rating": "1", "comment": WORDS})

    assert (page.status_code, SHOWN in page.text) == (429, True)


def test_a_page_without_words_says_nothing_of_them(world: World) -> None:
    token = world.invite()
    close(world)
    for page in (world.get(token), world.post(token, {"rating": "2", "comment": " "})):
        assert (page.status_code, "This has not been recorded" in page.text) == (410, False)


def test_words_that_come_with_a_made_up_link_are_not_shown(world: World) -> None:
    page = world.post("made-up", {"rating": "2", "comment": WORDS})
    assert (page.status_code, "called" in page.text) == (404, False)


def test_the_page_of_a_follow_up_that_was_closed_meanwhile_shows_the_note(world: World) -> None:
    url = opened(world)
    world.before_outcome = lambda: post(world, url, outcome="solved")

    page = post(world, url, outcome="not_reached", note=WORDS)
    again = post(world, url, note=WORDS)

    for late in (page, again):
        assert (late.status_code, SHOWN in late.text, "This has not been recorded" in late.text) == (410, True, True)


def test_the_note_is_on_the_page_where_the_database_is_away(world: World) -> None:
    url = opened(world)
    take_away(world)
    page = post(world, url, outcome="solved", note=WORDS)
    assert (page.status_code, SHOWN in page.text) == (503, True)


def test_the_note_is_on_the_page_after_a_fault_of_ours(world: World) -> None:
    url = opened(world)

    def fail() -> None:
        raise ZeroDivisionError

    world.before_outcome = fail
    page = post(world, url, outcome="solved", note=WORDS)
    assert (page.status_code, SHOWN in page.text) == (500, True)
