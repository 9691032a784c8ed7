"""Threads that write to one SQLite file have their turns in the order in which they came."""

import threading
from collections import deque
from pathlib import Path

import pytest
from sqlalchemy import text

from connector.store import Store
from connector.store.db.write_turns import Turns


def waiting(turns: Turns) -> deque[threading.Event]:
    return turns._waiting


def until(condition: object) -> None:
    assert callable(condition)
    pause = threading.Event()
    while not condition():
        pause.wait(0.005)


def test_each_writer_has_its_turn_in_order(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'a.db'}")
    order: list[int] = []

    def write(number: int) -> None:
        with store.write():
            order.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(20)]
    with store.write():
        for number, thread in enumerate(threads):
            thread.start()
            until(lambda number=number: len(waiting(store.turns)) == number + 1)
    for thread in threads:
        thread.join()
    assert order == list(range(20))
    store.close()


def test_a_writer_that_fails_passes_its_turn_on(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'a.db'}")
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), store.write():
            raise ZeroDivisionError
    with store.write() as tx:
        assert tx.execute(text("SELECT 1")).scalar_one() == 1
    store.close()


def test_who_has_waited_for_long_tries_without_a_turn_and_takes_none_away() -> None:
    turns = Turns()
    with turns.turn(1):
        with turns.turn(0.01):
            assert not waiting(turns)
        later = threading.Thread(target=lambda: turns.turn(60).__enter__())
        later.start()
        until(lambda: len(waiting(turns)) == 1)
    later.join()
