"""Which surveys have answers that no follow-up rule is about, and which rules no answer can meet. Pure."""

from collections.abc import Iterator, Sequence
from itertools import product

from connector.domain.follow_up_rules import Rule, matches_ratings
from connector.errors import Problem
from connector.model import Rating
from connector.settings import Settings
from connector.settings.model import Survey
from connector.surveys.questionnaire import Question, questionnaire

_REMEDY = 'Add a table [follow_up.low] with when = "low": the worst answers to whatever is asked.'


def uncovered(settings: Settings) -> Iterator[Problem]:
    """Yield a warning for each survey whose worst answer opens no follow-up, and for each rule that no answer can meet."""
    if not settings.surveys:
        return
    rules = {name: follow_up.when for name, follow_up in settings.follow_up.items()}
    for name, survey in settings.surveys.items():
        worst = _worst_answer(survey)
        if not any(_is_about_answers_alone(rule) and matches_ratings(rule, worst) for rule in rules.values()):
            what = "no follow-up rule is about its worst answer: somebody unhappy would reach nobody."
            yield Problem(f"{settings.path.name}: surveys.{name}", what, _REMEDY, severity="warning")
    for name, rule in rules.items():
        if rule.on_ratings and not any(_can_meet(rule, survey) for survey in settings.surveys.values()):
            what = f'no answer to any survey can be "{rule.text}".'
            remedy = f"Correct when, or add a survey that asks for it; {_asked(settings)}."
            yield Problem(f"{settings.path.name}: follow_up.{name}.when", what, remedy, severity="warning")


def _is_about_answers_alone(rule: Rule) -> bool:
    """Tell whether nothing but an answer is needed: a rule that waits for a mood too leaves most bad answers alone."""
    return rule.on_ratings and not rule.on_mood and not rule.on_silence


def _questions(survey: Survey) -> Sequence[Question]:
    return questionnaire(survey.metric, None).questions


def _rating(question: Question, value: int) -> Rating:
    return Rating(question.metric, question.id, value, question.low, question.high, question.direction)


def _worst_answer(survey: Survey) -> list[Rating]:
    return [
        _rating(question, question.low if question.direction == "up" else question.high)
        for question in _questions(survey)
    ]


def _can_meet(rule: Rule, survey: Survey) -> bool:
    """Try every answer that the survey allows: a few hundred at most."""
    answers = product(
        *([_rating(question, value) for value, _label in question.points] for question in _questions(survey))
    )
    return any(matches_ratings(rule, answer) for answer in answers)


def _asked(settings: Settings) -> str:
    metrics = sorted({question.metric for survey in settings.surveys.values() for question in _questions(survey)})
    return f"the surveys ask for {', '.join(metrics)}"
