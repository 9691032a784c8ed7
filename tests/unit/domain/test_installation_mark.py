"""Which installation may work on a CRM, as the mark there says: every case, and every order of two that meet."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.domain.installation_mark import (
    Mark,
    MarkVerdict,
    OwnRuns,
    confirms,
    judge,
    read_text,
    renewed,
    text_of,
    wait_left,
)

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
LAG = timedelta(minutes=5)
OWN = OwnRuns("r2", "r1", NOW - HOUR / 2, confirmed=True, firm=True, places=("m",))


def seen(run: str, age: timedelta = HOUR / 2, installation: str = "i") -> Mark:
    return Mark(installation, run, NOW - age)


@pytest.mark.parametrize(
    ("mark", "own", "verdict"),
    [
        (None, OwnRuns(), MarkVerdict.MAKE),
        (None, OWN, MarkVerdict.MAKE),  # somebody deleted it
        (seen("r2"), OWN, MarkVerdict.OURS),
        (seen("r2", HOUR - timedelta(seconds=1)), OWN, MarkVerdict.OURS),
        (seen("r2", HOUR), OWN, MarkVerdict.RENEW),
        (seen("r2", 30 * 24 * HOUR), OWN, MarkVerdict.RENEW),  # we were switched off for a month, and nobody else came
        (seen("r1"), OWN, MarkVerdict.RENEW),  # the last renewal did not arrive
        (seen("r2", installation="before"), OWN, MarkVerdict.OURS),  # installation.id was lost: the store tells
        (seen("r2", -2 * HOUR), OWN, MarkVerdict.RENEW),  # the clock was put back
        (
            seen("r2"),
            replace(OWN, places=("n",)),
            MarkVerdict.WAIT,
        ),  # a clone, or moved here: its original may be alive
        (seen("r2", 2 * HOUR), replace(OWN, places=("n",)), MarkVerdict.WAIT),
        (seen("r2", 2 * HOUR + MINUTE), replace(OWN, places=("n",)), MarkVerdict.RENEW),
        (seen("r2", -MINUTE), replace(OWN, places=("n",)), MarkVerdict.WAIT),
        (seen("r0"), OWN, MarkVerdict.FOREIGN),  # one of ours, long ago: this is a restored copy
        (seen("r3"), OWN, MarkVerdict.FOREIGN),  # the original, or the clone, has renewed
        (seen("r3", 30 * 24 * HOUR), OWN, MarkVerdict.FOREIGN),  # a copy that is behind never goes on by itself
        (seen("x", installation="other"), OWN, MarkVerdict.FOREIGN),
        (seen("x", installation="other"), OwnRuns(), MarkVerdict.FOREIGN),
        (seen("x", 30 * 24 * HOUR, "other"), OwnRuns(), MarkVerdict.FOREIGN),
        (seen("x", 2 * HOUR), OwnRuns(), MarkVerdict.FOREIGN),  # a new store, and the old one may live
        (seen("x", 2 * HOUR + MINUTE), OwnRuns(), MarkVerdict.TAKE_OVER),
        (seen("x", -2 * HOUR), OwnRuns(), MarkVerdict.FOREIGN),  # its clock is ahead of ours
    ],
)
def test_what_follows_from_the_mark(mark: Mark | None, own: OwnRuns, verdict: MarkVerdict) -> None:
    assert judge(mark, own, installation="i", place="m", now=NOW) is verdict


def test_the_text_is_read_as_it_was_written_in_html_too() -> None:
    mark = seen("r1")
    assert read_text(text_of(mark)) == mark
    assert read_text("<p>" + text_of(mark).replace("\n", "<br>\n") + "</p>") == mark
    assert read_text(text_of(mark).replace("\n", "</p><p>")) == mark


@pytest.mark.parametrize("text", ["", "Call Maria", "installation: i\nrun: r", "installation: i run: r renewed: soon"])
def test_a_text_that_somebody_changed_is_no_mark(text: str) -> None:
    assert read_text(text) is None


def test_a_renewal_keeps_what_the_crm_shows_and_what_is_new() -> None:
    after = renewed(OWN, seen("r2"), "r3", place="m", now=NOW, firm=True)
    assert (after.run, after.previous, after.confirmed, after.firm) == ("r3", "r2", False, True)
    # The first attempt did not arrive, so the CRM still shows r1: that one stays good, r2 does not.
    again = renewed(OWN, seen("r1"), "r4", place="m", now=NOW, firm=True)
    assert (again.run, again.previous) == ("r4", "r1")
    taken = renewed(OWN, seen("x"), "r5", place="m", now=NOW, firm=False)
    assert (taken.run, taken.previous, taken.firm) == ("r5", None, False)


def test_a_renewal_in_another_place_is_not_firm_and_the_place_is_known_from_then_on() -> None:
    after = renewed(OWN, seen("r2"), "r3", place="clone", now=NOW, firm=True)
    assert (after.firm, after.places) == (False, ("m", "clone"))
    assert judge(replace(seen("r3"), at=NOW), after, installation="i", place="clone", now=NOW) is MarkVerdict.OURS


def test_a_new_run_holds_once_it_is_seen_after_the_lag() -> None:
    own = renewed(OWN, seen("r2"), "r3", place="m", now=NOW, firm=True)
    mark = Mark("i", "r3", NOW)
    assert wait_left(own, LAG, NOW + MINUTE) == 4 * MINUTE
    assert not confirms(mark, own, LAG, NOW + 4 * MINUTE)
    assert confirms(mark, own, LAG, NOW + LAG)
    assert not confirms(Mark("i", "r2", NOW), own, LAG, NOW + LAG)
    assert wait_left(own, LAG, NOW - 24 * HOUR) == LAG  # the clock was put back: not for a day
    assert wait_left(replace(own, confirmed=True), LAG, NOW) == timedelta()


# ── two that meet ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Crm:
    mark: Mark | None = None


@dataclass
class Process:
    """One installation's way to its mails, a step at a time, as the keeper takes it."""

    name: str
    crm: Crm
    own: OwnRuns
    installation: str = "i"
    place: str = "m"
    ids: count = field(default_factory=count)
    looked: Mark | None = None
    state: str = "begin"
    sent: bool = False

    def step(self, now: datetime) -> None:
        if self.state in ("begin", "waited"):
            self.looked = self.crm.mark
            self._judge(now)
        elif self.state == "renewing":
            self.crm.mark = Mark(self.installation, str(self.own.run), now)
            self.state = "waiting"
        elif self.state == "waiting":
            if not wait_left(self.own, LAG, now):
                self.state = "waited"
        elif self.state == "may send":
            self.sent, self.state = True, "begin"

    def _judge(self, now: datetime) -> None:
        verdict = judge(self.looked, self.own, installation=self.installation, place=self.place, now=now)
        if verdict is MarkVerdict.FOREIGN:
            self.state = "stopped"
        elif verdict is MarkVerdict.WAIT:
            self.state = "begin"
        elif verdict is MarkVerdict.OURS:
            assert self.looked is not None
            if confirms(self.looked, self.own, LAG, now):
                self.own = replace(self.own, confirmed=True)
            self.state = "waiting" if wait_left(self.own, LAG, now) else "may send"
        else:
            run = f"{self.name}{next(self.ids)}"
            self.own = renewed(self.own, self.looked, run, place=self.place, now=now, firm=False)
            self.state = "renewing"


WORLDS = {
    "two new ones": (None, OwnRuns(), OwnRuns(), "i", "j", "m", "n"),
    "a clone of the machine": (seen("r2"), OWN, OWN, "i", "i", "m", "clone"),
    "two copies in new places": (seen("r2"), OWN, OWN, "i", "i", "a", "b"),
    "a clone when the mark is old": (seen("r2", 3 * HOUR), OWN, OWN, "i", "i", "m", "m"),
    "two new stores of a dead one": (seen("x", 3 * HOUR), OwnRuns(), OwnRuns(), "i", "i", "m", "n"),
    "the original and a backup": (seen("r2"), OWN, OwnRuns("r1", "r0", NOW - HOUR), "i", "i", "m", "m"),
}


@pytest.mark.parametrize("world", WORLDS)
@settings(max_examples=60, deadline=None)
@given(order=st.lists(st.integers(0, 1), min_size=8, max_size=24), data=st.data())
def test_of_two_that_meet_never_both_send(world: str, order: list[int], data: st.DataObject) -> None:
    mark, mine, theirs, i, j, m, n = WORLDS[world]
    crm = Crm(mark)
    both = [Process("a", crm, mine, i, m), Process("b", crm, theirs, j, n)]
    now = NOW
    for which in order:
        # What is decided by a look is done soon after it; else it is looked again (the keeper's FRESH).
        now += data.draw(st.sampled_from([timedelta(), timedelta(seconds=5)]))
        both[which].step(now)
    for _ in range(100):
        now += 2 * MINUTE
        first = data.draw(st.integers(0, 1)) if _ < 10 else 0
        for which in (first, 1 - first):
            both[which].step(now)
    assert [one.sent for one in both].count(True) == 1


def test_at_the_same_moment_step_by_step_the_later_renewal_wins() -> None:
    for order in permutations((0, 1)):
        crm = Crm(seen("r2", 3 * HOUR))
        both = [Process("a", crm, OWN), Process("b", crm, OWN)]
        for minute in range(20):
            for which in order:
                both[which].step(NOW + minute * MINUTE)
        assert both[order[1]].sent
        assert both[order[0]].state == "stopped"
