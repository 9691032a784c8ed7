"""The vault: renewed tokens are there for every process, in nobody's plain sight, and for one to renew at a time."""

import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from connector.errors import CrmError, StoreError, Unavailable
from connector.runtime import token_vault as vaults
from connector.runtime.clock import SteppedClock
from connector.runtime.token_vault import Vault
from connector.store import Store, tables
from connector.store.ops import leases

OLD = "an old secret that is only good for this test, long"
NEW = "a new secret that is only good for this test, long"
RENEWED = {"refresh_token": "refresh-2", "access_token": "access-2"}


def vault(store: Store, clock: SteppedClock, *keys: str, given: str = "refresh-1") -> Vault:
    """Return the vault as a process builds it when it starts."""
    return Vault("acme", refresh_token=given, keys=keys or (OLD,), store=store, clock=clock)


def test_what_is_kept_is_there_after_a_restart(store: Store, clock: SteppedClock) -> None:
    assert vault(store, clock).load() == {}
    vault(store, clock).save({"refresh_token": "refresh-0"})
    vault(store, clock).save(RENEWED)
    assert vault(store, clock).load() == RENEWED


def test_a_new_token_in_the_config_counts_more_than_what_came_of_the_old_one(store: Store, clock: SteppedClock) -> None:
    vault(store, clock).save(RENEWED)
    assert vault(store, clock, given="refresh-9").load() == {}


def test_nobody_who_sees_the_database_sees_a_token(store: Store, clock: SteppedClock) -> None:
    vault(store, clock).save(RENEWED)
    with store.read() as tx:
        row = tx.execute(select(tables.crm_token)).one()
    assert not [text for text in (*RENEWED.values(), "refresh-1", OLD) if text in str(tuple(row))]


def test_the_secret_can_be_replaced_if_the_old_line_stays_until_the_next_use(store: Store, clock: SteppedClock) -> None:
    vault(store, clock, OLD).save(RENEWED)
    assert vault(store, clock, NEW, OLD).load() == RENEWED
    assert vault(store, clock, NEW).load() == RENEWED
    with pytest.raises(CrmError, match=r"secret that it was encrypted with is gone") as caught:
        vault(store, clock, OLD).load()
    assert "web.secret" in caught.value.remedy


def test_one_at_a_time_renews(store: Store, clock: SteppedClock) -> None:
    inside: list[int] = []
    most: list[int] = []

    def renew() -> None:
        with vault(store, clock).alone():
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.02)
            inside.pop()

    threads = [threading.Thread(target=renew) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 4


def test_a_crm_that_takes_its_time_is_asked_by_one_all_the_same(
    store: Store, clock: SteppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "BEAT_SECONDS", 0.02)
    monkeypatch.setattr(leases, "TTL", timedelta(seconds=0.3))
    monkeypatch.setattr(vaults, "PATIENCE_SECONDS", 0.6)
    with vault(store, clock).alone(), pytest.raises(Unavailable), vault(store, clock).alone():
        pass


def test_a_database_that_is_away_for_a_moment_loses_no_new_token(
    store: Store, clock: SteppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = [StoreError("the database could not be opened"), OperationalError("UPDATE", {}, Exception("gone away"))]
    write = store.write
    monkeypatch.setattr(store, "write", lambda: _raise(away.pop()) if away else write())
    vault(store, clock).save(RENEWED)
    assert vault(store, clock).load() == RENEWED


def _raise(error: Exception) -> NoReturn:
    raise error


def test_who_waits_too_long_is_told_that_nothing_was_sent(
    store: Store, clock: SteppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vaults, "PATIENCE_SECONDS", 0.05)
    with vault(store, clock).alone(), pytest.raises(Unavailable) as caught, vault(store, clock).alone():
        pass
    assert caught.value.not_sent
    with vault(store, clock).alone():
        pass


def test_the_first_command_of_all_finds_a_place_to_keep_them(tmp_path: Path, clock: SteppedClock) -> None:
    store = Store(f"sqlite:///{tmp_path / 'none-yet.db'}")
    one = vault(store, clock)
    with one.alone():
        assert one.load() == {}
        one.save(RENEWED)
    assert vault(store, clock).load() == RENEWED
    store.close()
