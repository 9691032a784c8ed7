"""A chat is known by its address, wherever that stands in `notify`: none is told twice, and none is passed over."""

from dataclasses import replace

import pytest
from lap_world import CSAT, DAY, LapWorld
from sqlalchemy import update

from connector.errors import MailboxRefused
from connector.store import tables

OLD, NEW = "https://chat.example/hooks/old-secret", "https://chat.example/hooks/new-secret"


@pytest.fixture
def posts(world: LapWorld) -> list[str]:
    """The addresses that posts went to; one with "wrong" in it refuses them."""
    posted: list[str] = []

    def post(url: str, _content: object) -> bool:
        if "wrong" in url:
            raise MailboxRefused("the webhook answered 404.")
        posted.append(url)
        return True

    world.post = post  # type: ignore[attr-defined]
    notify(world, OLD)
    return posted


def notify(world: LapWorld, *chats: str) -> None:
    """Have a rule name these chats."""
    names = ", ".join(f'"{chat}"' for chat in chats)
    world.configure(f'{CSAT}[follow_up.low]\nwhen = "low"\nnotify = [{names}]\n')
    world.installation = replace(world.installation, webhook=world.post)  # type: ignore[attr-defined]


def test_a_chat_before_another_in_the_list_is_told_of_the_last_day_and_the_other_nothing_again(
    world: LapWorld, posts: list[str]
) -> None:
    world.rated(world.account(), 1)
    assert posts == [OLD]
    notify(world, NEW, OLD)
    world.lap()
    world.lap()
    assert posts == [OLD, NEW]


def test_a_corrected_address_is_told_what_the_wrong_one_refused(world: LapWorld, posts: list[str]) -> None:
    notify(world, f"{OLD}-wrong")
    world.rated(world.account(), 1)
    assert posts == []
    notify(world, OLD)
    world.lap()
    world.lap()
    assert posts == [OLD]


def test_no_secret_address_is_stored(world: LapWorld, posts: list[str]) -> None:
    world.rated(world.account(), 1)
    assert posts == [OLD]
    (told,) = [row for row in world.rows(tables.alert) if row.staff_mail_key is None]
    assert "secret" not in str(tuple(told))


def test_what_an_earlier_version_told_a_chat_is_not_told_again(world: LapWorld, posts: list[str]) -> None:
    world.rated(world.account(), 1)
    with world.store.write() as tx:  # it knew chats by their places in the list
        tx.execute(update(tables.alert).values(recipient="webhook-0"))
    world.lap()
    world.lap(DAY)
    assert posts == [OLD]
