"""Laps after answers: none is forgotten, and those that wait are taken in together."""

import logging
import threading
import time
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from types import SimpleNamespace
from typing import cast
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.date import DateTrigger

from connector.app import service as services
from connector.app.service import Service
from connector.commands import reconcile
from connector.commands.reconcile import Comparison
from connector.errors import MailUnavailable
from connector.ports.mail import Message
from connector.runtime.cancellation import CancellationToken
from connector.runtime.clock import SteppedClock, SystemClock
from connector.settings import Schedule
from connector.stages import lap
from connector.stages.installation import Installation
from connector.stages.lap import Report
from connector.stages.order import AFTER_AN_ANSWER


class Laps:
    """Stands in for the lap: counts those that began, and lets none end before it may."""

    def __init__(self) -> None:
        self.began: list[tuple[lap.Stage, ...]] = []
        self.may_end = threading.Semaphore(0)
        self.seen = threading.Semaphore(0)

    def __call__(self, _installation: Installation, *, stages: tuple[lap.Stage, ...], may_wait: bool) -> Report:
        assert not may_wait
        self.began.append(stages)
        self.seen.release()
        assert self.may_end.acquire(timeout=300)
        return Report()

    def wait(self) -> None:
        """Wait for the next lap to begin."""
        assert self.seen.acquire(timeout=300)


def _installation(every: timedelta = timedelta(hours=1)) -> Installation:
    schedule = Schedule.model_construct(sync=every)
    return cast(
        Installation,
        SimpleNamespace(
            settings=SimpleNamespace(schedule=schedule), stop=CancellationToken(), clock=SystemClock(), endpoints=()
        ),
    )


@pytest.mark.parametrize("zone", ["/etc/nothere", "no/where", "EET-2EEST"])
def test_whatever_the_machine_calls_its_zone_the_service_begins(monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    monkeypatch.setenv("TZ", zone)
    monkeypatch.setattr("tzlocal.unix._cache_tz", None)  # another test may have asked for it
    laps = Laps()
    monkeypatch.setattr(lap, "run", laps)
    service = Service(_installation())
    service.start()
    laps.wait()
    laps.may_end.release()
    service.stop()
    assert laps.began == [lap.ALL]


def test_an_answer_that_comes_in_during_the_lap_of_another_gets_a_lap_too(monkeypatch: pytest.MonkeyPatch) -> None:
    laps = Laps()
    monkeypatch.setattr(lap, "run", laps)
    service = Service(_installation())
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


def test_laps_that_come_due_while_another_takes_long_wait_as_one_and_without_noise(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    laps = Laps()
    monkeypatch.setattr(lap, "run", laps)
    monkeypatch.setattr(services, "SHORTEST", timedelta(milliseconds=20))
    service = Service(_installation(every=timedelta(0)))
    with caplog.at_level(logging.WARNING):
        service.start()
        laps.wait()
        for number in range(20):
            service.answered(f"customer {number}")
            time.sleep(0.01)
        while AFTER_AN_ANSWER not in laps.began:
            laps.may_end.release()
            laps.wait()
        laps.may_end.release(20)
        service.stop()
    assert laps.began.count(AFTER_AN_ANSWER) == 1
    assert [record.getMessage() for record in caplog.records] == []


def test_corrections_of_one_customers_answer_buy_one_lap_in_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    laps = Laps()
    monkeypatch.setattr(lap, "run", laps)
    service = Service(_installation())
    laps.may_end.release(20)
    service.start()
    laps.wait()
    for _ in range(50):
        service.answered("one")
    laps.wait()
    for _ in range(50):
        service.answered("one")
    service.answered("another")
    laps.wait()
    assert laps.began == [lap.ALL, AFTER_AN_ANSWER, AFTER_AN_ANSWER]

    # The last of them is not forgotten: what comes within the minute is taken in at its end.
    monkeypatch.setattr(services, "MINUTE", timedelta(milliseconds=50))
    service.answered("a third")
    laps.wait()
    service.answered("a third")
    service.answered("a third")
    laps.wait()
    service.stop()
    assert laps.began == [lap.ALL, *[AFTER_AN_ANSWER] * 4]


def test_a_fault_in_one_lap_is_told_and_the_next_one_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    laps = Laps()

    def faulty(installation: Installation, *, stages: tuple[lap.Stage, ...], may_wait: bool) -> Report:
        if stages == AFTER_AN_ANSWER:
            raise ZeroDivisionError
        return laps(installation, stages=stages, may_wait=may_wait)

    monkeypatch.setattr(lap, "run", faulty)
    monkeypatch.setattr(services, "SHORTEST", timedelta(milliseconds=20))
    service = Service(_installation(every=timedelta(0)))
    service.start()
    laps.wait()
    service.answered("somebody")
    laps.may_end.release(1000)
    laps.wait()
    laps.wait()
    service.stop()
    assert "ZeroDivisionError" in capsys.readouterr().out


def test_a_comparison_that_is_passed_over_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def busy(*_args: object, **_kwargs: object) -> Comparison:
        return Comparison(lap=Report(busy=["acme"]))

    monkeypatch.setattr(reconcile, "run", busy)
    Service(_installation())._compare_some(datetime(2026, 11, 16, tzinfo=UTC))
    told = capsys.readouterr().out
    assert ("acme" in told, "another process is at it" in told) == (True, True)


def test_what_waits_when_it_is_stopped_does_not_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    laps = Laps()
    monkeypatch.setattr(lap, "run", laps)
    service = Service(_installation())
    service.start()
    laps.wait()
    service.answered("somebody")
    ended = threading.Thread(target=service.stop)
    ended.start()
    service.installation.stop.wait(20)
    service.answered("too late")
    laps.may_end.release()
    ended.join(20)
    assert laps.began == [lap.ALL]


def test_everything_is_compared_at_night_where_the_installation_is() -> None:
    helsinki = ZoneInfo("Europe/Helsinki")
    trigger = services.night(Schedule.model_construct(reconcile=clock_time(1, 15), timezone=helsinki))
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
    trigger = services.night(Schedule.model_construct(reconcile=at, timezone=ZoneInfo(zone)))
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


def test_a_comparison_goes_on_in_slices_until_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    laps, done = Laps(), threading.Event()

    def compare(_installation: Installation, *, since: datetime, within: timedelta) -> Comparison:
        asked.append((since, within))
        if len(asked) == 3:
            done.set()
        return Comparison(out_of_time=len(asked) < 3)

    asked: list[tuple[datetime, timedelta]] = []
    monkeypatch.setattr(lap, "run", laps)
    monkeypatch.setattr(reconcile, "run", compare)
    monkeypatch.setattr(services, "night", lambda _schedule: DateTrigger(datetime.now(UTC)))
    service = Service(_installation())
    laps.may_end.release(10)
    service.start()
    assert done.wait(20)
    service.stop()
    assert asked == [(asked[0][0], services.SLICE)] * 3


def test_laps_that_all_end_in_a_fault_are_told_to_whoever_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, installation = SteppedClock(datetime(2026, 11, 16, tzinfo=UTC)), _installation(every=timedelta(minutes=5))
    installation = cast(
        Installation, SimpleNamespace(settings=installation.settings, stop=installation.stop, clock=clock, endpoints=())
    )
    service = Service(installation)

    def fails(_installation: Installation, *, stages: tuple[lap.Stage, ...], may_wait: bool) -> Report:
        assert not installation.stop.is_set()  # it goes on well until it fails
        if stages == lap.ALL:
            raise ValueError("a fault of ours")
        return Report(took_s=float(may_wait))

    monkeypatch.setattr(lap, "run", fails)
    for told in ("", "", "every lap since 2026-11-16 00:00 UTC has failed; its log says why"):
        with pytest.raises(ValueError, match="a fault of ours"):
            service._run(lap.ALL)
        service._run(AFTER_AN_ANSWER)
        assert service.trouble() == told
        clock.advance(timedelta(minutes=20))

    monkeypatch.setattr(lap, "run", lambda *_args, **_options: Report())
    service._run(lap.ALL)
    assert service.trouble() == ""


def test_a_sign_in_link_is_not_taken_for_sent_where_there_is_no_mail_server() -> None:
    installation = cast(Installation, SimpleNamespace(channel=None))
    message = Message(to="ritva@acme.example", subject="Sign in", text="", html="", message_id="m1@acme.example")
    with pytest.raises(MailUnavailable, match="no mail server"):
        services.send_sign_in(installation, message)
