"""`afterword demo`: tells the story, and then either reports what it led to or stays."""

import logging
import signal
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any, Final
from zoneinfo import ZoneInfo

import requests
import structlog
from rich.console import Console

from adapters.sandbox.customers import Customers
from connector.app import service
from connector.commands import plan
from connector.demo import output
from connector.demo.expectations import Evidence, broken
from connector.demo.parts import Branch, Scene, scene
from connector.demo.people import people_by_address
from connector.demo.serving import bound_socket, port_of, served
from connector.demo.story import DAYS, HOURS, NEW_WORK, WORKING_DAYS, Story, Tell, is_working_time
from connector.demo.watch import RecordWatch
from connector.demo.windows import LOOK_S, Looks, Shelf, desk_app
from connector.demo.workers import Office
from connector.model import Ref
from connector.runtime.cancellation import StopSign
from connector.settings.time_zones import owner_zone
from connector.stages.lap import Report
from connector.store.crm import owners

ACCOUNTS: Final = 30
"""In each CRM, besides the customer whom both know."""
LOOK_BACK_DAYS: Final = 90
PACE_S: Final = 1.0
"""Seconds to watch each step of the story for."""
HOUR_S: Final = 4.0
"""Seconds in which an hour passes, once the story is told."""
SETTLED, INTERRUPTED, BROKEN = 0, 130, 70
"""How it can end, as exit codes."""


@dataclass(frozen=True)
class Play:
    """A story about to be told."""

    scene: Scene
    story: Story
    before: Mapping[Ref, Mapping[str, Any]]
    rows_before: Mapping[Ref, Mapping[str, Any]]
    first: Report
    writes_before: int


def once(console: Console, *, seed: int) -> int:
    """Tell the whole story fast, print what stands in the CRM at its end, and return the exit code."""
    began = time.monotonic()
    with (
        TemporaryDirectory(prefix="afterword-demo-") as folder,
        _stoppable() as stop,
        scene(Path(folder), seed=seed, accounts=ACCOUNTS, stop=stop) as whole,
    ):
        days = output.DayTeller(console)
        with _play(console, whole, days.tell, seed) as play:
            for moment in play.story.moments(DAYS):
                if stop.is_set():
                    return INTERRUPTED
                play.story.step(moment, new=new_work(play, moment))
                if moment.hour == HOURS[-1]:
                    days.end_of_day(moment)
            return _report(console, play, began)


def new_work(play: Play, moment: Any) -> int:
    """Return how many pieces of work begin in each CRM at a moment of the story."""
    return NEW_WORK if moment - play.scene.began < timedelta(days=WORKING_DAYS) else 0


def stay(console: Console, folder: Path, *, seed: int) -> int:
    """Tell the story at a pace that can be watched, then let time go on slowly until somebody stops it."""
    looks = Looks()
    with (
        _stoppable() as stop,
        scene(folder, seed=seed, accounts=ACCOUNTS, stop=stop) as whole,
        _desk(whole, looks) as desk,
    ):
        teller = output.Teller(console, whole.clock)
        with _play(console, whole, teller.tell, seed) as play:
            output.addresses(console, desk)
            watches = [RecordWatch(branch) for branch in whole.branches]
            for moment in play.story.moments(WORKING_DAYS):
                if stop.wait(PACE_S):
                    break
                play.story.step(moment, new=new_work(play, moment))
                _look(watches, teller.tell)
            else:
                output.addresses(console, desk)
                output.from_now_on(console, hour_s=HOUR_S, look_s=LOOK_S)
                _go_on(play, watches, stop, looks)
    console.print("The demo has ended.")
    return SETTLED


def _look(watches: Iterable[RecordWatch], tell: Tell) -> None:
    for watch in watches:
        watch.tell(tell)


def _go_on(play: Play, watches: Iterable[RecordWatch], stop: StopSign, looks: Looks) -> None:
    """Let an hour pass every few seconds, with the laps on their own schedule as in `afterword run`."""
    laps = service.Service(play.scene.installation)
    play.scene.on_answer = laps.answered
    laps.start()
    try:
        while hour_has_passed(stop, looks):
            hour = (play.scene.clock.now() + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
            if not is_working_time(hour):
                hour += timedelta(hours=3)  # nobody wants to watch a night
            play.story.live(hour, new=1)
            play.story.receive()
            _look(watches, play.story.tell)
    finally:
        laps.stop()


def hour_has_passed(stop: StopSign, looks: Looks) -> bool:
    """Wait for the next hour, which does not come while somebody looks; False when it is time to stop."""
    while not stop.wait(HOUR_S):
        if not looks.lately():
            return True
    return False


@contextmanager
def _desk(whole: Scene, looks: Looks) -> Iterator[str]:
    bound = bound_socket()
    with served(desk_app(whole.inbox, [_shelf(one, whole.shared) for one in whole.branches], looks), bound):
        yield f"http://localhost:{port_of(bound)}"


def _shelf(branch: Branch, shared: Sequence[str]) -> Shelf:
    """Put a CRM's pages on the desk; the customers whom all CRMs know are the ones to look at first."""
    accounts = [company.account for company in branch.companies if company.account.domain in shared]
    urls = {account.name: branch.records.adapter.record_url(account.ref) for account in accounts}
    visitor = branch.crm.address(accounts[0].owner) if accounts else ""
    return Shelf(branch.crm, branch.url, {name: url.removeprefix(branch.url) for name, url in urls.items()}, visitor)


@contextmanager
def _play(console: Console, whole: Scene, tell: Tell, seed: int) -> Iterator[Play]:
    """Look back, run the first lap, and have everybody ready."""
    output.the_crms(console, whole)
    before = _shown(whole)
    output.looked_back(console, plan.look_back(whole.installation, timedelta(days=LOOK_BACK_DAYS)), LOOK_BACK_DAYS)
    offices = [Office(one.crm, one.companies, one.records.task_fields(), seed) for one in whole.branches]
    people = people_by_address(whole.crms)
    with closing(requests.Session()) as session:
        customers = Customers(seed, session, whole.clock)
        story = Story(whole, offices, customers, people, tell)
        writes = _writes(whole)
        first = story.lap()
        output.first_lap(console, first)
        yield Play(whole, story, before, _rows(whole), first, writes)


def _shown(whole: Scene) -> dict[Ref, Mapping[str, Any]]:
    """Return what our fields on all accounts show."""
    return {ref: values for one in whole.branches for ref, values in one.records.accounts().items()}


def _rows(whole: Scene) -> dict[Ref, Mapping[str, Any]]:
    """Return what is on each account besides our fields and the CRM's own stamps."""
    found: dict[Ref, Mapping[str, Any]] = {}
    for one in whole.branches:
        ours = {field.name for field in one.records.fields("account")}
        for account in one.crm.accounts():
            found[account.ref] = {name: value for name, value in account.row.items() if name not in ours}
    return found


def _writes(whole: Scene) -> int:
    return sum(crm.writes() for crm in whole.crms)


def _report(console: Console, play: Play, began: float) -> int:
    seen = _evidence(play)
    output.the_accounts(console, play.scene.branches, play.before, seen.accounts)
    output.the_tasks(console, play.scene.branches, seen.tasks)
    writes = _writes(play.scene) - play.writes_before
    output.what_one_rep_got(console, seen)
    output.summary(console, seen, writing_calls=writes, took_s=time.monotonic() - began)
    wrong = broken(seen)
    output.verdict(console, wrong)
    return BROKEN if wrong else SETTLED


def _evidence(play: Play) -> Evidence:
    """Read everything back from the CRMs."""
    story, whole = play.story, play.scene
    reports = list(story.reports)
    idle = story.lap()
    now = _rows(whole)
    return Evidence(
        first=play.first,
        reports=reports,
        idle=idle,
        mails=whole.inbox.since(),
        deeds=story.deeds,
        people=story.people,
        contacts=_contacts(play),
        accounts=_shown(whole),
        customers={account.ref: account.domain for crm in whole.crms for account in crm.accounts()},
        tasks=[task for one in whole.branches for task in one.records.tasks()],
        working=whole.installation.settings.company.working_time,
        zones=_zones(whole),
        quiet_period=whole.installation.settings.limits.quiet_period,
        foreign_changes=[f"{ref.connection} {ref.id}" for ref, row in now.items() if play.rows_before.get(ref) != row],
    )


def _zones(whole: Scene) -> dict[str, ZoneInfo]:
    """Return where each of our people is, by address."""
    with whole.installation.store.read() as tx:
        users = [user for name in whole.installation.settings.crm for user in owners.all_of(tx, name)]
    # Who is a user of several CRMs is where the one says that knows it.
    users.sort(key=lambda user: user.timezone is not None)
    return {user.email: owner_zone(user.timezone, whole.installation.settings) for user in users if user.email}


def _contacts(play: Play) -> dict[Ref, Mapping[str, Any]]:
    """Return what our fields on all contacts show."""
    refs = [ref for person in play.story.people.values() for ref in person.contacts]
    return {
        ref: values
        for one in play.scene.branches
        for ref, values in one.records.shown(
            "contact", [ref.id for ref in refs if ref.connection == one.crm.name]
        ).items()
    }


@contextmanager
def _stoppable() -> Iterator[StopSign]:
    """Turn SIGINT and SIGTERM into an event, so that everything under way ends in order; the program's logs stay out of the story."""
    stop = StopSign()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    before = {one: signal.signal(one, ask_to_stop) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        structlog.reset_defaults()
