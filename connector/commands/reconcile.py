"""`reconcile`: the comparison of all connections, at night by `run` or by hand. It leaves the laps calls for the day."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from connector.stages import lap
from connector.stages.connection.reach import reached
from connector.stages.installation import Installation
from connector.stages.pull import reconcile
from connector.stages.pull.reconcile import Reconciled
from connector.stages.report import Report
from connector.store.ops.leases import held

OF_OUR_SHARE: Final = 0.75
"""A comparison ends when so much of the connection's share of the day's calls is used; the laps need the rest."""


@dataclass(slots=True)
class Comparison:
    """What comparing came to."""

    lap: Report = field(default_factory=Report)
    """Failures, calls, and what another process is at."""
    found: dict[str, Reconciled] = field(default_factory=dict)
    """By connection."""
    out_of_time: bool = False
    """It was cut off by the time that it was given, and has more to do."""

    def take(self, name: str, reconciled: Reconciled, *, late: bool) -> None:
        """Take in what came of one connection."""
        self.found[name] = reconciled
        self.out_of_time |= reconciled.unfinished and late
        for error in (*reconciled.problems, *([reconciled.failure] if reconciled.failure else [])):
            self.lap.fail(name, error)

    def as_json(self) -> dict[str, object]:
        """Return it as JSON values."""
        crms = {
            name: _json(reconciled) | {"calls": self.lap.calls.get(name, 0)} for name, reconciled in self.found.items()
        }
        return {"crm": crms, "took_s": round(self.lap.took_s, 3)}


def run(
    installation: Installation,
    *,
    since: datetime,
    crm: str | None = None,
    within: timedelta | None = None,
    accept_loss: bool = False,
) -> Comparison:
    """Compare what was not compared since then, on one connection or all, for at most so long (None: to the end)."""
    began, result = time.monotonic(), Comparison()
    only = replace(
        installation, endpoints=[endpoint for endpoint in installation.endpoints if crm in (None, endpoint.name)]
    )

    def late() -> bool:
        return within is not None and time.monotonic() - began >= within.total_seconds()

    with reached(only, lap.bare_context(only), result.lap) as context:
        for name, connected in context.connected.items():
            enough = _any(context.stop.is_set, late, _out_of_calls(only, name))
            with held(context.store, lap.read_lease(name)) as lease:
                if lease is None:
                    result.lap.note_busy(name)
                    continue
                reconciled = reconcile.run(
                    context, connected, lease, since=since, enough=enough, accept_loss=accept_loss
                )
            result.take(name, reconciled, late=late())
    result.lap.took_s = time.monotonic() - began
    return result


def _any(*reasons: Callable[[], bool]) -> Callable[[], bool]:
    return lambda: any(reason() for reason in reasons)


def _out_of_calls(installation: Installation, name: str) -> Callable[[], bool]:
    budget = next(endpoint.budget for endpoint in installation.endpoints if endpoint.name == name)
    return lambda: budget is not None and budget.used() >= OF_OUR_SHARE


def _json(reconciled: Reconciled) -> dict[str, object]:
    return {
        "drift": sum(reconciled.drift.values()),
        "objects": {
            name: {"compared": reconciled.compared[name], "drift": drift} for name, drift in reconciled.drift.items()
        },
        "unfinished": reconciled.unfinished,
    }
