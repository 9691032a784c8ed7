"""The sentences that a rep reads on a record."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.model import Rating
from connector.presenting import (
    LIMIT,
    Due,
    Said,
    account_subject,
    and_more,
    attention,
    body,
    call_subject,
    cut,
    deadline,
    last_rating,
    summary,
)

HELSINKI = ZoneInfo("Europe/Helsinki")
NOON = datetime(2026, 11, 12, 12, 0, tzinfo=UTC)


def said(comment: str | None = "Nobody called back.", **changes: object) -> Said:
    values: dict[str, object] = {
        "response_id": "r1",
        "who": "Maria Virtanen",
        "rating": Rating("csat", "csat", 1, 1, 5),
        "label": "case 00123",
        "at": NOON,
        "comment": comment,
    }
    return Said(**{**values, **changes})  # type: ignore[arg-type]


def due(**changes: object) -> Due:
    values: dict[str, object] = {
        "subject": "Call Maria Virtanen by Fri 15:00: 1 of 5, case 00123",
        "who": "Maria Virtanen",
        "why": "1 of 5, case 00123",
        "since": NOON,
        "due": NOON + timedelta(days=1, hours=1),
        "owner": "Ritva Laine",
        "tz": HELSINKI,
    }
    return Due(**{**values, **changes})  # type: ignore[arg-type]


def test_the_summary_says_who_gave_what_when_in_their_words_and_what_happens_next() -> None:
    assert summary([said()], asked=8, answered=3, due=[due()], tz=UTC) == (
        "Maria Virtanen: 1 of 5, case 00123, 12 Nov 2026: “Nobody called back.” Answered: 3 of 8 asked. "
        "Next: call by 13 Nov 15:00 (Ritva Laine)."
    )


def test_without_a_comment_the_summary_quotes_nobody() -> None:
    assert summary([said(None)], asked=1, answered=1, due=[], tz=UTC) == (
        "Maria Virtanen: 1 of 5, case 00123, 12 Nov 2026. Answered: 1 of 1 asked."
    )


def test_the_newest_answer_is_quoted() -> None:
    older = said("Fine.", who="Pekka Salo", at=NOON - timedelta(days=9))
    assert summary([said(), older], asked=0, answered=0, due=[], tz=UTC).startswith("Maria Virtanen")


def test_silence_is_told() -> None:
    assert summary([], asked=4, answered=0, due=[], tz=UTC) == "4 people were asked; nobody has answered."
    assert summary([], asked=1, answered=0, due=[], tz=UTC) == "1 person was asked and has not answered."


def test_of_nobody_nothing_is_said() -> None:
    assert summary([], asked=0, answered=0, due=[], tz=UTC) == ""


@given(st.text(max_size=600), st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=120))
def test_a_summary_fits_whatever_people_write_and_keeps_what_surrounds_the_quotation(comment: str, who: str) -> None:
    text = summary([said(comment, who=who)], asked=8, answered=3, due=[due()], tz=UTC)
    assert len(text) <= LIMIT
    if len(who) < 60:
        assert text.endswith("Next: call by 13 Nov 15:00 (Ritva Laine).")


def test_dates_are_those_of_the_readers_day() -> None:
    late = said(at=datetime(2026, 11, 12, 23, 30, tzinfo=UTC))
    assert last_rating(late, UTC) == "1 of 5, case 00123, 12 Nov 2026"
    assert last_rating(late, HELSINKI) == "1 of 5, case 00123, 13 Nov 2026"


@pytest.mark.parametrize(
    ("rating", "figure"),
    [
        (Rating("nps", "nps", 0, 0, 10), "0 of 10"),
        (Rating("ces", "ces", 7, 1, 7), "7 of 7"),
        (Rating("csat", "csat", 4.5, 1, 5), "4.5 of 5"),
    ],
)
def test_a_rating_is_told_on_its_own_scale(rating: Rating, figure: str) -> None:
    assert said(rating=rating).figure == figure


def test_attention_is_empty_when_nobody_needs_it() -> None:
    assert attention([]) == ""


def test_attention_names_who_what_since_when_and_by_when() -> None:
    assert attention([due()]) == (
        "Maria Virtanen: 1 of 5, case 00123 since 12 Nov 2026, call by 13 Nov 15:00 (Ritva Laine)"
    )


def test_further_bad_answers_are_counted_with_the_first() -> None:
    assert and_more("1 of 5, case 00123", 0) == "1 of 5, case 00123"
    assert and_more("1 of 5, case 00123", 1) == "1 of 5, case 00123, and 1 more answer like it"
    assert and_more("1 of 5, case 00123", 3) == "1 of 5, case 00123, and 3 more answers like it"


def test_many_troubles_still_fit() -> None:
    assert len(attention([due()] * 9)) <= LIMIT


def test_a_near_deadline_is_told_by_its_weekday_and_a_far_one_by_its_date() -> None:
    assert deadline(NOON + timedelta(days=1), HELSINKI, seen_from=NOON) == "Fri 14:00"
    assert deadline(NOON + timedelta(days=12), HELSINKI, seen_from=NOON) == "24 Nov 14:00"


def test_a_weekday_never_means_the_one_in_a_week() -> None:
    assert deadline(NOON + timedelta(days=7), UTC, seen_from=NOON) == "19 Nov 12:00"


def test_subjects_say_whom_to_call_by_when_and_why() -> None:
    tomorrow = NOON + timedelta(days=1, hours=1)
    assert call_subject(said(), tomorrow, HELSINKI, now=NOON) == "Call Maria Virtanen by Fri 15:00: 1 of 5, case 00123"
    assert account_subject("Northwind", "the customer mood is Unhappy", tomorrow, HELSINKI, now=NOON) == (
        "Call Northwind by Fri 15:00: the customer mood is Unhappy"
    )


def test_a_body_holds_the_whole_comment_the_link_and_who_was_passed_over() -> None:
    comment = "Long story. " * 200
    text = body([said(comment)], why="Why.", link="https://x.example/accounts/1", owner_note="Passed over: A.", tz=UTC)
    assert comment.strip() in text
    assert "https://x.example/accounts/1" in text
    assert "Passed over: A." in text


@given(st.text(max_size=400), st.integers(min_value=2, max_value=300))
def test_cutting_keeps_the_limit_and_leaves_short_texts_alone(text: str, limit: int) -> None:
    short = cut(text, limit)
    assert len(short) <= limit
    assert short == text or (len(text) > limit and short.endswith("…"))
