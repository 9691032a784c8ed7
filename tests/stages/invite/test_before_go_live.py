"""What ended before a survey went live is history: nobody is asked about it, and no decision is made for it."""

from collections import Counter
from datetime import timedelta

import pytest
from asking import CRM, DAY, HOUR, START, World, survey

from connector.stages.invite import stage as invite
from connector.store import tables as t
from connector.store.surveys import decisions as stored_decisions


def counts(here: World) -> tuple[int, dict[str, int]]:
    result = invite.run(here.context())
    return result.invited, dict(result.not_invited)


def test_what_had_ended_before_going_live_is_never_asked_about(here: World) -> None:
    here.case("c1", ended_at=START - timedelta(seconds=1))
    assert counts(here) == (0, {"before_go_live": 1})
    here.change("c1")
    assert counts(here) == (0, {"before_go_live": 1})  # each time that it is looked at
    assert counts(here) == (0, {})
    assert here.rows(t.decision) == []


def test_what_ended_between_two_surveys_going_live_is_asked_about_by_the_earlier_one_alone(here: World) -> None:
    here.surveys["second"] = survey(metric="nps")
    with here.store.write() as tx:
        stored_decisions.go_live(tx, "survey:second", CRM, START + DAY)
    here.clock.advance(2 * DAY)
    here.case("c1", ended_at=START + HOUR)
    here.case("c2", ended_at=START + DAY + HOUR)
    assert counts(here) == (3, {"before_go_live": 1})
    assert Counter(row.survey for row in here.rows(t.invitation)) == {"after-case": 2, "second": 1}


def test_what_ended_before_going_live_and_ends_again_is_asked_about(here: World) -> None:
    here.case("c1", ended_at=START - HOUR)
    counts(here)
    here.clock.advance(HOUR)
    here.change("c1", ended=None, ended_at=None)
    assert counts(here) == (0, {})
    here.change("c1", ended="closed", ended_at=here.clock.now())
    assert counts(here)[0] == 1


def test_a_long_history_is_passed_over_in_pages(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invite, "HISTORY", 2)
    for number in range(5):
        here.case(f"c{number}", ended_at=START - HOUR)
    here.case("new")
    assert counts(here) == (1, {"before_go_live": 5})
    assert [row.decide_at for row in here.rows(t.interaction)] == [None] * 6
