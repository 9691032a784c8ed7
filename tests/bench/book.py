"""A large book of answers: how long scoring, follow-ups and words take, and how long each page keeps others from writing.

`python -m tests.bench.book ACCOUNTS` measures in this process, on a CRM in memory that no call leaves for, and prints JSON.
"""

import argparse
import json
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection, event, update

from adapters.memory import MemoryAdapter, MemoryCrm
from connector.app import wiring
from connector.app.adapter_packages import installed_adapters
from connector.runtime.clock import SteppedClock
from connector.settings import load
from connector.settings.time_zones import day_begins
from connector.stages import lap
from connector.stages.connection.connect import Endpoint, connect, describe_all
from connector.stages.context import Context
from connector.stages.follow_up import stage as follow_up
from connector.stages.score import stage as score
from connector.stages.score.priors import prior_at
from connector.stages.write_back.desired_values import mark_outdated
from connector.store import Store, tables
from connector.store.db.migrate import migrate
from tests.bench.book_rows import CRM, NOW, fill

DAY = timedelta(days=1)
_CONFIG = """\
[web]
public_url = "https://feedback.acme.example"
secret = "only-a-benchmark-knows-this-secret-0123456789"
[email]
host = "localhost"
security = "none"
from = "Acme Care <care@acme.example>"
[crm.acme]
adapter = "salesforce"
mode = "live"
url = "https://acme.my.salesforce.com"
access_token = "none"
[surveys.after-case]
on = "case.closed"
[follow_up.unhappy]
when = "csat <= 2"
"""


@dataclass
class _Watch:
    """Counts the statements of a store, and times its writing transactions from the lock to the end of the commit."""

    statements: int = 0
    locked: list[float] = field(default_factory=list)
    _since: dict[int, float] = field(default_factory=dict)

    def over(self, store: Store) -> None:
        """Watch a store."""
        event.listen(store.engine, "before_cursor_execute", self._count)
        event.listen(store.engine, "begin", self._begin)
        event.listen(store.engine, "commit", self._commit)

    def _count(self, *_given: object) -> None:
        self.statements += 1

    def _begin(self, tx: Connection) -> None:
        if tx.get_execution_options().get("afterword_writes"):
            self._since[id(tx)] = time.perf_counter()

    def _commit(self, tx: Connection) -> None:
        began = self._since.pop(id(tx), None)
        if began is not None:
            self.locked.append(time.perf_counter() - began)


def measure(folder: Path, accounts: int) -> dict[str, Any]:
    """Return the figures of each step over a book of so many accounts."""
    clock = SteppedClock(NOW)
    context = _live_context(folder, clock)
    fill(context.store, accounts)
    watch = _Watch()
    watch.over(context.store)
    steps: dict[str, Any] = {}

    def step(name: str, work: Callable[[], object]) -> None:
        steps[name] = _measured(watch, accounts, work)

    def prior() -> None:
        prior_at(context, day_begins(clock.now(), context.settings))

    step("prior, from all answers", prior)
    step("first scores", lambda: score.run(context))
    step("first words and follow-ups", lambda: follow_up.run(context))
    clock.advance(DAY)
    step("prior of the next day", prior)
    step("ageing", lambda: (mark_outdated(context), score.run(context)))
    _forget(context, clock)
    step("rescore", lambda: score.run(context))
    step("words", lambda: follow_up.run(context))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"accounts": accounts, "peak_mib": round(peak), "steps": steps}


def _live_context(folder: Path, clock: SteppedClock) -> Context:
    """Return what the stages are handed, beside a CRM in memory that has our fields."""
    config = folder / "config.toml"
    config.write_text(_CONFIG, encoding="utf-8")
    settings = load(config, environ={}, adapters=installed_adapters())
    store = Store(f"sqlite:///{folder / 'afterword.db'}")
    migrate(store)
    adapter = MemoryAdapter(MemoryCrm(clock), CRM)
    mapping = wiring.read_mappings(settings)[CRM]
    endpoint = Endpoint(CRM, adapter, mapping, mode_live=True, mapping_name="default")
    fitted, _problems = mapping.fit(describe_all(adapter, mapping))
    adapter.apply_setup(adapter.plan_setup(fitted.wanted_fields()))
    installation = wiring.build(settings, clock=clock, store=store, channel=None, endpoints=[endpoint])
    connected, _problems = connect(store, clock, endpoint)
    return replace(lap.bare_context(installation), connected={CRM: connected})


def _forget(context: Context, clock: SteppedClock) -> None:
    """Have everybody scored and put into words anew."""
    with context.store.write() as tx:
        tx.execute(update(tables.customer_score).values(stale_at=clock.now(), answers_key=None))


def _measured(watch: _Watch, accounts: int, work: Callable[[], object]) -> dict[str, Any]:
    watch.statements, watch.locked = 0, []
    began, cpu = time.perf_counter(), time.process_time()
    work()
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    return {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu, 2),
        "statements_per_account": round(watch.statements / accounts, 2),
        "transactions": len(watch.locked),
        "locked_p99_ms": round(1000 * _p99(watch.locked), 1),
        "locked_most_ms": round(1000 * max(watch.locked, default=0.0), 1),
    }


def _p99(seconds: Sequence[float]) -> float:
    return quantiles(seconds, n=100)[-1] if len(seconds) > 1 else max(seconds, default=0.0)


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("accounts", type=int)
    with TemporaryDirectory(prefix="afterword-bench-book-") as folder:
        print(json.dumps(measure(Path(folder), arguments.parse_args().accounts)))


if __name__ == "__main__":
    main()
