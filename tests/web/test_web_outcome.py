"""The page on which the outcome of one follow-up is noted, by whoever has its link."""

import re
from datetime import timedelta
from typing import Any

import pytest
import requests
from web_world import NOW, World

from connector.model import FollowUpState
from connector.store.tables import follow_up

SUBJECT = 'Call Maria <b>Virtanen</b> by Mon 15:00: 1 of 5 (very dissatisfied), "Printer offline again"'


def opened(world: World, **columns: Any) -> str:
    """Store a follow-up and return its link."""
    row = {
        "id": "f1",
        "rule": "low",
        "customer": "account1",
        "about": "contact1",
        "connection": "acme",
        "account_id": "account1",
        "contact_id": "contact1",
        "state": FollowUpState.OPEN.value,
        "priority": "high",
        "due_at": NOW + timedelta(days=1),
        "subject": SUBJECT,
        "body": "Everything that they said.",
        "opened_at": NOW,
    } | columns
    with world.store.write() as tx:
        tx.execute(follow_up.insert().values(**row))
    return f"{world.url}/f/{world.tokens.outcome(str(row['id']))}"


def stored(world: World) -> Any:
    (row,) = world.rows(follow_up)
    return row


def post(world: World, url: str, **fields: str) -> requests.Response:
    return world.http.post(url, data=fields)


def test_a_visit_records_nothing_whatever_its_link_says(world: World) -> None:
    url = opened(world)
    for _ in range(3):
        page = world.http.get(url, params={"outcome": "solved"})
        assert page.status_code == 200
    assert world.http.head(url).status_code == 200
    assert (stored(world).state, stored(world).outcome, world.answered) == ("open", None, [])


def test_the_page_shows_the_subject_as_text_and_nothing_else_of_the_customer(world: World) -> None:
    page = world.http.get(opened(world)).text
    assert "Call Maria &lt;b&gt;Virtanen&lt;/b&gt; by Mon 15:00" in page
    for hidden in ("Everything that they said", "maria@customer.example", "Virtanen Oy"):
        assert hidden not in page


def test_the_outcome_of_the_link_is_chosen_beforehand(world: World) -> None:
    page = world.http.get(opened(world), params={"outcome": "not_reached"}).text
    assert page.count("checked") == 1
    assert 'value="not_reached" checked' in page
    assert "checked" not in world.http.get(opened(world, id="f2", customer="other"), params={"outcome": "x"}).text


def test_a_press_of_the_button_closes_a_follow_up_that_is_solved(world: World) -> None:
    page = post(world, opened(world), outcome="solved", note="She has a new printer.")
    assert page.status_code == 200
    assert "Outcome: Solved" in page.text
    row = stored(world)
    assert (row.state, row.outcome, row.closed_by, row.note) == (
        "closed",
        "Solved",
        "outcome",
        "She has a new printer.",
    )
    assert world.answered == ["f1"], "the CRM is to hear of it at once"


@pytest.mark.parametrize("outcome", ["not_reached", "not_solved_yet"])
def test_one_that_is_not_settled_stays_open_and_is_due_again(world: World, outcome: str) -> None:
    page = post(world, opened(world, due_at=NOW - timedelta(days=1)), outcome=outcome)
    row = stored(world)
    assert (row.state, row.attempts) == ("open", 1)
    assert row.due_at > NOW
    assert "The task stays open" in page.text


def test_a_follow_up_that_waits_for_its_outcome_gets_it(world: World) -> None:
    url = opened(world, state=FollowUpState.WAITING_FOR_OUTCOME.value, waiting_since=NOW)
    post(world, url, outcome="no_action_needed")
    assert (stored(world).state, stored(world).outcome) == ("closed", "No action needed")


def test_a_closed_one_takes_no_outcome_any_more(world: World) -> None:
    url = opened(world, state=FollowUpState.CLOSED.value, outcome="Solved", closed_by="outcome")
    assert "closed already. Outcome: Solved" in world.http.get(url).text
    assert post(world, url, outcome="not_reached").status_code == 410
    assert stored(world).outcome == "Solved"


@pytest.mark.parametrize("outcome", ["", "gone", "Solved", "solved\x00"])
def test_an_outcome_that_is_none_is_asked_for_again(world: World, outcome: str) -> None:
    page = post(world, opened(world), outcome=outcome)
    assert page.status_code == 422
    assert "Please choose how it went" in page.text
    assert stored(world).outcome is None


def test_a_cause_is_offered_and_only_one_of_those_is_kept(world: World) -> None:
    assert "What was the cause?" not in world.http.get(opened(world)).text
    world.causes["late"] = "Came late"
    url = opened(world, id="f2", customer="other")
    assert '<option value="late">Came late</option>' in world.http.get(url).text
    post(world, url, outcome="solved", cause="late")
    other = opened(world, id="f3", customer="third")
    post(world, other, outcome="solved", cause="'; drop table")
    assert [row.cause for row in world.rows(follow_up) if row.id in {"f2", "f3"}] == ["late", None]


def test_a_note_is_kept_as_text_and_cut_to_its_limit(world: World) -> None:
    url = opened(world)
    post(world, url, outcome="not_reached", note="<script>x</script>\x00" + "n" * 3000)
    assert len(stored(world).note) == 2000
    assert "<script>" not in world.http.get(url).text


@pytest.mark.parametrize("token", ["x", "f1", "a" * 500])
def test_a_link_that_is_not_ours_opens_nothing(world: World, token: str) -> None:
    opened(world)
    for answer in (world.http.get(f"{world.url}/f/{token}"), post(world, f"{world.url}/f/{token}", outcome="solved")):
        assert answer.status_code == 404
    assert stored(world).outcome is None


def test_a_token_of_another_kind_opens_nothing(world: World) -> None:
    opened(world)
    for token in (world.tokens.survey("f1"), world.tokens.session("f1"), world.tokens.bounces()):
        assert world.http.get(f"{world.url}/f/{token}").status_code == 404
    assert world.http.get(f"{world.url}/s/{world.tokens.outcome('invitation1')}").status_code == 404


# ── what is sent twice, or at once ───────────────────────────────────────────────────────────────────────────────────


def form_of(world: World, url: str, **fields: str) -> dict[str, str]:
    """Open the page, and return what its form sends."""
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', world.http.get(url).text)
    return dict(hidden) | fields


def test_a_button_that_is_pressed_twice_counts_one_attempt(world: World) -> None:
    url = opened(world)
    form = form_of(world, url, outcome="not_reached", note="No answer")
    for _ in range(3):
        page = post(world, url, **form)
        assert (page.status_code, "Outcome: Not reached" in page.text) == (200, True)
    assert (stored(world).attempts, len(world.answered)) == (1, 1)

    post(world, url, **form_of(world, url, outcome="not_reached"))
    assert stored(world).attempts == 2, "a page that was opened again is about another attempt"


def test_another_note_on_the_same_page_corrects_it_and_counts_no_attempt(world: World) -> None:
    url = opened(world)
    form = form_of(world, url, outcome="not_reached", note="No answer")
    post(world, url, **form)
    post(world, url, **form | {"note": "No answer, left a message"})
    assert (stored(world).attempts, stored(world).note) == (1, "No answer, left a message")


def test_another_outcome_on_the_same_page_is_taken(world: World) -> None:
    url = opened(world)
    form = form_of(world, url, outcome="not_reached")
    post(world, url, **form)
    post(world, url, **form | {"outcome": "solved"})
    assert (stored(world).state, stored(world).outcome, stored(world).attempts) == ("closed", "Solved", 1)


def test_a_press_that_closes_and_comes_twice_is_confirmed_twice(world: World) -> None:
    url = opened(world)
    form = form_of(world, url, outcome="solved", note="New printer")
    for _ in range(2):
        page = post(world, url, **form)
        assert (page.status_code, "Outcome: Solved" in page.text) == (200, True)
    assert len(world.answered) == 1
    assert post(world, url, **form | {"note": "Something else"}).status_code == 410


@pytest.mark.parametrize("late", ["not_reached", "no_action_needed"])
def test_what_was_closed_while_a_press_was_under_way_stays_closed(world: World, late: str) -> None:
    url = opened(world)
    world.before_outcome = lambda: post(world, url, outcome="solved")
    page = post(world, url, outcome=late)
    assert (page.status_code, "closed already. Outcome: Solved" in page.text) == (410, True)
    assert (stored(world).state, stored(world).outcome, stored(world).attempts) == ("closed", "Solved", 0)


# ── the form is about this outcome ───────────────────────────────────────────────────────────────────────────────────


def test_the_form_holds_nothing_of_an_earlier_outcome(world: World) -> None:
    world.causes["late"] = "Came late"
    url = opened(world)
    post(world, url, outcome="not_reached", cause="late", note="She is away until Monday")
    page = world.http.get(url).text
    assert "She is away until Monday" not in page
    assert "selected" not in page

    post(world, url, outcome="solved")
    assert (stored(world).note, stored(world).cause) == ("She is away until Monday", "late"), "nothing noted is lost"


def test_a_form_without_an_outcome_comes_back_as_it_was_filled_in(world: World) -> None:
    world.causes["late"] = "Came late"
    page = post(world, opened(world), cause="late", note="It took <b>me</b> a while to write this")
    assert page.status_code == 422
    assert "It took &lt;b&gt;me&lt;/b&gt; a while to write this</textarea>" in page.text
    assert '<option value="late" selected>' in page.text
