"""The pages while the database is not there."""

import logging
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs
from web_world import World, running

from connector.store.tables import account
from connector.surveys.tokens import MARK_HEADER


@pytest.fixture
def world(sqlite_address: str) -> Iterator[World]:
    with running(sqlite_address) as world:
        yield world


def take_away(world: World) -> None:
    """Put a folder where the database was: nobody can open that."""
    world.store.engine.dispose()
    path = world.store.path
    assert path is not None
    for file in path.parent.glob(f"{path.name}*"):
        file.rename(file.with_name(f"away-{file.name}"))
    path.mkdir()


def test_visitors_are_asked_to_come_again_and_the_log_is_told_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    token = world.invite()
    take_away(world)

    with caplog.at_level(logging.WARNING), capture_logs() as logs:
        pages = [world.get(token), world.post(token, {"rating": "4"}), world.get(token, "/unsubscribe")]
        pages.append(world.http.get(f"{world.url}/f/{world.tokens.outcome('a')}", timeout=300))
    assert [(page.status_code, page.headers["retry-after"]) for page in pages] == [(503, "60")] * 4
    assert all("Nothing has been recorded" in page.text for page in pages)
    [line] = [entry for entry in logs if entry["log_level"] == "error"]
    assert line["where"] == "store.url"
    assert line["remedy"]
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


def test_whoever_looks_after_it_is_told_at_once(world: World) -> None:
    assert world.http.get(f"{world.url}/healthz", timeout=300).text == "ok\n"
    take_away(world)
    health = world.http.get(f"{world.url}/healthz", timeout=300)
    assert (health.status_code, health.text) == (503, "the database cannot be used; the log says why\n")


def test_whoever_looks_after_it_is_told_in_words_too_where_the_service_asks_the_store(world: World) -> None:
    world.trouble = lambda: "" if world.rows(account) else "no accounts"
    take_away(world)
    health = world.http.get(f"{world.url}/healthz", timeout=300)
    assert (health.status_code, health.text) == (503, "the database cannot be used; the log says why\n")
    assert health.headers[MARK_HEADER] == world.tokens.mark()
