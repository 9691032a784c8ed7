"""Linked accounts in the store: one customer, with what each of them brings."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, update

from connector.store import Store, linking
from connector.store import tables as t

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def put(store: Store, name: str, crm: str, link: str | None, **columns: Any) -> None:
    row = {"id": name, "connection": crm, "ref": f"Account/{name}", "customer": name, "name": name, "is_customer": True}
    with store.write() as connection:
        connection.execute(t.account.insert().values(**row, link=link, facts={}, **columns))


def follow_up(store: Store, name: str, account: str, rule: str = "unhappy") -> None:
    row = {"id": name, "rule": rule, "customer": account, "account_id": account, "connection": "x", "state": "open"}
    texts = {"priority": "high", "subject": "s", "body": "b", "due_at": NOW, "opened_at": NOW}
    with store.write() as connection:
        connection.execute(t.follow_up.insert().values(**row, **texts))


def settle(store: Store) -> int:
    with store.write() as connection:
        return linking.settle(connection, NOW)


def customers(store: Store) -> dict[str, str]:
    with store.read() as connection:
        return {row.id: row.customer for row in connection.execute(select(t.account.c.id, t.account.c.customer))}


def test_accounts_that_share_a_key_over_two_crms_are_one_customer_and_both_are_scored_again(store: Store) -> None:
    put(store, "a", "one", "acme.example")
    put(store, "b", "two", "acme.example")
    put(store, "c", "two", "other.example")
    put(store, "d", "two", None)
    assert settle(store) == 1
    assert customers(store) == {"a": "a", "b": "a", "c": "c", "d": "d"}
    with store.read() as connection:
        assert set(connection.execute(select(t.standing.c.customer)).scalars()) == {"a", "b"}
    assert settle(store) == 0


def test_accounts_of_one_crm_are_never_one_customer(store: Store) -> None:
    put(store, "a", "one", "acme.example")
    put(store, "b", "one", "acme.example")
    put(store, "c", "two", "acme.example")
    assert settle(store) == 0


def test_a_key_that_becomes_ambiguous_parts_what_it_had_joined(store: Store) -> None:
    put(store, "a", "one", "acme.example")
    put(store, "b", "two", "acme.example")
    settle(store)
    put(store, "c", "one", "acme.example")
    settle(store)
    assert customers(store) == {"a": "a", "b": "b", "c": "c"}


def test_an_account_whose_key_is_taken_away_is_one_of_its_own_again(store: Store) -> None:
    put(store, "a", "one", "acme.example")
    put(store, "b", "two", "acme.example")
    settle(store)
    with store.write() as connection:
        connection.execute(update(t.account).where(t.account.c.id == "b").values(link=None))
    assert settle(store) == 1
    assert customers(store) == {"a": "a", "b": "b"}


def give_key(store: Store, name: str, link: str | None) -> None:
    with store.write() as connection:
        connection.execute(update(t.account).where(t.account.c.id == name).values(link=link))


def test_an_account_that_gets_another_shared_key_takes_no_third_one_along(store: Store) -> None:
    put(store, "a", "one", "acme.example")
    put(store, "b", "two", "acme.example")
    put(store, "c", "three", "other.example")
    settle(store)
    with store.write() as connection:
        connection.execute(update(t.standing).where(t.standing.c.customer == "a").values(score={"score": 50}))
    give_key(store, "b", "other.example")
    settle(store)
    assert customers(store) == {"a": "a", "b": "b", "c": "b"}
    assert settle(store) == 0


def test_the_account_that_a_customer_is_named_after_leaves_the_others_together(store: Store) -> None:
    for name, crm in (("a", "one"), ("b", "two"), ("c", "three")):
        put(store, name, crm, "acme.example")
    settle(store)
    give_key(store, "a", None)
    settle(store)
    assert customers(store) == {"a": "a", "b": "b", "c": "b"}
    assert settle(store) == 0


def test_a_customer_keeps_its_figures_when_the_account_it_was_named_after_is_deleted(store: Store) -> None:
    put(store, "a", "one", "acme.example")
    put(store, "b", "two", "acme.example")
    settle(store)
    with store.write() as connection:
        connection.execute(update(t.account).where(t.account.c.id == "a").values(deleted_at=NOW))
    assert settle(store) == 0
    assert customers(store)["b"] == "a"


def test_of_two_open_follow_ups_for_one_reason_one_stays_open(store: Store) -> None:
    put(store, "a", "one", "acme.example")
    put(store, "b", "two", "acme.example")
    follow_up(store, "f1", "a")
    follow_up(store, "f2", "b")
    follow_up(store, "f3", "b", rule="silent")
    settle(store)
    with store.read() as connection:
        rows = {row.id: (row.state, row.customer) for row in connection.execute(select(t.follow_up))}
    assert rows == {"f1": ("open", "a"), "f2": ("closed", "a"), "f3": ("open", "a")}
