"""What is kept for how long, and the nightly job that takes out the rest.

Never taken out while their interaction or contact is known: decisions, when surveys and rules went live, what persons have told us,
deletions and merges, answers, ratings and follow-ups. What goes is what only says how something came about, after the time in which
somebody may ask: see docs/configuration.md.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeVar

from connector.errors import LeaseLost
from connector.stages.installation import Installation
from connector.store import Transaction
from connector.store.ops import outdated_rows
from connector.store.ops.leases import Lease, held

_DAY: Final = timedelta(days=1)
KEPT_FOR: Final[Mapping[str, timedelta]] = {
    "lap": 30 * _DAY,
    "inbox": 30 * _DAY,
    "sign_in": 30 * _DAY,
    "web_session": 30 * _DAY,
    "write_log": 90 * _DAY,
    "decision_log": 730 * _DAY,
    "attempt": 730 * _DAY,
    "alert": 365 * _DAY,
    "staff_mail": 365 * _DAY,
    outdated_rows.THINNED: 730 * _DAY,
    outdated_rows.PRIORS: 90 * _DAY,
}
"""By table. After this, rows go; of the scores' history the last one of each customer and month stays for good."""
PAGE: Final = 500
"""So many rows are taken out in one transaction: nobody waits for it long."""
AGAIN: Final = timedelta(hours=20)
"""Less than a day, so that the job of each night finds that it is due."""
SLICE: Final = timedelta(seconds=30)
"""How long a lap from cron may take for it; the next one goes on."""
_LEASE: Final = "retention"

_Key = TypeVar("_Key")


@dataclass(slots=True)
class Pruned:
    """What was taken out."""

    removed: dict[str, int] = field(default_factory=dict)
    """By table."""
    complete: bool = False
    """Nothing that is outdated is left."""

    def count(self, table: str, rows: int) -> None:
        """Count rows that were taken out."""
        self.removed[table] = self.removed.get(table, 0) + rows


def run(app: Installation, *, within: timedelta | None = None) -> Pruned:
    """Take out what is outdated, for at most so long (None: to the end). Another process that is at it is left to it."""
    result, began = Pruned(), time.monotonic()

    def enough() -> bool:
        return app.stop.is_set() or (within is not None and time.monotonic() - began >= within.total_seconds())

    with held(app.store, _LEASE) as lease, suppress(LeaseLost):  # whoever took it over goes on with it
        if lease is not None:
            _Pruning(app, lease, result, enough).run()
    return result


def run_if_due(app: Installation, *, within: timedelta) -> Pruned | None:
    """Do the same when it was not done for a day: for those who run laps from cron. None: it is not due."""
    with app.store.read() as tx:
        before = outdated_rows.noted(tx)
    now = app.clock.now()
    if before is not None and timedelta() <= now - datetime.fromisoformat(before["at"]) < AGAIN:
        return None
    return run(app, within=within)


def status(tx: Transaction) -> dict[str, object]:
    """Return what is kept, and what was taken out last, as JSON values."""
    before = outdated_rows.noted(tx) or {"at": None, "removed": {}}
    kept = {name: size | {"days": KEPT_FOR[name] // _DAY} for name, size in outdated_rows.sizes(tx).items()}
    return {"pruned_at": before["at"], "removed": dict(before["removed"]), "tables": kept}


class _Pruning:
    """One run of the job."""

    def __init__(self, app: Installation, lease: Lease, result: Pruned, enough: Callable[[], bool]) -> None:
        self._app = app
        self._lease = lease
        self._result = result
        self._enough = enough
        self._now = app.clock.now()

    def run(self) -> None:
        for name, outdated in outdated_rows.OUTDATED.items():
            self._take_out(name, outdated)
        self._take_out_priors()
        self._thin_out()
        if self._enough():
            return
        self._result.complete = True
        with self._app.store.write() as tx:
            self._lease.check(tx)
            outdated_rows.note(tx, self._now, self._result.removed)

    def _take_out(self, name: str, outdated: outdated_rows.Outdated) -> None:
        before = self._now - KEPT_FOR[name]
        delete = outdated_rows.delete_writes if name == outdated_rows.WRITES else outdated.delete
        self._delete_pages(
            name,
            lambda tx: outdated.some(tx, before, PAGE),
            lambda tx, keys: delete(tx, before, keys),
        )

    def _take_out_priors(self) -> None:
        day = (self._now - KEPT_FOR[outdated_rows.PRIORS]).date().isoformat()
        self._delete_pages(
            outdated_rows.PRIORS, lambda tx: outdated_rows.old_priors(tx, day, PAGE), outdated_rows.delete_priors
        )

    def _delete_pages(
        self,
        name: str,
        next_page: Callable[[Transaction], Sequence[_Key]],
        delete: Callable[[Transaction, Sequence[_Key]], int],
    ) -> None:
        while not self._enough():
            with self._app.store.read() as tx:
                keys = next_page(tx)
            removed = self._delete(keys, delete) if keys else 0
            self._result.count(name, removed)
            if removed == 0:
                return

    def _thin_out(self) -> None:
        before = self._now - KEPT_FOR[outdated_rows.THINNED]
        place: outdated_rows.Place | None = None
        last: list[outdated_rows.PastScore] = []
        while not self._enough():
            with self._app.store.read() as tx:
                rows = [*outdated_rows.old_scores(tx, before, place, PAGE)]
            ids = outdated_rows.superseded([*last, *rows])
            if ids:
                self._result.count(outdated_rows.THINNED, self._delete(ids, outdated_rows.delete_scores))
            if len(rows) < PAGE:
                return
            last = rows[-1:]
            place = (rows[-1].customer, rows[-1].at, rows[-1].id)

    def _delete(self, keys: Sequence[_Key], delete: Callable[[Transaction, Sequence[_Key]], int]) -> int:
        with self._app.store.write() as tx:
            self._lease.check(tx)
            return delete(tx, keys)
