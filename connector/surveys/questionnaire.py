"""What is asked: the standard questions and their scales.

A questionnaire is stored with the invitation as it was asked, so that a later change of wording changes no old answer's meaning.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Final

from connector.errors import TooNew
from connector.model.documents import JsonObject
from connector.surveys.wording import Wording, wording

VERSION: Final = 1
"""Of the stored form; see `from_json`."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question that is answered with a whole number."""

    id: str
    """The form field; it stays the same for ever."""
    metric: str
    """What the rating counts as: csat, nps, ces, or a dimension of its own."""
    text: str
    """May hold ``{company}``; see `asked`."""
    low: int
    high: int
    direction: str
    """``up``: a high value is good; ``down``: a low value is good."""
    labels: tuple[str, ...]
    """One for each point from `low` to `high`; empty where a point has no name."""

    @property
    def points(self) -> tuple[tuple[int, str], ...]:
        """Every value with its label, lowest first."""
        return tuple(zip(range(self.low, self.high + 1), self.labels, strict=True))

    @property
    def named(self) -> bool:
        """Whether every point has a label of its own."""
        return all(self.labels)

    def label(self, value: int) -> str:
        """Return the label of a value on the scale; it may be empty."""
        return self.labels[value - self.low]

    def asked(self, company: str) -> str:
        """Return the question as the person reads it."""
        return self.text.replace("{company}", company)


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """The questions of one survey in one language, and one open question that follows."""

    version: int
    metric: str
    """csat, nps, ces or composite."""
    language: str
    questions: tuple[Question, ...]
    """The first one must be answered; it is the one that the mail's links carry."""
    follow_up: str
    """The open question. It is the same whatever was answered, and leads nowhere."""

    @property
    def first(self) -> Question:
        """The question that the form field ``rating`` stands for."""
        return self.questions[0]

    def to_json(self) -> dict[str, object]:
        """Return what the store keeps."""
        return asdict(self)


def from_json(stored: JsonObject) -> Questionnaire:
    """Read back what `Questionnaire.to_json` of this or any earlier version made: an invitation lies in a mailbox for weeks.

    Raises `TooNew` for one of a later version.
    """
    version = stored["version"]
    if version > VERSION:
        raise TooNew(f"questionnaires of version {version} (known: {VERSION})")
    return _READERS[max(known for known in _READERS if known <= version)](stored)


def _read_1(stored: JsonObject) -> Questionnaire:
    return Questionnaire(
        version=stored["version"],
        metric=stored["metric"],
        language=stored["language"],
        questions=tuple(_question_1(question) for question in stored["questions"]),
        follow_up=stored["follow_up"],
    )


def _question_1(stored: JsonObject) -> Question:
    return Question(
        id=stored["id"],
        metric=stored["metric"],
        text=stored["text"],
        low=stored["low"],
        high=stored["high"],
        direction=stored["direction"],
        labels=tuple(stored["labels"]),
    )


_READERS: Final[Mapping[int, Callable[[JsonObject], Questionnaire]]] = {1: _read_1}
"""By the first version of the stored form that each of them reads. A new form gets a new reader; the old ones stay for ever."""


def questionnaire(metric: str, language: str | None) -> Questionnaire:
    """Return the standard questionnaire for csat, nps, ces or composite, in the reader's language.

    Raises `ValueError` for another metric.
    """
    if metric not in _BUILDERS:
        raise ValueError(f"there is no questionnaire for {metric!r}; there is one for {', '.join(sorted(_BUILDERS))}")
    words = wording(language)
    return Questionnaire(VERSION, metric, words.language, _BUILDERS[metric](words), words.text("questions.follow_up"))


def _csat(words: Wording) -> tuple[Question, ...]:
    """CSAT: five named points; the score is the share of the upper two."""
    return (_satisfaction(words, "csat", metric="csat"),)


def _nps(words: Wording) -> tuple[Question, ...]:
    """Likelihood to recommend, 0 to 10 with named ends, in the wording that must not be altered."""
    labels = (words.text("questions.nps_low"), *[""] * 9, words.text("questions.nps_high"))
    return (Question("nps", "nps", _text(words, "nps"), 0, 10, "up", labels),)


def _ces(words: Wording) -> tuple[Question, ...]:
    """CES 2.0: agreement with "made it easy", 1 to 7, where 7 is good (version 1.0 ran the other way)."""
    return (Question("ces", "ces", _text(words, "ces"), 1, 7, "up", words.labels("questions.ces_labels")),)


def _composite(words: Wording) -> tuple[Question, ...]:
    """Overall satisfaction, which counts as CSAT, and three dimensions that explain it."""
    dimensions = ("speed", "competence", "friendliness")
    return (
        _satisfaction(words, "overall", metric="csat"),
        *(_satisfaction(words, name, metric=name) for name in dimensions),
    )


def _satisfaction(words: Wording, name: str, *, metric: str) -> Question:
    return Question(name, metric, _text(words, name), 1, 5, "up", words.labels("questions.csat_labels"))


def _text(words: Wording, name: str) -> str:
    # The company's name is filled in when the question is shown, so it stays a placeholder here.
    return words.text(f"questions.{name}", company="{company}")


_BUILDERS: Final[Mapping[str, Callable[[Wording], tuple[Question, ...]]]] = {
    "csat": _csat,
    "nps": _nps,
    "ces": _ces,
    "composite": _composite,
}
