"""Laps after answers: none is forgotten, and those that wait are taken in together."""

import threading
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

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


def test_an_answer_that_comes_in_during_the_lap_of_another_gets_a_lap_too(monkeypatch: pytest.MonkeyPatch) -> None:
    laps = Laps()
    monkeypatch.setattr(lap, "run", laps)
    every = SimpleNamespace(schedule=SimpleNamespace(sync=timedelta(hours=1)))
    house: Any = SimpleNamespace(settings=every, stop=threading.Event())
    service = Service(cast(Installation, house))
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
