"""A changed setting, or another way of scoring, takes effect in the next lap: for everybody, and with no more writes than changes."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from beginnings import Begin, live
from databases import BOTH_DATABASES
from lap_world import CSAT, DAY, UNHAPPY, LapWorld
from sqlalchemy import update

from connector.model import Mood
from connector.model.score import Figures
from connector.scoring import shrinkage
from connector.settings import Settings
from connector.stages.score.plan import BY_SETTINGS, figures, made_with, worth_publishing
from connector.store import tables
from connector.store.crm.records import mark_stale
from connector.store.db.row_readers import figures_document, figures_of

ACCOUNTS = 16
PATTERNS = (
    (5, 5, 4),
    (4, 4, 3, 4),
    (3, 3, 4, 3),
    (4, 3, 2, 3),
    (2, 3, 2, 3),
    (1, 2, 3),
    (5, 4, 3, 5, 4),
    (3, 4, 4, 3, 5),
)
"""What the people of every eighth account gave."""


def answered(world: LapWorld, accounts: Sequence[tuple[str, Sequence[float]]], at: datetime) -> None:
    """Store answers of people of these accounts, as an import does, and have them taken in."""
    with world.store.write() as tx:
        for name, values in accounts:
            account = next(row for row in world.rows(tables.account) if row.name == name)
            people = [row.id for row in world.rows(tables.contact) if row.account_ref == account.ref]
            for number, (contact, value) in enumerate(zip(people, values, strict=True)):
                answer = f"{account.id}-{number}"
                row = {"id": answer, "revision": 1, "survey": "after-case", "connection": "acme", "counts": True}
                row |= {
                    "account_id": account.id,
                    "contact_id": contact,
                    "label": "case 1",
                    "at": at,
                    "source": "import",
                }
                tx.execute(tables.response.insert(), [row])
                rating = {"metric": "csat", "question": "csat", "value": value, "low": 1, "high": 5, "direction": "up"}
                tx.execute(tables.rating.insert(), [{"response_id": answer, **rating}])
            mark_stale(tx, account.customer, world.clock.now())


@pytest.fixture
def book(begin: Begin) -> LapWorld:
    """Two accounts of each pattern with figures on their records, two days ago, and nothing left to do."""
    return begin(two_days_on)


def two_days_on(world: LapWorld) -> None:
    """Let accounts get figures, and two days go by."""
    live(world)
    told = []
    for number in range(ACCOUNTS):
        values = PATTERNS[number % len(PATTERNS)]
        name = f"Account {number:02}"
        account = world.account(name)
        for person in range(len(values)):
            world.crm.contact(account, f"Person {number} {person}")
        told.append((name, values))
    world.lap()
    answered(world, told, world.clock.now())
    assert world.lap().scored == ACCOUNTS
    world.lap(DAY)
    world.lap(DAY)
    assert quiet(world)


def quiet(world: LapWorld) -> bool:
    before = world.writes()
    return world.lap().scored == 0 and world.writes() == before


def shown(world: LapWorld) -> dict[str, dict[str, Any]]:
    return {row["Name"]: world.shows(row["Id"]) for row in world.crm.all("Account")}


def written(world: LapWorld, since: int) -> list[Any]:
    return [row for row in world.rows(tables.write_log) if row.id > since]


def last_write(world: LapWorld) -> int:
    return max(row.id for row in world.rows(tables.write_log))


def scoring(world: LapWorld, lines: str, rules: str = CSAT + UNHAPPY) -> None:
    world.configure(f"{rules}[scoring]\n{lines}\n")


def test_the_next_lap_writes_the_moods_that_changed_and_no_others(book: LapWorld) -> None:
    before, place = shown(book), last_write(book)
    scoring(book, "unhappy_below = 70\nhappy_above = 90")
    report = book.lap()
    after = shown(book)
    changed = {name for name in after if after[name]["Mood"] != before[name]["Mood"]}
    assert 0 < len(changed) < ACCOUNTS
    assert {name for name in after if after[name] != before[name]} == changed
    refs = {f"Account/{row['Id']}" for row in book.crm.all("Account") if row["Name"] in changed}
    log = written(book, place)
    assert sorted(row.ref for row in log) == sorted(refs)  # each once
    assert {name for row in log for name in row.after} == {"mood"}
    assert report.scored == len(changed)
    assert quiet(book)
    scoring(book, "unhappy_below = 50\nhappy_above = 60")
    book.lap()
    assert shown(book) == before


@pytest.mark.parametrize("lines", ["minimum = 5", "widest = 25", "half_life = '2d'", "write_step = 0"])
def test_every_setting_of_scoring_takes_effect_in_the_next_lap(book: LapWorld, lines: str) -> None:
    before = shown(book)
    scoring(book, lines)
    book.lap()
    after = shown(book)
    if lines.startswith("write_step"):
        # What has moved by less than a step in two days is news now.
        assert {row.as_of for row in book.rows(tables.customer_score)} == {book.clock.now().replace(hour=0, minute=0)}
    else:
        assert after != before
    assert quiet(book)


def test_a_setting_that_is_as_it_was_changes_nothing(book: LapWorld) -> None:
    scoring(book, "unhappy_below = 50")
    assert quiet(book)


def test_a_mood_that_only_a_setting_changed_opens_no_follow_up(book: LapWorld) -> None:
    rules = CSAT + '[follow_up.mood]\nwhen = "mood = unhappy"\n'
    book.configure(rules)
    book.lap()
    opened = len(book.rows(tables.follow_up))
    scoring(book, "unhappy_below = 95\nhappy_above = 96", rules)
    book.lap()
    assert sum(account.get("Mood") == "Unhappy" for account in shown(book).values()) > ACCOUNTS / 2
    assert len(book.rows(tables.follow_up)) == opened
    # The next answer that leaves it unhappy is no new beginning either; one that makes it unhappy again is.
    book.lap(DAY)
    assert len(book.rows(tables.follow_up)) == opened


def test_another_method_fits_a_prior_of_its_own_and_laps_go_on(book: LapWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    before = shown(book)
    versions = {row.version for row in book.rows(tables.prior)}
    monkeypatch.setattr(shrinkage, "METHOD", "afterword-beta-grid-9")
    assert book.lap().exit_code == 0
    (fitted,) = [row for row in book.rows(tables.prior) if row.version not in versions]
    assert (fitted.method, fitted.day) == ("afterword-beta-grid-9", book.clock.now().date().isoformat())
    assert shown(book).keys() == before.keys()
    for _ in range(3):
        assert book.lap(DAY).exit_code == 0
    account = next(row["Id"] for row in book.crm.all("Account") if row["Name"] == "Account 00")
    book.rated(account, 1)
    assert {row.method for row in book.rows(tables.score_history)} >= {"afterword-beta-grid-9"}


@pytest.mark.parametrize(
    "value",
    ["", "[]", "{}", '"text"', '{"method": "afterword-beta-grid-1", "kappa": 1, "accounts": 1, "log_weights": [0]}'],
)
def test_a_prior_that_cannot_be_read_is_fitted_anew(world: LapWorld, value: str) -> None:
    account = world.account()
    world.rated(account, 5)
    with world.store.write() as tx:
        tx.execute(update(tables.prior).values(value=value))
    world.rated(account, 4)
    assert world.shows(account)["People"] == 2
    assert world.lap(DAY).exit_code == 0


# ── what is news ─────────────────────────────────────────────────────────────────────────────────────────────────────

FIGURES = Figures(
    score=70.0,
    low=60.0,
    high=80.0,
    mood=Mood.HAPPY,
    people=5,
    answers=9,
    evidence=4.5,
    askable=3,
    metrics={"csat": 80.4, "nps": None},
    trend=None,
    last_answer=datetime(2026, 11, 1, 8, 24, tzinfo=UTC),
)


@pytest.mark.parametrize(
    ("changes", "news"),
    [
        ({}, False),
        ({"score": 72.9}, False),
        ({"score": 73.0}, True),
        ({"score": 67.0}, True),
        ({"score": None}, True),
        ({"mood": Mood.MIXED}, True),
        ({"people": 4}, True),
        ({"trend": "falling"}, True),
        ({"metrics": {"csat": 80.0, "nps": None}}, False),
        ({"metrics": {"csat": 80.6, "nps": None}}, True),
        ({"metrics": {"csat": None, "nps": None}}, True),
        ({"low": 50.0, "evidence": 2.0}, False),
    ],
)
def test_what_is_news_without_an_answer(changes: dict[str, Any], news: bool) -> None:
    assert worth_publishing(FIGURES, replace(FIGURES, **changes), 3.0) is news


def test_figures_that_come_or_go_are_news() -> None:
    assert worth_publishing(None, FIGURES, 3.0)
    assert worth_publishing(FIGURES, None, 3.0)
    assert not worth_publishing(None, None, 3.0)


def test_figures_are_stored_as_they_are_and_those_of_an_earlier_version_are_read() -> None:
    known = replace(FIGURES, mood_since=FIGURES.last_answer, mood_by=BY_SETTINGS)
    document = json.loads(json.dumps(figures_document(known)))
    assert figures_of(document) == known
    earlier = {name: value for name, value in document.items() if name not in ("askable", "mood_since", "mood_by")}
    assert figures_of(earlier) == replace(FIGURES, askable=0)
    assert (figures_of(None), figures_document(None)) == (None, None)


@BOTH_DATABASES
def test_what_figures_are_made_with_changes_with_every_setting(world: LapWorld) -> None:
    lines = [
        "",
        "minimum = 4",
        "unhappy_below = 51",
        "happy_above = 61",
        "widest = 61",
        "write_step = 4",
        "half_life = '9d'",
    ]
    found = set()
    for line in lines:
        scoring(world, line)
        found.add(made_with(world.installation.settings))
    assert len(found) == len(lines)
    settings: Settings = world.installation.settings
    assert figures([], shrinkage.fit_prior([]), settings, world.clock.now(), askable=0) is None
