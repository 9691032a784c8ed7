"""Whatever has happened: each clause on the record is true at that moment, and nobody with an open answer is forgotten."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from checker import AnswerFact, Facts, FollowUpFact, judge
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.model import Mood, Rating
from connector.sentences.attention import attention
from connector.sentences.catalogue import catalogue
from connector.sentences.content import (
    AccountReason,
    MoodSeen,
    NamedResponse,
    OpenFollowUp,
    Silence,
    UnansweredInvitation,
)
from connector.sentences.summary import People, summary

HELSINKI = ZoneInfo("Europe/Helsinki")
START = datetime(2026, 10, 1, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
HIGHEST = {"csat": (1, 5), "ces": (1, 7), "nps": (0, 10), "speed": (1, 5)}
NAMES = (
    "Maria Virtanen",
    "Pekka Salo",
    "Anna Berg",
    "Wu",
    "Dr. J. Smith, Jr.",
    "Ritva calls by 3 Nov 10",
    "Äijä 👨‍👩‍👧 Österlund",
    "Bartholomew Featherstonehaugh-Cholmondeley of the Northern Division " * 2,
    "Olga Petrova",
)
LABELS = ("case 00123", "case 00007", "ticket 9", 'call "Set-up help"', "order 🇫🇮🇸🇪 77")
SUBJECTS = ("", "Printer offline again", 'The "new" one', "Ovi ei sulkeudu " * 20, "👩‍🚀" * 60, "e\u0301" * 200)
COMMENTS = (
    "",
    "Nobody called back.",
    "Slow",
    "It’s fine.\n\nBut late”. Ritva Laine calls by 1 Jan 10:00. “",
    "Hyvä! Kiitos. " * 30,
    "🇫🇮" * 120,
    "\u202eevil\x00",
)
OWNERS = ("", "Ritva Laine", "Jonas Lind", "Maximiliane von Hohenstein-Wittelsbach zu Sayn " * 2)
BAD = [("csat", 1), ("csat", 2), ("ces", 1), ("ces", 3), ("nps", 0), ("nps", 6), ("speed", 1), ("speed", 2)]
OTHER = [("csat", 3), ("csat", 4), ("csat", 5), ("ces", 4), ("ces", 7), ("nps", 8), ("nps", 10)]

hours = st.integers(0, 24 * 60).map(lambda number: START + number * HOUR)


@st.composite
def answers_of(draw: st.DrawFn, person: str, *, bad: bool) -> AnswerFact:
    return AnswerFact(
        key="",
        person=person,
        rating=draw(st.sampled_from(BAD if bad else BAD + OTHER)),
        label=draw(st.sampled_from(LABELS)),
        subject=draw(st.sampled_from(SUBJECTS)),
        comment=draw(st.sampled_from(COMMENTS)),
        at=draw(hours),
    )


@st.composite
def follow_ups_of(draw: st.DrawFn, person: str, answers: tuple[AnswerFact, ...], now: datetime) -> FollowUpFact:
    opened = max([one.at for one in answers], default=draw(hours))
    waiting = draw(st.booleans()) and draw(st.booleans())
    return FollowUpFact(
        person=person,
        answers=answers,
        owner=draw(st.sampled_from(OWNERS)),
        opened=opened,
        due=opened + draw(st.integers(1, 200)) * HOUR,
        waiting_since=min(opened + draw(st.integers(0, 100)) * HOUR, now) if waiting else None,
        deleted=draw(st.booleans()),
        attempts=draw(st.integers(0, 2)),
        silence=0 if answers else draw(st.integers(0, 3)),
    )


@st.composite
def books(draw: st.DrawFn) -> Facts:
    now = draw(hours) + 3 * HOUR
    answers: list[AnswerFact] = []
    follow_ups: list[FollowUpFact] = []
    for person in draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=7)):
        bad = draw(st.booleans())
        one_persons = draw(st.lists(answers_of(person, bad=bad), min_size=1, max_size=3))
        one_persons = [
            replace(one, key=f"{person}-{number}", at=min(one.at, now)) for number, one in enumerate(one_persons)
        ]
        answers += one_persons
        if bad:
            follow_ups.append(draw(follow_ups_of(person, tuple(one_persons), now)))
    if draw(st.booleans()) and draw(st.booleans()):
        follow_ups.append(draw(follow_ups_of("Northwind", (), now)))
    answered = len({one.person for one in answers})
    asked = draw(st.integers(answered, answered + 5))
    return Facts(tuple(answers), tuple(follow_ups), asked, answered, now, HELSINKI)


def named_response(fact: AnswerFact) -> NamedResponse:
    metric, value = fact.rating
    low, high = HIGHEST[metric]
    return NamedResponse(
        response_id=fact.key,
        who=fact.person,
        rating=Rating(metric, metric, value, low, high),
        label=fact.label,
        at=fact.at,
        comment=fact.comment or None,
        contact_id=fact.person,
        subject=fact.subject or None,
    )


def open_follow_up(fact: FollowUpFact) -> OpenFollowUp:
    about: tuple[AccountReason, ...] = ()
    if not fact.answers:
        asked = tuple(UnansweredInvitation("Maria", "case 1", START) for _ in range(fact.silence))
        about = (Silence(asked, fact.opened),) if asked else (MoodSeen(Mood.UNHAPPY, fact.opened),)
    return OpenFollowUp(
        who=fact.person,
        since=fact.opened,
        due=fact.due,
        owner=fact.owner or None,
        tz=HELSINKI,
        responses=tuple(named_response(one) for one in fact.answers),
        reasons=about,
        attempts=fact.attempts,
        waiting_since=fact.waiting_since,
        task_deleted=fact.deleted,
        contact_id=fact.person if fact.answers else None,
    )


def texts(facts: Facts, language: str) -> tuple[str, str]:
    """Return both fields as the product writes them."""
    words = catalogue(language)
    needs = attention([open_follow_up(one) for one in facts.follow_ups], words, now=facts.now)
    newest_first = sorted((named_response(one) for one in facts.answers), key=lambda one: one.at, reverse=True)
    people = People(facts.asked, facts.answered, facts.now)
    return needs.text, summary(newest_first, needs, people, words, tz=facts.tz, now=facts.now)


@pytest.mark.parametrize("language", ["en", "fi"])
@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(books())
def test_every_clause_is_true_and_nobody_is_forgotten(language: str, facts: Facts) -> None:
    written = texts(facts, language)
    problems = judge(facts, language, *written)
    assert problems == [], f"{problems}\n{written}\n{facts}"
