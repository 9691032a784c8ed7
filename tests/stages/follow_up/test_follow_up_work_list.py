"""`follow_up` and `score`: whom they look at, in what numbers, and that nobody waits behind somebody else."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from asking import CRM, DAY, HOUR, START, World
from asking import world as new_world
from databases import BOTH_DATABASES
from sqlalchemy import insert

from connector.model import FollowUpState
from connector.settings import Settings
from connector.settings.model import FollowUpRule, Scoring, Web
from connector.stages.context import Connected, Context
from connector.stages.follow_up import stage as follow_up
from connector.stages.page_size import PageSize
from connector.stages.score import stage as score
from connector.store import Store
from connector.store import tables as t
from connector.store.crm.records import mark_stale
from connector.store.results import answering_people, follow_up_facts
from connector.store.surveys.decisions import go_live

RULES = {"unhappy": FollowUpRule(when="csat <= 2"), "silent": FollowUpRule(when="silence >= 2")}  # type: ignore[arg-type]


@pytest.fixture
def here(store: Store) -> World:
    made = new_world(store)
    with store.write() as tx:
        for rule in RULES:
            go_live(tx, f"follow_up:{rule}", CRM, START)
    return made


def context(here: World, *connections: str) -> Context:
    settings = Settings.model_construct(
        limits=here.limits,
        surveys=here.surveys,
        follow_up=RULES,
        scoring=Scoring(),
        web=Web(public_url="https://feedback.acme.example"),
    )
    crms = {name: Connected(name, here.crm, here.crm, here.crm, True) for name in connections or (CRM,)}  # type: ignore[arg-type]
    return replace(here.context(), settings=settings, connected=crms)


def lap(here: World, *connections: str) -> None:
    """The stages from silence to follow-ups, in the order of the lap."""
    surroundings = context(here, *connections)
    follow_up.mark_silent(surroundings)
    score.run(surroundings)
    follow_up.run(surroundings)


def add(here: World, table: Any, **columns: Any) -> None:
    with here.store.write() as tx:
        tx.execute(insert(table).values(**columns))


def invitation(here: World, name: str, account: str = "oy", *, person: str = "", **columns: Any) -> None:
    """As it was sent a fortnight ago, unless something else is said."""
    sent_at = here.clock.now() - 14 * DAY
    decision = {"survey": "after-case", "connection": CRM, "state": "invited", "decided_at": sent_at}
    add(here, t.decision, id=f"d-{name}", interaction_id=f"i-{name}", contact_id="maria", **decision)
    row = {
        "survey": "after-case",
        "connection": CRM,
        "account_id": account,
        "contact_id": "maria",
        "interaction_id": f"i-{name}",
        "person": person or name,
        "email": "m@oy.example",
        "name": "Maria",
        "language": "en",
        "label": f"case {name}",
        "questionnaire": {},
        "created_at": sent_at,
        "due_at": sent_at,
        "sent_at": sent_at,
        "expires_at": here.clock.now(),
        "state": "sent",
    }
    add(here, t.invitation, id=name, decision_id=f"d-{name}", **(row | columns))


def answer(here: World, name: str, value: float, account: str = "oy", **columns: Any) -> None:
    at: datetime = columns.pop("at", here.clock.now())
    row = {
        "revision": 1,
        "survey": "after-case",
        "connection": CRM,
        "account_id": account,
        "contact_id": "maria",
        "label": f"case {name}",
        "at": at,
        "source": "page",
        "counts": True,
    } | columns
    add(here, t.response, id=name, **row)
    rating = {"metric": "csat", "question": "overall", "value": value, "low": 1, "high": 5, "direction": "up"}
    add(here, t.rating, response_id=name, **rating)
    with here.store.write() as tx:
        mark_stale(tx, account, here.clock.now())


def opened(here: World) -> set[tuple[str, str]]:
    return {(row.rule, row.customer) for row in here.rows(t.follow_up)}


@BOTH_DATABASES
def test_people_who_were_never_sent_anything_were_not_asked(here: World) -> None:
    invitation(here, "sent")
    invitation(here, "late", state="expired", sent_at=None)
    invitation(here, "bounced", state="bounced")
    invitation(here, "answered", state="bounced")
    answer(here, "r", 4, invitation_id="answered")
    with here.store.read() as tx:
        asked, answered, by = answering_people.people_asked(tx, ["oy"])["oy"]
    assert (asked, answered) == (2, 1)
    assert by is not None


@BOTH_DATABASES
def test_mail_that_bounced_is_no_silence(here: World) -> None:
    invitation(here, "one")
    invitation(here, "two", state="bounced")
    lap(here)
    assert opened(here) == set()
    invitation(here, "three")
    lap(here)
    assert opened(here) == {("silent", "oy")}


@BOTH_DATABASES
def test_silence_with_an_answer_in_between_is_not_looked_at_again_and_again(here: World) -> None:
    invitation(here, "one", sent_at=START - 40 * DAY)
    answer(here, "r", 4, at=START - 30 * DAY)
    lap(here)
    invitation(here, "two")
    lap(here)
    with here.store.read() as tx:
        silent = follow_up_facts.newly_silent(tx, "silent", here.clock.now(), least=2, after="", limit=10)
    assert silent == []


@BOTH_DATABASES
def test_silence_that_was_followed_up_is_looked_at_when_an_answer_has_come_in_between(here: World) -> None:
    for name in ("one", "two"):
        invitation(here, name)
    lap(here)
    with here.store.write() as tx:
        tx.execute(t.follow_up.update().values(state=FollowUpState.CLOSED))
    here.clock.advance(30 * DAY)
    invitation(here, "three")
    lap(here)
    assert len(here.rows(t.follow_up)) == 1
    answer(here, "r", 4)
    here.clock.advance(60 * DAY)
    for name in ("four", "five"):
        invitation(here, name)
    lap(here)
    assert len(here.rows(t.follow_up)) == 2


@BOTH_DATABASES
def test_nobody_waits_behind_a_page_of_others(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow_up, "PAGE", 2)
    monkeypatch.setattr(PageSize, "rows", property(lambda _size: 2, lambda _size, _rows: None), raising=False)
    for number in range(7):
        here.account(f"a{number}", crm="elsewhere" if number < 5 else CRM)
        answer(here, f"r{number}", 1, f"a{number}", connection="elsewhere" if number < 5 else CRM)
        here.clock.advance(HOUR)
    for number in range(7, 12):
        here.account(f"a{number}")
        for turn in range(2):
            invitation(here, f"{number}-{turn}", f"a{number}")
    lap(here)
    told = {("unhappy", "a5"), ("unhappy", "a6")}
    assert opened(here) == told | {("silent", f"a{number}") for number in range(7, 12)}


@BOTH_DATABASES
def test_an_answer_about_a_connection_that_is_out_of_reach_opens_its_follow_up_when_it_is_back(here: World) -> None:
    with here.store.write() as tx:
        go_live(tx, "follow_up:unhappy", "hub", START)
    here.account("twin", crm="hub", customer="oy")
    answer(here, "r", 1, "twin", connection="hub")
    with here.store.write() as tx:
        mark_stale(tx, "oy", here.clock.now())
    lap(here, CRM)
    assert opened(here) == set()
    here.clock.advance(HOUR)
    lap(here, CRM, "hub")
    assert opened(here) == {("unhappy", "oy")}
    assert {row.stale_at for row in here.rows(t.customer_score) if row.customer == "oy"} == {None}


@BOTH_DATABASES
def test_every_answer_that_came_in_meanwhile_is_looked_at(here: World) -> None:
    answer(here, "bad", 1)
    for number in range(60):
        here.clock.advance(timedelta(minutes=1))
        answer(here, f"good{number}", 5)
    lap(here)
    assert opened(here) == {("unhappy", "oy")}
    assert [row.response_id for row in here.rows(t.follow_up_response)] == ["bad"]


@BOTH_DATABASES
def test_an_account_that_was_deleted_and_restored_has_its_score_again(here: World) -> None:
    answer(here, "r", 4)
    lap(here)
    [before] = [row.figures for row in here.rows(t.customer_score)]
    here.change_row(t.account, "oy", deleted_at=here.clock.now())
    for _ in range(2):
        here.clock.advance(DAY)
        lap(here)
    assert [row.figures for row in here.rows(t.customer_score)] == [None]
    here.change_row(t.account, "oy", deleted_at=None)
    here.clock.advance(DAY)
    lap(here)
    [after] = [row.figures for row in here.rows(t.customer_score)]
    assert after["people"] == before["people"] == 1


@BOTH_DATABASES
def test_a_lap_that_is_stopped_leaves_the_rest_for_the_next(here: World) -> None:
    answer(here, "r", 1)
    stopped = context(here)
    stopped.stop.set()
    score.run(stopped)
    follow_up.run(stopped)
    assert opened(here) == set()
    lap(here)
    assert opened(here) == {("unhappy", "oy")}
