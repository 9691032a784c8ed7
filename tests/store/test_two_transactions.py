"""Two transactions at once on PostgreSQL, each of which finds nothing yet of what the other is about to store."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from databases import ON_POSTGRESQL
from sqlalchemy import ColumnElement, Connection, insert, select, text, update

from connector.model import FollowUpState, NotedResult, Rating, Ref
from connector.model.follow_up import FollowUp
from connector.model.outbox import RefusedWrite
from connector.ports import SetupStep
from connector.settings import Settings
from connector.settings.company import Company
from connector.stages.follow_up.outcome_links import note_by_link
from connector.stages.follow_up.states import OutcomeNoted
from connector.stages.follow_up.task_events import note_outcome
from connector.store import Store, tables
from connector.store.crm import merges
from connector.store.ops import setup_log
from connector.store.outbox import fields, refusals
from connector.store.results import alerts, follow_up_facts, follow_ups
from connector.store.surveys import answers, deliveries
from connector.store.surveys.deliveries import Letter

NOW = datetime(2026, 11, 16, 8, tzinfo=UTC)
DAY = timedelta(days=1)
MARIA = Ref("acme", "Contact", "003")
pytestmark = ON_POSTGRESQL
Work = Callable[[Connection], Any]


def at_once(store: Store, first: Work, second: Work, *, then: Work = lambda _tx: None) -> Any:
    """Let `second` begin when `first` has done its work and not yet committed; returns what `second` returned.

    `then`: what the first transaction does besides, once the other waits for it.
    """
    results: list[Any] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            with store.write() as tx:
                results.append(second(tx))
        except BaseException as error:
            errors.append(error)

    other = threading.Thread(target=run)
    with store.write() as tx:
        first(tx)
        other.start()
        _until_it_waits(store, other)
        then(tx)
    other.join(timeout=300)
    if errors:
        raise errors[0]
    return results[0]


def _until_it_waits(store: Store, other: threading.Thread) -> None:
    """Return when the other transaction waits for a lock, or is through."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    end = time.monotonic() + 20
    while other.is_alive() and time.monotonic() < end:
        with store.read() as tx:
            if tx.execute(waiting).scalar_one():
                return
        time.sleep(0.01)


def row_of(store: Store, table: Any) -> Any:
    """Return the only row of a table."""
    with store.read() as tx:
        return tx.execute(select(table)).one()


def _want(**values: Any) -> Work:
    return lambda tx: fields.set_desired(tx, MARIA, "contact", values)


def test_what_two_want_on_a_record_that_showed_nothing_is_both_kept(store: Store) -> None:
    at_once(store, _want(no_surveys=True), _want(last_asked="2026-11-16"))
    row = row_of(store, tables.outbox_record)
    assert (row.desired, row.pending) == ({"no_surveys": True, "last_asked": "2026-11-16"}, True)


def test_what_two_want_on_a_record_that_is_known_is_both_kept(store: Store) -> None:
    with store.write() as tx:
        _want(people=1)(tx)
    at_once(store, _want(no_surveys=True), _want(last_asked="2026-11-16"))
    assert row_of(store, tables.outbox_record).desired == {"people": 1, "no_surveys": True, "last_asked": "2026-11-16"}


def test_nothing_wanted_marks_no_record(store: Store) -> None:
    with store.write() as tx:
        _want(people=1)(tx)
        tx.execute(update(tables.outbox_record).values(pending=False))
        _want(people=1)(tx)
    assert row_of(store, tables.outbox_record).pending is False


def test_what_is_put_back_keeps_what_was_seen_meanwhile(store: Store) -> None:
    with store.write() as tx:
        _want(people=1)(tx)
        tx.execute(update(tables.outbox_record).values(actual={"people": 1}))

    def seen(tx: Connection) -> None:
        tx.execute(update(tables.outbox_record).values(actual={"people": 1, "no_surveys": True}))

    at_once(store, seen, lambda tx: fields.put_back(tx, MARIA, {"people": None}))
    assert row_of(store, tables.outbox_record).actual == {"no_surveys": True}


def test_both_refusals_of_a_write_are_counted(store: Store) -> None:
    def refuse(tx: Connection) -> None:
        refusals.refuse(tx, "acme", RefusedWrite("contact:Contact/003", "RULE", "no", "look", "f"), NOW)

    at_once(store, refuse, refuse)
    assert row_of(store, tables.refused_record).attempts == 2


def test_one_of_two_tells_somebody(store: Store) -> None:
    began: list[bool] = []

    def begin(tx: Connection) -> None:
        began.append(alerts.begin_mail(tx, "alert:1", recipient="r@acme.example", kind="alert", notices=[], now=NOW))

    at_once(store, begin, begin)
    assert began == [True, False]
    assert row_of(store, tables.staff_mail).recipient == "r@acme.example"


def test_two_set_ups_note_what_was_made_once(store: Store) -> None:
    def note(tx: Connection) -> None:
        setup_log.remember(tx, "acme", SetupStep("field:mood", "Make the field"), {"made": True}, at=NOW)

    at_once(store, note, note)
    assert row_of(store, tables.setup_log).key == "field:mood"


def _invitation(tx: Connection, state: str = "sent", *, id_: str = "v") -> None:
    common = {"survey": "after-case", "connection": "acme", "contact_id": "c", "interaction_id": f"i-{id_}"}
    tx.execute(insert(tables.decision).values(id=f"d-{id_}", state="invited", decided_at=NOW, **common))
    person = {"person": "p", "email": "m@x.example", "name": "Maria", "language": "en", "label": "case 1"}
    times = {"created_at": NOW, "due_at": NOW, "expires_at": NOW + 14 * DAY}
    tx.execute(
        insert(tables.invitation).values(
            id=id_, decision_id=f"d-{id_}", account_id="a", questionnaire={}, state=state, **common, **person, **times
        )
    )


INVITATIONS = (tables.invitation.c.id == "v1", tables.invitation.c.id == "v2")
RECORDS = (tables.outbox_record.c.ref == "Contact/003A", tables.outbox_record.c.ref == "Contact/003B")


@pytest.mark.parametrize("rows", [INVITATIONS, RECORDS], ids=["invitations", "records"])
def test_whoever_stops_surveys_holds_nothing_that_another_waits_for(
    store: Store, rows: tuple[ColumnElement[bool], ColumnElement[bool]]
) -> None:
    with store.write() as tx:
        for number in "BA":  # not in the order in which they are locked
            _contact(tx, f"c{number}", f"003{number}", person="p")
            fields.set_desired(tx, Ref("acme", "Contact", f"003{number}"), "contact", {"people": 1})
        for number in "21":
            _invitation(tx, id_=f"v{number}")

    def lock(row: ColumnElement[bool]) -> Work:
        return lambda tx: tx.execute(select(1).where(row).with_for_update()).one()

    first, last = rows
    assert at_once(store, lock(first), lambda tx: answers.stop_surveys(tx, "v2", now=NOW), then=lock(last))
    assert row_of(store, tables.person).opted_out_by == "link"


OPENED = FollowUp(
    id="f",
    rule="unhappy",
    customer="a",
    about="c",
    connection="acme",
    account_id="a",
    state=FollowUpState.OPEN,
    priority="normal",
    subject="Call",
    body="",
    due_at=NOW,
    opened_at=NOW,
)


def test_one_of_two_notes_by_a_link_is_counted(store: Store) -> None:
    with store.write() as tx:
        follow_ups.insert(tx, OPENED)
    settings = Settings.model_construct(path=Path("config.toml"), follow_up={}, company=Company())
    noted = OutcomeNoted("Not reached")
    results = []

    def press() -> None:
        results.append(note_by_link(store, settings, "f", noted, attempts=0, now=NOW))

    other = threading.Thread(target=press)
    with store.write() as tx:
        # The first press has its row, and the second is judged before it is through.
        first = follow_ups.locked(tx, ["f"])["f"]
        other.start()
        _until_it_waits(store, other)
        note_outcome(tx, settings, first, noted, NOW)
    other.join(timeout=300)
    assert (results, row_of(store, tables.follow_up).attempts) == ([NotedResult.REPEATED], 1)


def _account(tx: Connection) -> None:
    columns = {"connection": "acme", "ref": "Account/001", "customer": "a", "name": "Oy", "is_customer": True}
    tx.execute(insert(tables.account).values(id="a", facts={}, **columns))


def _answer(value: float) -> Work:
    given = [Rating("csat", "csat", value, 1, 5)]
    return lambda tx: answers.record(tx, "v", given, comment="", now=NOW)


def test_a_correction_that_comes_while_a_follow_up_is_opened_is_kept_beside_the_first_answer(store: Store) -> None:
    with store.write() as tx:
        _account(tx)
        _invitation(tx)
        first = _answer(1)(tx).response_id

    def open_follow_up(tx: Connection) -> None:
        follow_up_facts.lock_answers(tx, ["a"])
        follow_ups.insert(tx, OPENED)
        follow_ups.link(tx, "f", [first])

    at_once(store, open_follow_up, _answer(5))
    with store.read() as tx:
        kept = {row.id == first: (row.counts, row.after_contact) for row in tx.execute(select(tables.response))}
    assert kept == {True: (True, False), False: (False, True)}


def test_one_of_two_sends_a_message(store: Store) -> None:
    with store.write() as tx:
        _account(tx)
        _invitation(tx, state="due")
    with store.read() as tx:
        (letter,) = deliveries.letters(tx, "invitation", ["v"])

    def begin(message_id: str, letter: Letter = letter) -> Work:
        return lambda tx: deliveries.begin(tx, letter, message_id, NOW)

    assert at_once(store, begin("1@acme.example"), begin("2@acme.example")) is False
    assert row_of(store, tables.attempt).message_id == "1@acme.example"


def test_a_merge_that_meets_a_new_decision_on_the_survivor_is_carried_out_by_the_next_lap(store: Store) -> None:
    with store.write() as tx:
        _contact(tx, "loser", "003L")
        _contact(tx, "c", "003S")
        tx.execute(insert(tables.decision).values(id="d-loser", **_decided("loser")))
        merges.remember(tx, "acme", [("Contact/003L", "Contact/003S")], NOW)

    def decide(tx: Connection) -> None:
        tx.execute(insert(tables.decision).values(id="d", **_decided("c")))

    assert at_once(store, decide, lambda tx: merges.settle(tx, "acme", NOW)) == 0
    with store.write() as tx:
        assert merges.settle(tx, "acme", NOW) == 1
        decided = {row.id: row.contact_id for row in tx.execute(select(tables.decision))}
    assert decided == {"d-loser": "loser", "d": "c"}


def _decided(contact: str) -> dict[str, Any]:
    about = {"survey": "after-case", "connection": "acme", "interaction_id": "i", "contact_id": contact}
    return {"state": "refused", "decided_at": NOW, **about}


def _contact(tx: Connection, our_id: str, crm_id: str, *, person: str | None = None) -> None:
    ref = {"connection": "acme", "ref": f"Contact/{crm_id}"}
    tx.execute(insert(tables.contact).values(id=our_id, name=our_id, person=person, no_surveys=False, facts={}, **ref))
    tx.execute(insert(tables.binding).values(kind="contact", id=our_id, content_hash="x", **ref))
