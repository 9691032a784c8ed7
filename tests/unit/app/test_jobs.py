"""The jobs of `afterword run`: none waits for another, none is forgotten, and what is asked for while it runs is done once more."""

import logging
import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from connector.app import jobs
from connector.app import service as services
from connector.app.jobs import Job, JobEngine, JobKind
from connector.commands import reconcile
from connector.commands.reconcile import Comparison
from connector.errors import MailUnavailable, TransactionLost
from connector.ports import Clock
from connector.ports.mail import Message
from connector.runtime.clock import SteppedClock, SystemClock
from connector.settings import Schedule
from connector.stages import lap
from connector.stages.installation import Installation
from connector.stages.report import Report
from connector.store import Store

PATIENCE = 60.0


@dataclass
class Laps:
    """Stands in for the work: notes what began, and lets a job that is held up not end before it may."""

    began: list[tuple[str, frozenset[str]]] = field(default_factory=list)
    held_up: set[str] = field(default_factory=set)
    may_end: threading.Event = field(default_factory=threading.Event)
    fails: dict[str, Exception] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def __call__(
        self, _installation: Installation, *, part: lap.LapPart, customers: Collection[str] | None, **_options: Any
    ) -> Report:
        job = part.job
        with self.changed:
            self.began.append((job, frozenset(customers or ())))
            self.changed.notify_all()
        if job in self.held_up:
            assert self.may_end.wait(PATIENCE)
        if job in self.fails:
            raise self.fails[job]
        return Report()

    def wait(self, job: str, times: int = 1) -> None:
        """Wait until a job has begun so often."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.names.count(job) >= times, PATIENCE), self.names

    @property
    def names(self) -> list[str]:
        """The names of all that began."""
        return [name for name, _ in self.began]

    def about(self, job: str) -> list[frozenset[str]]:
        """Return the customers of each run of a job."""
        return [customers for name, customers in self.began if name == job]


@pytest.fixture
def laps(monkeypatch: pytest.MonkeyPatch) -> Laps:
    laps = Laps()
    monkeypatch.setattr(lap, "run", laps)
    monkeypatch.setattr(jobs, "connections_of", lambda _tx, _customers: {"acme"})
    return laps


def installation(
    store: Store,
    *,
    every: timedelta = timedelta(hours=1),
    crms: Collection[str] = ("acme", "hub"),
    clock: Clock | None = None,
) -> Installation:
    settings = SimpleNamespace(schedule=Schedule.model_construct(sync=every), reports=SimpleNamespace(weekly=None))
    endpoints = [SimpleNamespace(name=name, credentials="") for name in crms]
    return Installation(cast(Any, settings), store, clock or SystemClock(), cast(Any, endpoints), cast(Any, None))


@pytest.fixture
def engine(store: Store, laps: Laps) -> Iterator[JobEngine]:
    engine = JobEngine(installation(store))
    yield engine
    laps.may_end.set()
    if not engine.installation.stop.is_requested:
        engine.stop()


@pytest.mark.parametrize("zone", ["/etc/nothere", "no/where", "EET-2EEST"])
def test_whatever_the_machine_calls_its_zone_the_jobs_begin(
    monkeypatch: pytest.MonkeyPatch, zone: str, laps: Laps, store: Store
) -> None:
    monkeypatch.setenv("TZ", zone)
    monkeypatch.setattr("tzlocal.unix._cache_tz", None)  # another test may have asked for it
    engine = JobEngine(installation(store))
    engine.start()
    laps.wait("write_back acme")
    engine.stop()


def test_an_answer_waits_for_no_job_that_is_under_way(engine: JobEngine, laps: Laps) -> None:
    laps.held_up = {"pull acme", "asking", "judging", "write_back acme"}
    engine.start()
    laps.wait("pull acme")
    laps.wait("judging")
    engine.answered("Northwind")
    laps.wait("answers_back acme")
    assert laps.about("answers") == laps.about("answers_back acme") == [frozenset({"Northwind"})]
    assert "answers_back hub" not in laps.names, "it has nothing of theirs"


def test_a_crm_that_hangs_delays_no_other(engine: JobEngine, laps: Laps) -> None:
    laps.held_up = {"pull acme"}
    engine.start()
    laps.wait("pull acme")
    laps.wait("write_back hub")
    assert {"asking", "judging"} <= set(laps.names)


def test_what_follows_a_reading_does_not_wait_for_one_that_goes_on(
    store: Store, laps: Laps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "SHORTEST", timedelta(milliseconds=20))
    laps.held_up = {"pull acme"}
    engine = JobEngine(installation(store, every=timedelta(0), crms=["acme"]))
    engine.start()
    laps.wait("write_back acme", 2)
    laps.may_end.set()
    engine.stop()


def test_answers_that_come_in_while_others_are_taken_in_are_taken_in_together(engine: JobEngine, laps: Laps) -> None:
    laps.held_up = {"answers"}
    engine.start()
    engine.answered("first")
    laps.wait("answers")
    for name in ("second", "third", "fourth"):
        engine.answered(name)
    laps.may_end.set()
    laps.wait("answers", 2)
    laps.wait("answers_back acme")
    engine.stop()
    assert laps.about("answers") == [frozenset({"first"}), frozenset({"second", "third", "fourth"})]


def test_a_job_that_comes_due_while_it_runs_is_done_once_more_and_without_noise(
    engine: JobEngine, laps: Laps, caplog: pytest.LogCaptureFixture
) -> None:
    job = Job(JobKind.JUDGING)
    laps.held_up = {"judging"}
    with caplog.at_level(logging.WARNING):
        engine.scheduler.start()
        engine.ask(job)
        laps.wait("judging")
        for _ in range(20):
            engine.ask(job)
        laps.may_end.set()
        laps.wait("judging", 2)
        laps.wait("write_back acme")
        engine.stop()
    assert laps.names.count("judging") == 2
    assert [record.getMessage() for record in caplog.records] == []


def test_corrections_of_one_customers_answer_are_taken_in_once_in_a_minute(
    engine: JobEngine, laps: Laps, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.scheduler.start()
    for _ in range(50):
        engine.answered("Northwind")
    laps.wait("answers")
    engine.answered("Southwind")
    laps.wait("answers", 2)
    assert laps.about("answers") == [frozenset({"Northwind"}), frozenset({"Southwind"})]

    # The last of them is not forgotten: what comes within the minute is taken in at its end.
    monkeypatch.setattr(jobs, "MINUTE", timedelta(milliseconds=50))
    engine.answered("Eastwind")
    laps.wait("answers", 3)
    engine.answered("Eastwind")
    engine.answered("Eastwind")
    laps.wait("answers", 4)
    engine.stop()
    assert laps.about("answers")[2:] == [frozenset({"Eastwind"})] * 2


def test_a_fault_in_one_job_is_told_and_the_next_one_runs(
    engine: JobEngine, laps: Laps, capsys: pytest.CaptureFixture[str]
) -> None:
    laps.fails = {"answers": ZeroDivisionError()}
    engine.start()
    engine.answered("Northwind")
    laps.wait("answers")
    engine.answered("Southwind")
    laps.wait("answers", 2)
    engine.stop()
    assert "ZeroDivisionError" in capsys.readouterr().out


def test_a_job_that_gave_way_in_the_database_runs_once_more_with_all_that_it_was_about(
    engine: JobEngine, laps: Laps
) -> None:
    laps.fails = {"answers": TransactionLost("another one came at the same moment", where="store.url", remedy="")}
    engine.scheduler.start()
    engine.answered("Northwind")
    laps.wait("answers", 2)
    engine.stop()
    assert laps.about("answers") == [frozenset({"Northwind"})] * 2


def test_what_waits_when_it_is_stopped_does_not_begin(engine: JobEngine, laps: Laps) -> None:
    laps.held_up = {"judging"}
    engine.start()
    laps.wait("judging")
    engine.ask(Job(JobKind.JUDGING))
    ended = threading.Thread(target=engine.stop)
    ended.start()
    assert engine.installation.stop.wait(PATIENCE)
    engine.answered("too late")
    laps.may_end.set()
    ended.join(PATIENCE)
    assert (laps.names.count("judging"), "answers" in laps.names) == (1, False)


def test_a_comparison_goes_on_in_slices_and_what_changed_is_read_between_them(
    store: Store, laps: Laps, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = threading.Event()

    def compare(_installation: Installation, *, since: datetime, crm: str, within: timedelta) -> Comparison:
        assert (crm, within) == ("acme", jobs.SLICE)
        asked.append((since, laps.names.count("pull acme")))
        if len(asked) == 3:
            done.set()
        return Comparison(out_of_time=len(asked) < 3)

    asked: list[tuple[datetime, int]] = []
    monkeypatch.setattr(reconcile, "run", compare)
    engine = JobEngine(installation(store, crms=["acme"]))
    engine.scheduler.start()
    engine._compare()
    assert done.wait(PATIENCE)
    engine.stop()
    assert [moment for moment, _ in asked] == [asked[0][0]] * 3
    assert [read for _, read in asked] == [0, 1, 2]


def test_a_comparison_that_is_passed_over_is_told_and_tried_again(
    store: Store, laps: Laps, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes = [Comparison(lap=Report(busy=["acme"])), Comparison()]
    passed_over, compared = threading.Event(), threading.Event()

    def compare(*_args: object, **_kwargs: object) -> Comparison:
        outcome = outcomes.pop(0)
        (passed_over if outcomes else compared).set()
        return outcome

    monkeypatch.setattr(reconcile, "run", compare)
    engine = JobEngine(installation(store, crms=["acme"]))
    engine.scheduler.start()
    engine._compare()
    assert passed_over.wait(PATIENCE)
    engine.ask(Job(JobKind.PULL, "acme"))
    assert compared.wait(PATIENCE)
    engine.stop()
    assert "another process is at it" in capsys.readouterr().out


@pytest.mark.parametrize(
    "failure", [ValueError("a fault of ours"), TransactionLost("gave way", where="store.url", remedy="")], ids=str
)
def test_a_job_whose_every_run_fails_is_told_to_whoever_looks(store: Store, laps: Laps, failure: Exception) -> None:
    clock = SteppedClock(datetime(2026, 11, 16, tzinfo=UTC))
    engine = JobEngine(installation(store, every=timedelta(minutes=5), clock=clock))
    laps.fails = {"judging": failure}
    for trouble in ("", "", "every run of judging since 2026-11-16 00:00 UTC has failed; its log says why"):
        engine._perform(Job(JobKind.JUDGING))
        engine._perform(Job(JobKind.ASKING))
        assert engine.trouble() == trouble
        clock.advance(timedelta(minutes=20))
    laps.fails = {}
    engine._perform(Job(JobKind.JUDGING))
    assert engine.trouble() == ""


def test_a_job_that_hangs_is_told_though_the_others_go_on(
    engine: JobEngine, laps: Laps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "SILENCE", timedelta(0))
    engine._every = timedelta(milliseconds=300)
    laps.held_up = {"pull acme"}
    engine.start()
    laps.wait("pull acme")
    threading.Event().wait(0.5)
    engine._perform(Job(JobKind.JUDGING))
    assert engine.trouble().startswith("pull acme has shown no sign of life")


def test_everything_is_compared_at_night_where_the_installation_is() -> None:
    helsinki = ZoneInfo("Europe/Helsinki")
    trigger = jobs.night(Schedule.model_construct(reconcile=clock_time(1, 15), timezone=helsinki))
    for summer_or_winter in (7, 12):
        due = trigger.get_next_fire_time(None, datetime(2026, summer_or_winter, 1, 12, tzinfo=UTC))
        assert due == datetime(2026, summer_or_winter, 2, 1, 15, tzinfo=helsinki)


@pytest.mark.parametrize(
    ("zone", "at", "noon_before", "hours"),
    [
        # Summer time ends: 03:30 comes twice. It begins: 03:30 is not there.
        ("Europe/Helsinki", clock_time(3, 30), datetime(2026, 10, 24, 12, tzinfo=UTC), ["03:30", "03:30", "03:30"]),
        ("Europe/Helsinki", clock_time(3, 30), datetime(2026, 3, 28, 12, tzinfo=UTC), ["04:30", "03:30", "03:30"]),
        ("America/New_York", clock_time(1, 15), datetime(2026, 10, 31, 12, tzinfo=UTC), ["01:15", "01:15", "01:15"]),
        ("UTC", clock_time(2, 30), datetime(2026, 10, 24, 12, tzinfo=UTC), ["02:30", "02:30", "02:30"]),
    ],
)
def test_a_night_is_one_night_whatever_happens_to_the_clocks(
    zone: str, at: clock_time, noon_before: datetime, hours: list[str]
) -> None:
    trigger = jobs.night(Schedule.model_construct(reconcile=at, timezone=ZoneInfo(zone)))
    before: datetime | None = None
    now, due = noon_before, []
    for _ in hours:
        before = trigger.get_next_fire_time(before, now)
        assert before is not None
        due.append(before)
        now = before + timedelta(milliseconds=5)
    assert [f"{moment:%H:%M}" for moment in due] == hours
    days = [(moment.date() - noon_before.date()).days for moment in due]
    assert days == [1, 2, 3]
    # Begun anew between the two hours of the same name, it waits for the next night.
    restarted = trigger.get_next_fire_time(None, due[0] + timedelta(minutes=20))
    assert restarted == due[1]


def test_a_sign_in_link_is_not_taken_for_sent_where_there_is_no_mail_server() -> None:
    installation = cast(Installation, SimpleNamespace(channel=None))
    message = Message(to="ritva@acme.example", subject="Sign in", text="", html="", message_id="m1@acme.example")
    with pytest.raises(MailUnavailable, match="no mail server"):
        services.send_sign_in(installation, message)
