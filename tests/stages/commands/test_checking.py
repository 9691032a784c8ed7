"""What `check` finds in a CRM: it asks what a lap asks, compares what it was told, and says what to do."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from lap_world import CSAT, LapWorld

from connector.commands.check.crm import Count, CrmCheck, clock_and_version
from connector.errors import NotPermitted, Problem, RecordRejected
from connector.ports import Org
from connector.runtime.clock import SteppedClock
from connector.store import Store, tables
from connector.store.crm.record_counts import stored


def checked(world: LapWorld) -> CrmCheck:
    return CrmCheck(world.installation, world.installation.endpoints[0])


def problems(world: LapWorld) -> list[Problem]:
    return checked(world).problems()


def test_a_crm_that_is_as_it_should_be_gives_no_word(world: LapWorld) -> None:
    assert problems(world) == []


def test_f13_what_cannot_be_asked_is_found_by_asking(world: LapWorld) -> None:
    world.crm.faults.fail(RecordRejected("Case cannot be sorted by SystemModstamp."), kind="read", object="Case", nth=2)
    (problem,) = problems(world)
    assert (problem.where, problem.severity) == ("m: Case", "error")
    assert "cannot be sorted" in problem.what


def test_one_object_that_cannot_be_read_hides_nothing_of_the_others(world: LapWorld) -> None:
    for name in ("Account", "Case"):
        world.crm.faults.fail(NotPermitted(f"no right to {name}."), kind="read", object=name, nth=2)
    assert [problem.where for problem in problems(world)] == ["m: Account", "m: Case"]


def test_rights_that_are_needed_and_missing_are_named(world: LapWorld) -> None:
    world.crm.withhold("Task", "create")
    world.crm.withhold("Case", "create", "update")  # not needed
    (problem,) = problems(world)
    assert "the right to create Task" in problem.what
    assert (problem.where, problem.remedy) == ("config.toml: crm.acme", "Grant it.")


def test_a_survey_about_a_value_that_no_record_can_have_asks_nobody(world: LapWorld) -> None:
    world.configure(CSAT + 'where = { priority = ["Urgent"] }\n')
    (problem,) = problems(world)
    assert (problem.where, problem.severity) == ("config.toml: surveys.after-case.where.priority", "warning")
    assert "'Urgent'" in problem.what
    assert "High, Medium, Low" in problem.remedy
    for fine in ('priority = ["Urgent", "high"]', 'subject = ["Urgent"]'):
        world.configure(CSAT + f"where = {{ {fine} }}\n")
        assert problems(world) == []


# ── counts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_f12_what_is_there_and_what_was_read_stand_side_by_side(world: LapWorld) -> None:
    account = world.account()
    for number in range(3):
        world.crm.contact(account, f"Person {number}")
    one = checked(world)
    assert one.problems() == []
    assert one.counts["Contact"] == Count(3, 0, complete=True)
    with world.store.write() as tx:
        tx.execute(tables.cursor.delete())
    (one := checked(world)).problems()
    assert one.counts["Contact"] == Count(3, 0, complete=False)
    world.lap()
    one = checked(world)
    assert one.problems() == []
    assert one.counts["Contact"] == Count(3, 3, complete=True)
    assert "Task" not in one.counts  # our own tasks are kept as follow-ups


def test_f12_records_that_were_never_read_are_told_of(world: LapWorld) -> None:
    account = world.account()
    for number in range(30):
        world.crm.contact(account, f"Person {number}")
    world.lap()
    with world.store.write() as tx:
        tx.execute(tables.contact.delete().where(tables.contact.c.name != "Person 1"))
    (problem,) = problems(world)
    assert "29 of 30 Contact records are not in the store" in problem.what


def test_counting_makes_no_store(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'none.db'}")
    assert stored(store, "acme", ["Contact"]) == {}
    store.close()
    assert list(tmp_path.iterdir()) == []


# ── the clock and the version ────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def org(clock: SteppedClock) -> Org:
    return Org("1", "Acme", "UTC", None, "64.0", None, clock.now())


@pytest.mark.parametrize(
    ("off", "words"), [(timedelta(minutes=5), "5 minutes behind"), (timedelta(minutes=-5), "5 minutes ahead of")]
)
def test_a_clock_that_is_off_is_told_by_how_much(clock: SteppedClock, org: Org, off: timedelta, words: str) -> None:
    wrong = replace(org, server_time=clock.now() + off)
    (problem,) = clock_and_version("here", wrong, clock)
    assert words in problem.what
    assert list(clock_and_version("here", replace(org, server_time=clock.now() + off / 3), clock)) == []


def test_f58_the_end_of_a_version_is_told_120_days_ahead(clock: SteppedClock, org: Org) -> None:
    def said(end: datetime) -> str:
        return " ".join(str(one) for one in clock_and_version("here", replace(org, supported_until=end), clock))

    now = clock.now()
    assert said(now + timedelta(days=121)) == ""
    assert "64.0" in said(now + timedelta(days=119))
    assert "before then" in said(now + timedelta(days=119))
    assert "now" in said(now - timedelta(days=1))
