"""Laps after answers: none is forgotten, and those that wait are taken in together."""

import logging
import threading
import time
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from connector import service as services
from connector.service import Service
from connector.stages import lap
from connector.stages.lap import AFTER_AN_ANSWER, Installation, Report


class Laps:
    """Stands in for the lap: counts those that began, and lets none end before it may."""

    def __init__(self) -> None:
        self.began: list[tuple[lap.Stage, ...]] = []
        self.may_end = threading.Semaphore(0)
        self.seen = threading.Semaphore(0)

    def __call__(self, _house: Installation, *, stages: tuple[lap.Stage, ...]) -> Report:
        self.began.append(stages)
        self.seen.release()
        assert self.may_end.acquire(timeout=20)
        return Report()

    def wait(self) -> None:
        """Wait for the next lap to begin."""
        assert self.seen.acquire(timeout=20)


def _house(every: timedelta = timedelta(hours=1)) -> Installation:
    schedule = SimpleNamespace(schedule=SimpleNamespace(sync=every))
    return cast(Installation, SimpleNamespace(settings=schedule, stop=threading.Event()))


def test_an_answer_that_comes_in_during_the_lap_of_another_gets_a_lap_too(monkeypatch: pytest.MonkeyPatch) -> None:
    laps = Laps()
    monkeypatch.setattr(lap, "run", laps)
    service = Service(_house())
    service.start()
    laps.wait()
    laps.may_end.release()

    service.answered("first")
    laps.wait()
    for name in ("second", "third", "fourth"):
        service.answered(name)
    laps.may_end.release()
    laps.wait()
    laps.may_end.release()
    service.stop()
    assert laps.began == [lap.ALL, AFTER_AN_ANSWER, AFTER_AN_ANSWER]


def test_laps_that_come_due_while_another_takes_long_wait_as_one_and_without_noise(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    laps = Laps()
    monkeypatch.setattr(lap, "run", laps)
    monkeypatch.setattr(services, "SHORTEST", timedelta(milliseconds=20))
    service = Service(_house(every=timedelta(0)))
    with caplog.at_level(logging.WARNING):
        service.start()
        laps.wait()
        for number in range(20):
            service.answered(f"customer {number}")
            time.sleep(0.01)
        for _ in range(3):
            laps.may_end.release()
        laps.wait()
        laps.wait()
        laps.may_end.release(20)
        service.stop()
    assert sorted(laps.began[1:3]) == sorted([lap.ALL, AFTER_AN_ANSWER])
    assert [record.getMessage() for record in caplog.records] == []


def test_a_fault_in_one_lap_is_told_and_the_next_one_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    laps = Laps()

    def faulty(house: Installation, *, stages: tuple[lap.Stage, ...]) -> Report:
        if stages == AFTER_AN_ANSWER:
            raise ZeroDivisionError
        return laps(house, stages=stages)

    monkeypatch.setattr(lap, "run", faulty)
    monkeypatch.setattr(services, "SHORTEST", timedelta(milliseconds=20))
    service = Service(_house(every=timedelta(0)))
    service.start()
    laps.wait()
    service.answered("somebody")
    laps.may_end.release(1000)
    laps.wait()
    laps.wait()
    service.stop()
    assert "ZeroDivisionError" in capsys.readouterr().out


def test_what_waits_when_it_is_stopped_does_not_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    laps = Laps()
    monkeypatch.setattr(lap, "run", laps)
    service = Service(_house())
    service.start()
    laps.wait()
    service.answered("somebody")
    ended = threading.Thread(target=service.stop)
    ended.start()
    service.house.stop.wait(20)
    service.answered("too late")
    laps.may_end.release()
    ended.join(20)
    assert laps.began == [lap.ALL]
