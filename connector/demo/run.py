"""`afterword demo`: runs three weeks of a pretend firm, then either prints the results or goes on slowly."""

import logging
import signal
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Final
from zoneinfo import ZoneInfo

import requests
import structlog
from rich.console import Console

from adapters.sandbox.customers import Customers
from connector.app import service
from connector.commands import plan
from connector.demo import output
from connector.demo.expectations import Evidence, broken
from connector.demo.parts import Branch, DemoParts, started_parts
from connector.demo.people import people_by_address
from connector.demo.serving import bound_socket, port_of, served
from connector.demo.simulation import DAYS, HOURS, NEW_WORK, WORKING_DAYS, Announce, Simulation, is_working_time
from connector.demo.watch import RecordWatch
from connector.demo.windows import LOOK_S, CrmPages, PageViews, demo_app
from connector.demo.workers import Office
from connector.model import Ref
from connector.runtime.cancellation import CancellationToken
from connector.settings.time_zones import owner_zone
from connector.stages.lap import Report
from connector.store.crm import owners

ACCOUNTS: Final = 30
"""In each CRM, besides the customer whom both know."""
LOOK_BACK_DAYS: Final = 90
PACE_S: Final = 1.0
"""Seconds to watch each step for."""
HOUR_S: Final = 4.0
"""Seconds in which an hour passes, after the first two weeks."""
SETTLED, INTERRUPTED, BROKEN = 0, 130, 70
"""How it can end, as exit codes."""


@dataclass(frozen=True)
class DemoRun:
    """A demo that is about to run."""

    parts: DemoParts
    simulation: Simulation
    before: Mapping[Ref, Mapping[str, object]]
    rows_before: Mapping[Ref, Mapping[str, object]]
    first: Report
    writes_before: int


def once(console: Console, *, seed: int) -> int:
    """Run all of it fast, print what the CRMs show at its end, and return the exit code."""
    began = time.monotonic()
    with (
        TemporaryDirectory(prefix="afterword-demo-") as folder,
        _stoppable() as stop,
        started_parts(Path(folder), seed=seed, accounts=ACCOUNTS, stop=stop) as demo,
    ):
        days = output.DayPrinter(console)
        with _started_run(console, demo, days.announce, seed) as run:
            for moment in run.simulation.moments(DAYS):
                if stop.is_set():
                    return INTERRUPTED
                run.simulation.step(moment, new=new_work(run, moment))
                if moment.hour == HOURS[-1]:
                    days.end_of_day(moment)
            return _report(console, run, began)


def new_work(run: DemoRun, moment: datetime) -> int:
    """Return how many pieces of work begin in each CRM at a moment of the simulation."""
    return NEW_WORK if moment - run.parts.began < timedelta(days=WORKING_DAYS) else 0


def stay(console: Console, folder: Path, *, seed: int) -> int:
    """Run the first two weeks at a pace that can be watched, then go on slowly until somebody stops it."""
    views = PageViews()
    with (
        _stoppable() as stop,
        started_parts(folder, seed=seed, accounts=ACCOUNTS, stop=stop) as demo,
        _demo_pages(demo, views) as url,
    ):
        printer = output.EventPrinter(console, demo.clock)
        with _started_run(console, demo, printer.announce, seed) as run:
            output.addresses(console, url)
            watches = [RecordWatch(branch) for branch in demo.branches]
            for moment in run.simulation.moments(WORKING_DAYS):
                if stop.wait(PACE_S):
                    break
                run.simulation.step(moment, new=new_work(run, moment))
                _look(watches, printer.announce)
            else:
                output.addresses(console, url)
                output.from_now_on(console, hour_s=HOUR_S, look_s=LOOK_S)
                _go_on(run, watches, stop, views)
    console.print("The demo has ended.")
    return SETTLED


def _look(watches: Iterable[RecordWatch], announce: Announce) -> None:
    for watch in watches:
        watch.announce_changes(announce)


def _go_on(run: DemoRun, watches: Iterable[RecordWatch], stop: CancellationToken, views: PageViews) -> None:
    """Let an hour pass every few seconds, with the laps on their own schedule as in `afterword run`."""
    work = service.Service(run.parts.installation)
    run.parts.on_answer = work.engine.answered
    work.start()
    try:
        while hour_has_passed(stop, views):
            hour = (run.parts.clock.now() + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
            if not is_working_time(hour):
                hour += timedelta(hours=3)  # nobody wants to watch a night
            run.simulation.live(hour, new=1)
            run.simulation.receive()
            _look(watches, run.simulation.announce)
    finally:
        work.stop()


def hour_has_passed(stop: CancellationToken, views: PageViews) -> bool:
    """Wait for the next hour, which does not come while somebody looks; False when it is time to stop."""
    while not stop.wait(HOUR_S):
        if not views.lately():
            return True
    return False


@contextmanager
def _demo_pages(demo: DemoParts, views: PageViews) -> Iterator[str]:
    bound = bound_socket()
    with served(demo_app(demo.inbox, [_crm_pages(branch, demo.shared) for branch in demo.branches], views), bound):
        yield f"http://localhost:{port_of(bound)}"


def _crm_pages(branch: Branch, shared: Sequence[str]) -> CrmPages:
    """Return a CRM's pages; the customers whom all CRMs know are the ones to look at first."""
    accounts = [company.account for company in branch.companies if company.account.domain in shared]
    urls = {account.name: branch.records.reader.record_url(account.ref) for account in accounts}
    user = branch.crm.address(accounts[0].owner) if accounts else ""
    return CrmPages(branch.crm, branch.url, {name: url.removeprefix(branch.url) for name, url in urls.items()}, user)


@contextmanager
def _started_run(console: Console, demo: DemoParts, announce: Announce, seed: int) -> Iterator[DemoRun]:
    """Look back, run the first lap, and have everybody ready."""
    output.the_crms(console, demo)
    before = _shown(demo)
    output.looked_back(console, plan.look_back(demo.installation, timedelta(days=LOOK_BACK_DAYS)), LOOK_BACK_DAYS)
    offices = [Office(branch.crm, branch.companies, branch.records.task_fields(), seed) for branch in demo.branches]
    people = people_by_address(demo.crms)
    with closing(requests.Session()) as session:
        customers = Customers(seed, session, demo.clock)
        simulation = Simulation(demo, offices, customers, people, announce)
        writes = _writes(demo)
        first = simulation.lap()
        output.first_lap(console, first)
        yield DemoRun(demo, simulation, before, _rows(demo), first, writes)


def _shown(demo: DemoParts) -> dict[Ref, Mapping[str, object]]:
    """Return what our fields on all accounts show."""
    return {ref: values for branch in demo.branches for ref, values in branch.records.accounts().items()}


def _rows(demo: DemoParts) -> dict[Ref, Mapping[str, object]]:
    """Return what is on each account besides our fields and the CRM's own stamps."""
    rows: dict[Ref, Mapping[str, object]] = {}
    for branch in demo.branches:
        our_fields = {field.name for field in branch.records.fields("account")}
        for account in branch.crm.accounts():
            rows[account.ref] = {name: value for name, value in account.row.items() if name not in our_fields}
    return rows


def _writes(demo: DemoParts) -> int:
    return sum(crm.writes() for crm in demo.crms)


def _report(console: Console, run: DemoRun, began: float) -> int:
    seen = _evidence(run)
    output.the_accounts(console, run.parts.branches, run.before, seen.accounts)
    output.the_tasks(console, run.parts.branches, seen.tasks)
    writes = _writes(run.parts) - run.writes_before
    output.what_one_rep_got(console, seen)
    output.summary(console, seen, writing_calls=writes, took_s=time.monotonic() - began)
    wrong = broken(seen)
    output.verdict(console, wrong)
    return BROKEN if wrong else SETTLED


def _evidence(run: DemoRun) -> Evidence:
    """Read everything back from the CRMs."""
    simulation, demo = run.simulation, run.parts
    reports = list(simulation.reports)
    idle = simulation.lap()
    now = _rows(demo)
    return Evidence(
        first=run.first,
        reports=reports,
        idle=idle,
        mails=demo.inbox.since(),
        deeds=simulation.deeds,
        people=simulation.people,
        contacts=_contacts(run),
        accounts=_shown(demo),
        customers={account.ref: account.domain for crm in demo.crms for account in crm.accounts()},
        tasks=[task for branch in demo.branches for task in branch.records.tasks()],
        working=demo.installation.settings.company.working_time,
        zones=_zones(demo),
        quiet_period=demo.installation.settings.limits.quiet_period,
        foreign_changes=[f"{ref.connection} {ref.id}" for ref, row in now.items() if run.rows_before.get(ref) != row],
    )


def _zones(demo: DemoParts) -> dict[str, ZoneInfo]:
    """Return where each of our people is, by address."""
    with demo.installation.store.read() as tx:
        users = [user for name in demo.installation.settings.crm for user in owners.all_of(tx, name)]
    # Who is a user of several CRMs is where the one says that knows it.
    users.sort(key=lambda user: user.timezone is not None)
    return {user.email: owner_zone(user, demo.installation.settings) for user in users if user.email}


def _contacts(run: DemoRun) -> dict[Ref, Mapping[str, object]]:
    """Return what our fields on all contacts show."""
    refs = [ref for person in run.simulation.people.values() for ref in person.contacts]
    return {
        ref: values
        for branch in run.parts.branches
        for ref, values in branch.records.shown(
            "contact", [ref.id for ref in refs if ref.connection == branch.crm.name]
        ).items()
    }


@contextmanager
def _stoppable() -> Iterator[CancellationToken]:
    """Turn SIGINT and SIGTERM into an event, so that everything under way ends in order; the program's logs are not printed."""
    stop = CancellationToken()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    before = {number: signal.signal(number, ask_to_stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        structlog.reset_defaults()
