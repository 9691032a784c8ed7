"""`afterword demo`: tells the story, and then either reports what it led to or stays."""

import logging
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any, Final

import requests
import structlog
from rich.console import Console

from adapters.sandbox.customers import Customers
from connector import planning, service
from connector.demo import telling
from connector.demo.desk import desk_app
from connector.demo.folder import CONNECTION
from connector.demo.promises import Evidence, broken
from connector.demo.scene import Scene, scene
from connector.demo.serving import bound_socket, port_of, served
from connector.demo.story import DAYS, HOURS, NEW_WORK, WORKING_DAYS, Story, Tell, is_working_time
from connector.demo.watch import Watch
from connector.demo.work import Company, Office, TaskFields, choose_companies, people_by_address
from connector.stages.lap import Report

ACCOUNTS: Final = 50
COMPANIES: Final = 8
LOOK_BACK_DAYS: Final = 90
PACE_S: Final = 1.0
"""Seconds to watch each step of the story for."""
HOUR_S: Final = 4.0
"""Seconds in which an hour passes, once the story is told."""
SETTLED, INTERRUPTED, BROKEN = 0, 130, 70
"""How it can end, as exit codes."""
_BY_THE_CRM: Final = frozenset({"SystemModstamp", "LastModifiedDate", "LastModifiedById", "LastActivityDate"})


@dataclass(frozen=True)
class Play:
    """A story about to be told."""

    scene: Scene
    companies: list[Company]
    story: Story
    before: Mapping[str, Mapping[str, Any]]
    rows_before: Mapping[str, Mapping[str, Any]]
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
        days = telling.DayTeller(console)
        with _play(console, whole, days.tell, seed) as play:
            for moment in play.story.moments(DAYS):
                if stop.is_set():
                    return INTERRUPTED
                play.story.step(moment, new=new_work(play, moment))
                if moment.hour == HOURS[-1]:
                    days.end_of_day(moment)
            return _report(console, play, began)


def new_work(play: Play, moment: Any) -> int:
    """Return how many pieces of work begin at a moment of the story."""
    return NEW_WORK if moment - play.scene.began < timedelta(days=WORKING_DAYS) else 0


def stay(console: Console, folder: Path, *, seed: int) -> int:
    """Tell the story at a pace that can be watched, then let time go on slowly until somebody stops it."""
    with (
        _stoppable() as stop,
        scene(folder, seed=seed, accounts=ACCOUNTS, stop=stop) as whole,
        _desk(whole) as desk_port,
    ):
        teller = telling.Teller(console, whole.clock)
        with _play(console, whole, teller.tell, seed) as play:
            telling.addresses(console, whole.house.settings.web.public_url, desk_port)
            watch = Watch(whole.records, play.companies)
            for moment in play.story.moments(WORKING_DAYS):
                if stop.wait(PACE_S):
                    break
                play.story.step(moment, new=new_work(play, moment))
                watch.tell(teller.tell)
            else:
                telling.addresses(console, whole.house.settings.web.public_url, desk_port)
                _go_on(play, watch, stop)
    console.print("The demo has ended.")
    return SETTLED


def _go_on(play: Play, watch: Watch, stop: threading.Event) -> None:
    """Let an hour pass every few seconds, with the laps on their own schedule as in `afterword run`."""
    laps = service.Service(play.scene.house)
    play.scene.on_answer = laps.answered
    laps.start()
    try:
        while not stop.wait(HOUR_S):
            hour = (play.scene.clock.now() + timedelta(hours=1)).replace(minute=0)
            if not is_working_time(hour):
                hour += timedelta(hours=3)  # nobody wants to watch a night
            play.story.live(hour, new=1)
            play.story.receive()
            watch.tell(play.story.tell)
    finally:
        laps.stop()


@contextmanager
def _desk(whole: Scene) -> Iterator[int]:
    bound = bound_socket()
    app = desk_app(whole.inbox, whole.org, crm_url=whole.house.settings.crm[CONNECTION].url)
    with served(app, bound):
        yield port_of(bound)


@contextmanager
def _play(console: Console, whole: Scene, tell: Tell, seed: int) -> Iterator[Play]:
    """Look back, run the first lap, and have everybody ready."""
    console.print(
        f"A pretend Salesforce with {whole.org.count('Account')} accounts; setup-crm added {whole.set_up} things."
    )
    ids = [row["Id"] for row in whole.org.rows("Account")]
    before = whole.records.shown("account", ids)
    telling.looked_back(console, planning.look_back(whole.house, timedelta(days=LOOK_BACK_DAYS)), LOOK_BACK_DAYS)
    companies = choose_companies(whole.org, COMPANIES, seed)
    names = {one.ours: one.name for one in whole.records.fields("task")}
    office = Office(whole.org, companies, TaskFields(names["key"], names["outcome"]), seed)
    with closing(requests.Session()) as session:
        customers = Customers(seed, session, whole.clock)
        story = Story(whole, office, customers, people_by_address(whole.org), tell)
        writes = whole.org.calls_by_kind().get("write", 0)
        first = story.lap()
        telling.first_lap(console, first)
        yield Play(whole, companies, story, before, _rows(whole), first, writes)


def _rows(whole: Scene) -> dict[str, Mapping[str, Any]]:
    """Return what is on each account besides our fields and the CRM's own stamps."""
    ours = {one.name for one in whole.records.fields("account")} | _BY_THE_CRM
    rows = whole.org.rows("Account")
    return {row["Id"]: {name: value for name, value in row.items() if name not in ours} for row in rows}


def _report(console: Console, play: Play, began: float) -> int:
    seen = _evidence(play)
    names = {row["Id"]: row["Name"] for row in play.scene.org.rows("Account")}
    fields = play.scene.records.fields("account")
    console.print("\nWhat the accounts show in the CRM, before and after:")
    for account_id, after in sorted(seen.accounts.items(), key=lambda one: names[one[0]]):
        before = play.before.get(account_id, {})
        if after != before:
            telling.account(console, names[account_id], fields, before, after)
    console.print("\nThe tasks in the CRM:")
    for one in seen.tasks:
        telling.task(console, one, names[one.account])
    writes = play.scene.org.calls_by_kind().get("write", 0) - play.writes_before
    telling.summary(console, seen, writing_calls=writes, took_s=time.monotonic() - began)
    wrong = broken(seen)
    for sentence in wrong:
        console.print(f"BROKEN: {sentence}", markup=False)
    return BROKEN if wrong else SETTLED


def _evidence(play: Play) -> Evidence:
    """Read everything back from the CRM."""
    story, records = play.story, play.scene.records
    reports = list(story.reports)
    idle = story.lap()
    contacts = [one for person in story.people.values() for one in person.contacts]
    now = _rows(play.scene)
    return Evidence(
        first=play.first,
        reports=reports,
        idle=idle,
        mails=play.scene.inbox.since(),
        deeds=story.deeds,
        people=story.people,
        contacts=records.shown("contact", contacts),
        accounts=records.shown("account", list(now)),
        tasks=records.tasks(),
        foreign_changes=[str(row["Name"]) for key, row in now.items() if play.rows_before.get(key) != row],
    )


@contextmanager
def _stoppable() -> Iterator[threading.Event]:
    """Turn SIGINT and SIGTERM into an event, so that everything under way ends in order; the program's logs stay out of the story."""
    stop = threading.Event()

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
