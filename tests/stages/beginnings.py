"""Worlds as tests begin with them: each is built once, and every test has a copy to itself, which costs a tenth of the laps."""

import copyreg
import shutil
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeVar

from lap_world import LapWorld

from connector.runtime.clock import SteppedClock
from connector.store import Store

copyreg.pickle(type(threading.RLock()), lambda _lock: (threading.RLock, ()))  # the copy of a CRM has a lock of its own

W = TypeVar("W", bound=LapWorld)
Build = Callable[[W], object]
"""Leads a world before its first lap to where a test begins."""


class Begin(Protocol):
    """Gives a test a world of some kind, as it is after `build`."""

    def __call__(self, build: Build[W], kind: type[W] = ...) -> W: ...


def live(world: LapWorld) -> None:
    """Run the first lap, on an empty CRM."""
    assert world.lap().exit_code == 0


def unhappy(world: LapWorld) -> None:
    """Have one open follow-up of one account, whose task is in the CRM and was read."""
    live(world)
    world.rated(world.account(), 1)
    world.lap()


class Beginnings:
    """The worlds that tests have begun with so far. Nobody changes them any more."""

    def __init__(self, folder: Path, empty_file: Path) -> None:
        """`empty_file`: a SQLite database of this version without a row."""
        self._folder = folder
        self._empty_file = empty_file
        self._built: dict[tuple[type[LapWorld], Build[LapWorld], datetime], LapWorld] = {}

    def of(self, kind: type[W], build: Build[W], start: datetime) -> W:
        """Return the world that `build` has made of one of this kind, at a clock that began at `start`."""
        key = (kind, build, start)
        if key not in self._built:
            folder = self._folder / str(len(self._built))
            folder.mkdir()
            shutil.copyfile(self._empty_file, folder / "afterword.db")
            world = kind(folder, SteppedClock(start), Store(f"sqlite:///{folder / 'afterword.db'}"))
            build(world)
            world.store.close()
            self._built[key] = world
        return self._built[key]
