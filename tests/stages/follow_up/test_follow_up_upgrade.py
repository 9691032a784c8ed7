"""Open follow-ups of the version that had one for each account and rule: each is about one person afterwards; nobody is left out."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from databases import NewStore
from lap_world import CSAT, DAY, HOUR, LapWorld
from rich.console import Console
from sqlalchemy import MetaData, delete, insert, select, update

from connector.cli.output import plan as output_plan
from connector.cli.output import results
from connector.commands import plan, status
from connector.store import Store, tables
from connector.store.crm.records import mark_stale
from connector.store.db.migrate import migrate

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
BEFORE = "0010"
OWN = "follow-ups of their own:"


def put(store: Store, table: str, **columns: Any) -> None:
    known = MetaData()
    known.reflect(store.engine, only=[table])
    with store.write() as tx:
        tx.execute(insert(known.tables[table]).values(**columns))


def old_follow_up(store: Store, name: str, rule: str, *, priority: str = "normal", due: datetime = NOW) -> None:
    row = {"id": name, "rule": rule, "customer": "a", "connection": "x", "account_id": "a", "state": "open"}
    texts = {"subject": "Call", "body": "Why", "due_at": due, "opened_at": NOW, "about": "", "attempts": 0}
    put(store, "follow_up", **row, **texts, priority=priority, contact_id="maria", response_id="r1")


def old_answer(store: Store, name: str, contact: str, value: float, *, inside: tuple[str, ...]) -> None:
    row = {"id": name, "revision": 1, "survey": "s", "connection": "x", "account_id": "a", "label": "case 1"}
    put(store, "response", **row, contact_id=contact, at=NOW, source="page", counts=True, after_contact=False)
    rated = {"metric": "csat", "question": "csat", "value": value, "low": 1, "high": 5, "direction": "up"}
    put(store, "rating", response_id=name, **rated)
    for follow_up in inside:
        put(store, "follow_up_response", follow_up_id=follow_up, response_id=name)


def test_each_open_one_is_about_the_person_of_its_worst_answer_and_the_others_are_owed_one(new_store: NewStore) -> None:
    store = new_store()
    migrate(store, to=BEFORE)
    put(store, "standing", customer="a")
    for name in ("maria", "jussi", "ada"):
        row = {"id": name, "connection": "x", "ref": f"Contact/{name}", "name": name, "person": f"p-{name}"}
        put(store, "contact", **row, no_surveys=False, facts={})
    old_follow_up(store, "unhappy", "unhappy", due=NOW + DAY)
    old_follow_up(store, "furious", "furious", priority="high", due=NOW + HOUR)
    old_follow_up(store, "silent", "silent")
    with store.write() as tx:
        tx.execute(update(tables.follow_up).where(tables.follow_up.c.id == "silent").values(response_id=None))
    old_answer(store, "r1", "maria", 2, inside=("unhappy",))
    old_answer(store, "r2", "jussi", 1, inside=("unhappy", "furious"))
    old_answer(store, "r3", "ada", 2, inside=("unhappy",))
    migrate(store)
    with store.read() as tx:
        rows = {row.id: row for row in tx.execute(select(tables.follow_up))}
        owed = {(row.response_id, row.follow_up_id) for row in tx.execute(select(tables.owed_follow_up))}
        rules = {(row.follow_up_id, row.rule) for row in tx.execute(select(tables.follow_up_rule))}
        stale = tx.execute(select(tables.customer_score.c.stale_at)).scalar_one()
    assert (rows["furious"].state, rows["furious"].about, rows["furious"].priority) == ("open", "jussi", "high")
    assert (rows["unhappy"].state, rows["unhappy"].closed_by, rows["unhappy"].joined_into) == (
        "closed",
        "joined",
        "furious",
    )
    assert (rows["silent"].state, rows["silent"].about) == ("open", "")
    assert owed == {("r1", "furious"), ("r3", "furious")}
    assert rules == {("furious", "unhappy"), ("furious", "furious"), ("silent", "silent")}
    assert stale is not None


def owed_in_status(world: LapWorld) -> Any:
    return status.status(world.installation)["owed_follow_ups"]


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_what_people_are_owed_is_opened_whatever_its_age_and_plan_shows_it_first(
    world: LapWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    account = world.account()
    world.rated(account, 1, who="Maria Virtanen", comment="Maria's words.")
    world.rated(account, 2, who="Jussi Aho", comment="Jussi's words.")
    marias, jussis = sorted(world.rows(tables.follow_up), key=lambda row: row.opened_at)
    link = tables.follow_up_response
    with world.store.write() as tx:  # as the version before kept it
        tx.execute(update(link).where(link.c.follow_up_id == jussis.id).values(follow_up_id=marias.id))
        tx.execute(delete(tables.follow_up_rule).where(tables.follow_up_rule.c.follow_up_id == jussis.id))
        tx.execute(delete(tables.follow_up).where(tables.follow_up.c.id == jussis.id))
        owed = {"response_id": jussis.response_id, "follow_up_id": marias.id, "at": world.clock.now()}
        tx.execute(insert(tables.owed_follow_up).values(**owed))
        mark_stale(tx, marias.customer, world.clock.now())
    # Under another name of the rule, so that it is not taken for the one that was just taken away.
    world.configure(CSAT + '[follow_up.low]\nwhen = "low"\n')
    world.clock.advance(10 * DAY)
    assert owed_in_status(world) == {"people": 1, "got": 0}
    results.status(Console(soft_wrap=True), status.status(world.installation))
    assert f"{OWN} 1 person whose answer is in somebody else's will get one in the next live lap" in printed(capsys)
    planned = plan.next_lap(world.installation)
    told = planned.as_json()
    assert told["owed_follow_ups"] == {"people": 1}
    assert [(write["object"], write["action"]) for write in told["writes"]].count(("Task", "create")) == 1
    assert told["writes"][0]["fields"]["Subject"]["after"].startswith("Call Jussi Aho by ")
    output_plan.plan(Console(soft_wrap=True), planned, world.installation)
    first, second, *_ = printed(capsys).splitlines()
    assert first == f"{OWN} 1 person whose answer is in somebody else's will get one in the next live lap"
    assert second.startswith("+ acme: Task Call Jussi Aho by ")
    world.lap()
    assert owed_in_status(world) == {"people": 0, "got": 1}
    results.status(Console(soft_wrap=True), status.status(world.installation))
    assert f"{OWN} 1 person whose answer was in somebody else's got one in the last 30 days" in printed(capsys)
    assert plan.next_lap(world.installation).owed.own == frozenset()
    rows = {row.contact_id: row for row in world.rows(tables.follow_up)}
    own = next(row for row in rows.values() if row.id != marias.id)
    assert "Jussi's words." in own.body
    assert own.due_at - world.clock.now() == timedelta(days=1)
    assert sorted(row.follow_up_id for row in world.rows(link)) == sorted([marias.id, own.id])
    assert world.rows(tables.owed_follow_up) == []
