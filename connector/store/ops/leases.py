"""Leases: who does which work now, over all processes that share the database.

They run on the machine's own time, not on the Clock: they are about processes that live and die, not about the business's days.
"""

import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, bindparam, or_, select, update
from sqlalchemy.exc import DBAPIError

from connector.errors import LeaseLost, StoreError
from connector.store.db.engine import Store
from connector.store.db.upsert import insert_or_ignore
from connector.store.tables import lease as table

TTL = timedelta(seconds=90)
"""A holder that was silent for this long has lost its lease."""
BEAT_SECONDS = 15.0
# Made once: leases are looked at in every transaction of a lap.
_ROW: Final = select(table).where(table.c.name == bindparam("lease"))
_HOLDER: Final = (
    select(table.c.owner, table.c.fence).where(table.c.name == bindparam("lease")).with_for_update(read=True)
)
_OURS: Final = update(table).where(
    table.c.name == bindparam("lease"), table.c.owner == bindparam("holder"), table.c.fence == bindparam("held")
)
_RELEASE: Final = _OURS.values(owner=None, beat_at=None)
_BEAT: Final = _OURS.values(beat_at=bindparam("now"))


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to do one piece of work, until it is released or not renewed for `TTL`."""

    name: str
    owner: str
    fence: int

    def check(self, tx: Connection) -> None:
        """Make sure, inside a writing transaction, that the work is still ours, and stays so until its end. Raises `LeaseLost`."""
        held = tx.execute(_HOLDER, {"lease": self.name}).one()
        if (held.owner, held.fence) != (self.owner, self.fence):
            raise LeaseLost(
                "another process took this work over, so this one stopped writing.",
                where=f"lease {self.name}",
                remedy="Nothing to do; if it happens often, the machine or its database is too slow.",
            )

    @property
    def _as_parameters(self) -> dict[str, object]:
        return {"lease": self.name, "holder": self.owner, "held": self.fence}

    def release(self, tx: Connection) -> None:
        """Give it back, if it is still ours."""
        tx.execute(_RELEASE, self._as_parameters)

    def renew(self, tx: Connection, now: datetime) -> None:
        """Give a sign of life, if it is still ours."""
        tx.execute(_BEAT, {**self._as_parameters, "now": now})


@contextmanager
def held(store: Store, name: str) -> Iterator[Lease | None]:
    """Hold a lease for as long as the block runs, renewing it in the background. Yields None when somebody else has it."""
    with held_together(store, (name,)) as leases:
        yield leases.get(name)


@contextmanager
def held_together(store: Store, names: Sequence[str]) -> Iterator[Mapping[str, Lease]]:
    """Hold several leases in the same way, with one write at either end. Yields those that nobody else has, by name."""
    with store.write() as tx:
        taken = {name: lease for name in names if (lease := take(tx, name)) is not None}
    try:
        with ExitStack() as stack:
            for lease in taken.values():
                stack.enter_context(_renewed(store, lease))
            yield taken
    finally:
        if taken:
            with store.write() as tx:
                for lease in taken.values():
                    lease.release(tx)


@contextmanager
def kept(store: Store, lease: Lease) -> Iterator[None]:
    """Renew a lease in the background for as long as the block runs, and give it back then."""
    try:
        with _renewed(store, lease):
            yield
    finally:
        release(store, lease)


def _renewed(store: Store, lease: Lease) -> AbstractContextManager[None]:
    return beating(store, f"lease-{lease.name}", BEAT_SECONDS, lambda tx: lease.renew(tx, datetime.now(UTC)))


@contextmanager
def beating(store: Store, name: str, seconds: float, beat: Callable[[Connection], object]) -> Iterator[None]:
    """Give a sign of life in every so many seconds for as long as the block runs, in a thread of this name."""
    done = threading.Event()
    beater = threading.Thread(target=_beat, args=(store, seconds, beat, done), name=name, daemon=True)
    beater.start()
    try:
        yield
    finally:
        done.set()
        beater.join()


def acquire(store: Store, name: str) -> Lease | None:
    """Take a lease that is free, was let lapse, or whose holder on this machine is dead. None: it is taken."""
    with store.write() as tx:
        return take(tx, name)


def take(tx: Connection, name: str) -> Lease | None:
    """Do the same in a transaction that is open already."""
    now, me = datetime.now(UTC), myself()
    row = tx.execute(_ROW, {"lease": name}).one_or_none()
    if row is None:
        insert_or_ignore(tx, table, [{"name": name, "fence": 0}])
        row = tx.execute(_ROW, {"lease": name}).one()
    free = row.owner is None or row.beat_at is None or _is_silent(row.beat_at, now) or is_dead(row.owner)
    if not free:
        return None
    taken = tx.execute(
        update(table)
        .where(
            table.c.name == name,
            table.c.fence == row.fence,
            or_(table.c.owner.is_(None), table.c.owner == row.owner),
        )
        .values(owner=me, fence=row.fence + 1, beat_at=now)
    )
    return Lease(name, me, row.fence + 1) if taken.rowcount == 1 else None


def _is_silent(beat_at: datetime, now: datetime) -> bool:
    """A sign of life that is to come was given by a clock that was wrong, or ours is: a holder that lives gives another one soon."""
    return not -TTL <= now - beat_at <= TTL


def release(store: Store, lease: Lease) -> None:
    """Give a lease back, if it is still ours."""
    with store.write() as tx:
        lease.release(tx)


def _beat(store: Store, seconds: float, beat: Callable[[Connection], object], done: threading.Event) -> None:
    while not done.wait(seconds):
        # A database that is busy or away for a moment costs one beat; without the next one what is held would be let lapse.
        with suppress(StoreError, DBAPIError), store.write() as tx:
            beat(tx)


def myself() -> str:
    """Return who we are: machine, process, when that began, thread."""
    return f"{_here()}:{os.getpid()}:{_started(os.getpid())}:{threading.get_ident()}"


def _here() -> str:
    """Return where process numbers mean what they mean here: containers can share a host's name and not its processes."""
    try:
        return f"{socket.gethostname()}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return socket.gethostname()


def is_dead(owner: str) -> bool:
    """Tell whether a holder certainly lives no more: only a process of this machine can be seen to be dead."""
    place, pid, started, _thread = owner.rsplit(":", 3)
    if place != _here():
        return False
    return _started(int(pid)) != started


def _started(pid: int) -> str:
    """Return when a process started, in the kernel's ticks, so that a reused number is not mistaken; '-' if there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return _alive(pid)
    except OSError:
        return "?"
    state, *numbers = stat.rpartition(")")[2].split()
    # A zombie is dead; only its parent has not looked yet.
    return "-" if state in "ZX" else numbers[18]


def _alive(pid: int) -> str:
    """Without a /proc (macOS, Windows) a process can only be asked whether it is there."""
    if Path("/proc/self/stat").exists():
        return "-"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return "-"
    except OSError:
        return "?"
    return "?"
