"""Every rating that people read carries its word, and the good end is plain from it."""

import pytest

from connector.model import Rating
from connector.scoring.scales import Band, band
from connector.sentences.catalogue import catalogue, languages
from connector.sentences.ratings import in_brackets, with_word, word

SCALES = [
    ("csat", 1, 5),
    ("nps", 0, 10),
    ("ces", 1, 7),
    ("speed", 1, 5),
    ("csat", 1, 7),
    ("csat", 1, 10),
    ("ces", 1, 5),
]


def rated(metric: str, value: float, low: float = 1, high: float = 5, direction: str = "up") -> Rating:
    return Rating(metric, metric, value, low, high, direction)


@pytest.mark.parametrize(
    ("rating", "text"),
    [
        (rated("csat", 1), "1 of 5, very dissatisfied"),
        (rated("csat", 2), "2 of 5, dissatisfied"),
        (rated("csat", 3), "3 of 5, neutral"),
        (rated("csat", 4), "4 of 5, satisfied"),
        (rated("csat", 4.5), "4.5 of 5, satisfied"),
        (rated("csat", 5), "5 of 5, very satisfied"),
        (rated("ces", 1, 1, 7), "1 of 7, very difficult"),
        (rated("ces", 3, 1, 7), "3 of 7, somewhat difficult"),
        (rated("ces", 4, 1, 7), "4 of 7, neither easy nor difficult"),
        (rated("ces", 5, 1, 7), "5 of 7, somewhat easy"),
        (rated("ces", 7, 1, 7), "7 of 7, very easy"),
        (rated("ces", 1, 1, 7, "down"), "1 of 7, very easy"),
        (rated("ces", 7, 1, 7, "down"), "7 of 7, very difficult"),
        (rated("nps", 6, 0, 10), "6 of 10, unlikely to recommend"),
        (rated("nps", 7, 0, 10), "7 of 10, might recommend"),
        (rated("nps", 10, 0, 10), "10 of 10, likely to recommend"),
        (rated("speed", 2), "speed 2 of 5, poor"),
        (rated("competence", 5), "expertise 5 of 5, very good"),
        (rated("on_time_delivery", 1), "on time delivery 1 of 5, very poor"),
        (rated("csat", 1, 1, 3), "1 of 3, dissatisfied"),
        (rated("csat", 1, 1, 2), "1 of 2, dissatisfied"),
        (rated("csat", 9, 1, 10), "9 of 10, satisfied"),
    ],
)
def test_a_rating_is_told_on_its_own_scale_with_its_word(rating: Rating, text: str) -> None:
    assert with_word(rating, catalogue("en")) == text


def test_in_a_tasks_subject_the_word_stands_in_brackets() -> None:
    assert in_brackets(rated("csat", 1), catalogue("en")) == "1 of 5 (very dissatisfied)"
    assert in_brackets(rated("nps", 3, 0, 10), catalogue("fi")) == "3/10 (tuskin suosittelisi)"


@pytest.mark.parametrize("language", languages())
def test_the_word_and_the_band_agree_and_every_word_is_used(language: str) -> None:
    words = catalogue(language)
    bands: dict[str, set[tuple[str, Band]]] = {}
    for metric, low, high in SCALES:
        for direction in ("up", "down") if metric != "nps" else ("up",):
            for value in range(low, high + 1):
                rating = rated(metric, value, low, high, direction)
                bands.setdefault(metric, set()).add((word(rating, words), band(rating)))
    for pairs in bands.values():
        assert len({text for text, _ in pairs}) == len(pairs), "one word stands for two bands"
    said = {
        "dimension" if metric == "speed" else metric: {text for text, _ in pairs} for metric, pairs in bands.items()
    }
    for group in ("csat", "nps", "ces", "dimension"):
        assert said[group] == {text for key, text in words.messages.items() if key.startswith(f"{group}.")}
