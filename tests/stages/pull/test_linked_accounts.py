"""Linked accounts in the store: one customer, with what each of them brings."""

from datetime import UTC, datetime, timedelta
from typing import Any

from databases import BOTH_DATABASES
from sqlalchemy import select, update

from connector.store import Store
from connector.store import tables as t
from connector.store.crm import links

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def put(store: Store, name: str, crm: str, link: str | None, **columns: Any) -> None:
    row = {"id": name, "connection": crm, "ref": f"Account/{name}", "customer": name, "name": name, "is_customer": True}
    with store.write() as tx:
        tx.execute(t.account.insert().values(**row, link=link, facts={}, **columns))


def contact(store: Store, name: str, crm: str, person: str) -> None:
    row = {"id": name, "connection": crm, "ref": f"Contact/{name}", "name": name, "person": person}
    with store.write() as tx:
        tx.execute(t.contact.insert().values(**row, no_surveys=False, facts={}))


def follow_up(store: Store, name: str, account: str, about: str, **columns: Any) -> None:
    row = {
        "id": name,
        "rule": "unhappy",
        "customer": account,
        "account_id": account,
        "connection": "x",
        "state": "open",
    }
    texts = {"about": about, "priority": "normal", "subject": "s", "body": "b", "due_at": NOW, "opened_at": NOW}
    with store.write() as tx:
        tx.execute(t.follow_up.insert().values(**row | texts | columns))


def answer(store: Store, name: str, follow_up_id: str, account: str) -> None:
    row = {"id": name, "revision": 1, "survey": "s", "connection": "x", "account_id": account, "label": "case 1"}
    with store.write() as tx:
        tx.execute(t.response.insert().values(**row, at=NOW, source="page", counts=True))
        tx.execute(t.follow_up_response.insert().values(follow_up_id=follow_up_id, response_id=name))


def states(store: Store) -> dict[str, tuple[str, str, str | None]]:
    """Return of each follow-up the state, the customer and which one took it over."""
    with store.read() as tx:
        rows = tx.execute(select(t.follow_up))
        return {row.id: (row.state, row.customer, row.joined_into) for row in rows}


def answers(store: Store) -> dict[str, set[str]]:
    """Return which answers are in each follow-up."""
    inside: dict[str, set[str]] = {}
    with store.read() as tx:
        for row in tx.execute(select(t.follow_up_response)):
            inside.setdefault(row.follow_up_id, set()).add(row.response_id)
    return inside


def settle(store: Store) -> int:
    with store.write() as tx:
        return links.settle(tx, NOW)


def customers(store: Store) -> dict[str, str]:
    with store.read() as tx:
        return {row.id: row.customer for row in tx.execute(select(t.account.c.id, t.account.c.customer))}


@BOTH_DATABASES
def test_accounts_that_share_a_key_over_two_crms_are_one_customer_and_both_are_scored_again(store: Store) -> None:
    put(store, "a", "one", "acme.example")
    put(store, "b", "two", "acme.example")
    put(store, "c", "two", "other.example")
    put(store, "d", "two", None)
    assert settle(store) == 1
    assert customers(store) == {"a": "a", "b": "a", "c": "c", "d": "d"}
    with store.read() as tx:
        assert set(tx.execute(select(t.customer_score.c.customer)).scalars()) == {"a", "b"}
    assert settle(store) == 0


@BOTH_DATABASES
def test_accounts_of_one_crm_are_never_one_customer(store: Store) -> None:
    put(store, "a", "one", "acme.example")
    put(store, "b", "one", "acme.example")
    put(store, "c", "two", "acme.example")
    assert settle(store) == 0


@BOTH_DATABASES
def test_a_key_that_becomes_ambiguous_parts_what_it_had_joined(store: Store) -> None:
    put(store, "a", "one", "acme.example")
    put(store, "b", "two", "acme.example")
    settle(store)
    put(store, "c", "one", "acme.example")
    settle(store)
    assert customers(store) == {"a": "a", "b": "b", "c": "c"}


@BOTH_DATABASES
def test_an_account_whose_key_is_taken_away_is_one_of_its_own_again(store: Store) -> None:
    put(store, "a", "one", "acme.example")
    put(store, "b", "two", "acme.example")
    settle(store)
    with store.write() as tx:
        tx.execute(update(t.account).where(t.account.c.id == "b").values(link=None))
    assert settle(store) == 1
    assert customers(store) == {"a": "a", "b": "b"}


def give_key(store: Store, name: str, link: str | None) -> None:
    with store.write() as tx:
        tx.execute(update(t.account).where(t.account.c.id == name).values(link=link))


@BOTH_DATABASES
def test_an_account_that_gets_another_shared_key_takes_no_third_one_along(store: Store) -> None:
    put(store, "a", "one", "acme.example")
    put(store, "b", "two", "acme.example")
    put(store, "c", "three", "other.example")
    settle(store)
    with store.write() as tx:
        tx.execute(update(t.customer_score).where(t.customer_score.c.customer == "a").values(figures={"score": 50}))
    give_key(store, "b", "other.example")
    settle(store)
    assert customers(store) == {"a": "a", "b": "b", "c": "b"}
    assert settle(store) == 0


@BOTH_DATABASES
def test_the_account_that_a_customer_is_named_after_leaves_the_others_together(store: Store) -> None:
    for name, crm in (("a", "one"), ("b", "two"), ("c", "three")):
        put(store, name, crm, "acme.example")
    settle(store)
    give_key(store, "a", None)
    settle(store)
    assert customers(store) == {"a": "a", "b": "b", "c": "b"}
    assert settle(store) == 0


@BOTH_DATABASES
def test_a_customer_keeps_its_figures_when_the_account_it_was_named_after_is_deleted(store: Store) -> None:
    put(store, "a", "one", "acme.example")
    put(store, "b", "two", "acme.example")
    settle(store)
    with store.write() as tx:
        tx.execute(update(t.account).where(t.account.c.id == "a").values(deleted_at=NOW))
    assert settle(store) == 0
    assert customers(store)["b"] == "a"


@BOTH_DATABASES
def test_two_open_follow_ups_about_one_person_are_joined_and_others_stay(store: Store) -> None:
    put(store, "a", "one", "acme.example")
    put(store, "b", "two", "acme.example")
    for name, crm, person in (("ca", "one", "p"), ("cb", "two", "p"), ("cc", "two", "q")):
        contact(store, name, crm, person)
    follow_up(store, "about-a", "a", "")
    follow_up(store, "about-b", "b", "")
    follow_up(store, "late", "a", "ca", due_at=NOW + DAY, priority="low")
    follow_up(store, "soon", "b", "cb", priority="high")
    follow_up(store, "other", "b", "cc")
    for name, of in (("r1", "late"), ("r2", "soon"), ("r3", "other")):
        answer(store, name, of, "a" if of == "late" else "b")
    settle(store)
    assert states(store) == {
        "about-a": ("open", "a", None),
        "about-b": ("closed", "a", "about-a"),
        "late": ("closed", "a", "soon"),
        "soon": ("open", "a", None),
        "other": ("open", "a", None),
    }
    assert answers(store) == {"soon": {"r1", "r2"}, "other": {"r3"}}


@BOTH_DATABASES
def test_the_one_that_is_open_is_kept_before_one_that_waits_for_an_outcome(store: Store) -> None:
    put(store, "a", "one", "acme.example")
    put(store, "b", "two", "acme.example")
    for name, crm in (("ca", "one"), ("cb", "two")):
        contact(store, name, crm, "p")
    follow_up(store, "waits", "a", "ca", state="waiting_for_outcome")
    follow_up(store, "open", "b", "cb", due_at=NOW + DAY)
    settle(store)
    assert states(store) == {"waits": ("closed", "a", "open"), "open": ("open", "a", None)}


@BOTH_DATABASES
def test_when_customers_part_each_follow_up_stays_where_its_task_is_and_the_others_answers_are_owed_one(
    store: Store,
) -> None:
    put(store, "a", "one", "acme.example")
    put(store, "b", "two", "acme.example")
    for name, crm in (("ca", "one"), ("cb", "two")):
        contact(store, name, crm, "p")
    settle(store)
    follow_up(store, "joined", "a", "ca")
    follow_up(store, "old", "b", "cb", customer="a", state="closed")
    answer(store, "r1", "joined", "a")
    answer(store, "r2", "joined", "b")
    answer(store, "r3", "old", "a")  # what is settled is settled
    with store.write() as tx:
        tx.execute(update(t.customer_score).values(stale_at=None))
    give_key(store, "b", None)
    settle(store)
    assert states(store) == {"joined": ("open", "a", None), "old": ("closed", "b", None)}
    with store.read() as tx:
        owed = [(row.response_id, row.follow_up_id) for row in tx.execute(select(t.owed_follow_up))]
        stale = {
            row.customer for row in tx.execute(select(t.customer_score).where(t.customer_score.c.stale_at.is_not(None)))
        }
    assert owed == [("r2", "joined")]
    assert stale == {"a", "b"}


@BOTH_DATABASES
def test_an_account_that_parts_and_comes_together_again_at_once_loses_no_answer(store: Store) -> None:
    put(store, "a", "one", "acme.example")
    put(store, "b", "two", "acme.example")
    contact(store, "ca", "one", "p")
    settle(store)
    follow_up(store, "f", "a", "ca")
    answer(store, "r1", "f", "b")
    for name in ("a", "b"):
        give_key(store, name, "other.example")
    settle(store)
    with store.read() as tx:
        assert tx.execute(select(t.owed_follow_up)).all() == []
    assert states(store)["f"][0] == "open"
