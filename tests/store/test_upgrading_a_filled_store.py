"""Every migration on a year's rows, on both databases: nothing is lost, laps go on, open invitations open."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import uvicorn
from databases import NewStore
from filled_store import ASKED, OPEN_INVITATIONS, RELEASED, Records, fill, keys_of_tasks
from lap_world import CSAT, LapWorld
from sqlalchemy import func, select, text

from connector.app import service
from connector.runtime.clock import SteppedClock
from connector.store import Store, tables
from connector.store.db.migrate import current, differences, head, migrate, revisions
from connector.web import create_app

SAME = {
    "rating": "SELECT response_id, question, value, low, high, direction FROM rating",
    "response": "SELECT id, invitation_id, revision, at, comment, counts, after_contact FROM response",
    "invitation": "SELECT id, person, email, label, expires_at, state FROM invitation",
    "attempt": "SELECT invitation_id, purpose, state, message_id FROM attempt",
    "decision": "SELECT id, survey, contact_id, state, reason FROM decision",
    "decision_log": "SELECT decision_id, state, reason, at FROM decision_log",
    "person": "SELECT person, opted_out_by FROM person",
    "write_log": "SELECT connection, ref, outcome, at FROM write_log",
    "follow_up": "SELECT id, customer, account_id, owner_ref, subject, task_ref, opened_at FROM follow_up",
}
"""What people and customers have said and done: no version may change it."""
RULES = '[follow_up.furious]\nwhen = "csat <= 1"\n[follow_up.unhappy]\nwhen = "csat <= 2"\n'


@pytest.fixture
def world(tmp_path: Path, clock: SteppedClock, new_store: NewStore) -> LapWorld:
    """A CRM with 200 accounts, and a store of the last version that was released which knows them well."""
    store = new_store()
    world = LapWorld(tmp_path, clock, store)
    world.adapter.page_size = 500
    world.configure(CSAT + RULES)
    fill(store, _records(world), clock.now())
    return world


def _records(world: LapWorld) -> Records:
    records = Records(world.rep)
    for number in range(200):
        account = world.account(f"Company a{number:03}")
        records.accounts.append(account)
        records.contacts.append([world.crm.contact(account, f"Person {number}-{which}") for which in range(3)])
    for key in keys_of_tasks():
        records.tasks[key] = world.crm.insert("Task", {"Subject": "Call", "Status": "Open", "Afterword_Key__c": key})
    return records


def kept(store: Store) -> dict[str, Counter[Any]]:
    """Return what people have said and done, by table: how often each row is there."""
    kept = {}
    with store.read() as tx:
        driver: Any = tx.connection.dbapi_connection  # the rows as they are stored
        for name, query in SAME.items():
            cursor = driver.cursor()
            cursor.execute(query)
            kept[name] = Counter(cursor.fetchall())
            cursor.close()
    return kept


def counts(store: Store) -> dict[str, int]:
    """Return how many rows there are of what people have said and done, by table."""
    with store.read() as tx:
        return {name: tx.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in SAME}  # noqa: S608 - ours


def open_about(store: Store) -> set[tuple[str, str]]:
    """Return which customers have an open follow-up, and with whom."""
    columns = "customer, coalesce(contact_id, '')"
    with store.read() as tx:
        rows = tx.execute(text(f"SELECT {columns} FROM follow_up WHERE state = 'open'"))  # noqa: S608 - ours
        return {(row[0], row[1]) for row in rows}


def test_every_migration_keeps_what_people_said_and_did_and_laps_go_on(world: LapWorld) -> None:
    before, rows, urgent = kept(world.store), counts(world.store), open_about(world.store)
    assert rows["rating"] > ASKED * 0.95
    steps = revisions(after=RELEASED)
    assert steps[-1] == head()
    for revision in steps:
        migrate(world.store, to=revision)
        assert (current(world.store), counts(world.store), open_about(world.store)) == (revision, rows, urgent)
    assert kept(world.store) == before
    with world.store.read() as tx:
        assert differences(tx) == []
    _laps_go_on(world)
    _open_invitations_open(world)


def _laps_go_on(world: LapWorld) -> None:
    before = counts(world.store)
    reports = [world.lap() for _ in range(2)]
    assert [report.exit_code for report in reports] == [0, 0]
    assert (reports[0].sent, reports[0].follow_ups, world.mailbox.messages) == (0, 0, [])
    assert counts(world.store) | {"write_log": 0} == before | {"write_log": 0}


def _open_invitations_open(world: LapWorld) -> None:
    assert world.installation.tokens is not None
    first, last = (f"v{number:05}" for number in (ASKED - OPEN_INVITATIONS, ASKED - 1))
    with pages(world) as url:
        for invitation in (first, last):
            page = requests.get(f"{url}/s/{world.installation.tokens.survey(invitation)}", timeout=300)
            assert (page.status_code, "how satisfied are you" in page.text) == (200, True)
        answered = requests.post(f"{url}/s/{world.installation.tokens.survey(last)}", {"rating": "5"}, timeout=300)
    assert answered.status_code == 200
    with world.store.read() as tx:
        count = select(func.count()).select_from(tables.response).where(tables.response.c.invitation_id == last)
        assert tx.execute(count).scalar_one() == 1


@contextmanager
def pages(world: LapWorld) -> Iterator[str]:
    """Serve the installation's pages until the block ends."""
    config = uvicorn.Config("", host="127.0.0.1", port=0, ws="none", lifespan="off", log_config=None)
    socket = config.bind_socket()
    config.app = create_app(service.web_parts(world.installation, lambda _customer: None))
    config.load()
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=300)
    socket.close()
