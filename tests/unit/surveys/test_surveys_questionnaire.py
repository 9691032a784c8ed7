"""What is asked: the standard scales, in every language, and stored as asked."""

import json

import pytest

from connector.errors import TooNew
from connector.surveys import questionnaire as module
from connector.surveys.questionnaire import from_json, questionnaire
from connector.surveys.wording import languages

METRICS = ("csat", "nps", "ces", "composite")


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("metric", METRICS)
def test_what_is_stored_is_read_back_as_it_was_asked(metric, language):
    asked = questionnaire(metric, language)

    assert from_json(json.loads(json.dumps(asked.to_json()))) == asked
    assert asked.language == language


@pytest.mark.parametrize(
    ("metric", "low", "high", "named"), [("csat", 1, 5, True), ("nps", 0, 10, False), ("ces", 1, 7, True)]
)
def test_the_standard_scales(metric, low, high, named):
    [question] = questionnaire(metric, "en").questions

    assert (question.id, question.metric) == (metric, metric)
    assert (question.low, question.high, question.direction, question.named) == (low, high, "up", named)
    assert [value for value, _ in question.points] == list(range(low, high + 1))


def test_nps_is_asked_in_its_fixed_words_with_named_ends_only():
    [question] = questionnaire("nps", "en").questions

    assert question.asked("Acme") == "How likely is it that you would recommend Acme to a friend or colleague?"
    assert (question.label(0), question.label(5), question.label(10)) == ("Not at all likely", "", "Extremely likely")


def test_ces_is_version_2_where_agreeing_is_good():
    [question] = questionnaire("ces", "en").questions

    assert question.asked("Acme") == "Acme made it easy for me to handle my issue."
    assert (question.label(1), question.label(7)) == ("Strongly disagree", "Strongly agree")


def test_the_composite_asks_overall_first_which_counts_as_csat():
    asked = questionnaire("composite", "en")

    assert [question.id for question in asked.questions] == ["overall", "speed", "competence", "friendliness"]
    assert [question.metric for question in asked.questions] == ["csat", "speed", "competence", "friendliness"]
    assert asked.first.id == "overall"


@pytest.mark.parametrize("language", languages())
def test_the_open_question_is_the_same_whatever_is_asked(language):
    assert len({questionnaire(metric, language).follow_up for metric in METRICS}) == 1


def test_a_language_without_wording_falls_back_as_a_whole():
    assert questionnaire("csat", "pt-BR") == questionnaire("csat", "en")


def test_an_unknown_metric_and_an_unknown_version_are_refused():
    with pytest.raises(ValueError, match="composite, csat"):
        questionnaire("smileys", "en")
    with pytest.raises(TooNew):
        from_json(questionnaire("csat", "en").to_json() | {"version": 99})


AS_FIRST_STORED = {
    "version": 1,
    "metric": "nps",
    "language": "en",
    "questions": [
        {
            "id": "nps",
            "metric": "nps",
            "text": "How likely are you to recommend {company}?",
            "low": 0,
            "high": 10,
            "direction": "up",
            "labels": ["Not at all", *[""] * 9, "Very"],
        }
    ],
    "follow_up": "Why?",
}
"""Lies in stores and mailboxes for ever: do not change it."""


@pytest.mark.parametrize("later", [0, 1, 7])
def test_what_version_1_stored_is_read_for_ever(later, monkeypatch):
    monkeypatch.setattr(module, "VERSION", 1 + later)
    read = from_json(json.loads(json.dumps(AS_FIRST_STORED)))
    assert (read.version, read.metric, read.language, read.follow_up) == (1, "nps", "en", "Why?")
    assert (read.first.points[0], read.first.points[-1]) == ((0, "Not at all"), (10, "Very"))
    assert read.first.asked("Acme") == "How likely are you to recommend Acme?"
    assert from_json(read.to_json()) == read
