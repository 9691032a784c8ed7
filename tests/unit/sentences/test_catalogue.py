"""The message catalogue: the same messages with the same placeholders in each language, all used, dates and plurals by CLDR."""

import ast
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Formatter
from zoneinfo import ZoneInfo

import pytest
from babel import Locale

from connector.sentences.catalogue import DEFAULT, catalogue, languages

ROOT = Path(__file__).resolve().parents[3]
HELSINKI = ZoneInfo("Europe/Helsinki")
NOON = datetime(2026, 11, 12, 12, 0, tzinfo=UTC)


def forms(language: str, key: str) -> dict[str, str]:
    """Return the plural forms of a message; its only text as `other`."""
    message = catalogue(language).messages[key]
    return {"other": message} if isinstance(message, str) else dict(message)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def used_keys() -> tuple[set[str], set[str]]:
    """Return what the product asks catalogues for: whole keys, and patterns of those of which a part is chosen (`mood.{…}`)."""
    keys: set[str] = set()
    patterns: set[str] = set()
    for path in (ROOT / "connector").rglob("*.py"):
        if path.name == "field_room.py":
            continue  # it names fields by target and name, as in task.outcome
        tree = ast.parse(path.read_text(encoding="utf-8"))
        chosen = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
        parts = {id(part) for node in chosen for part in node.values}
        patterns |= {pattern_of(node) for node in chosen}
        keys |= {
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts
        }
    for template in (
        path
        for folder in ("web", "surveys")
        for path in (ROOT / "connector" / folder / "templates").iterdir()
        if path.is_file()
    ):
        keys |= set(re.findall(r'"([a-z_]+\.[a-z_.]+)"', template.read_text(encoding="utf-8")))
    return keys, {pattern for pattern in patterns if re.match(r"[a-z_]+\\\.", pattern)}


def pattern_of(node: ast.JoinedStr) -> str:
    return "".join(re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"\w+" for part in node.values)


def test_there_is_english_and_finnish() -> None:
    assert set(languages()) >= {"en", "fi"}


@pytest.mark.parametrize("language", [one for one in languages() if one != DEFAULT])
def test_each_language_has_the_same_messages_with_the_same_placeholders(language: str) -> None:
    assert set(catalogue(language).messages) == set(catalogue(DEFAULT).messages)
    for key in catalogue(DEFAULT).messages:
        wanted = set.union(*(placeholders(text) for text in forms(DEFAULT, key).values())) - {"n"}
        for form, text in forms(language, key).items():
            assert placeholders(text) - {"n"} == wanted, (key, form)


@pytest.mark.parametrize("language", languages())
def test_a_message_with_plural_forms_has_those_of_its_language(language: str) -> None:
    wanted = {*Locale.parse(language).plural_form.tags, "other"}
    for key, message in catalogue(language).messages.items():
        if not isinstance(message, str):
            assert set(message) == wanted, key
            assert "n" in placeholders(message["other"]), key


def test_every_message_is_used() -> None:
    keys, patterns = used_keys()
    known = {key for key in catalogue(DEFAULT).messages if key.partition(".")[0] not in WORDS}
    assert {key for key in known - keys if not any(re.fullmatch(pattern, key) for pattern in patterns)} == set()


def test_every_used_message_is_there() -> None:
    keys, _patterns = used_keys()
    looks_like_one = re.compile(rf"({'|'.join(SENTENCES)})\.[a-z_]+")
    used = {key for key in keys if looks_like_one.fullmatch(key) and not key.endswith(FILES)}
    assert len(used) > 50
    assert used - set(catalogue(DEFAULT).messages) == set()


WORDS = ("csat", "ces", "nps", "dimension")
"""Words of ratings, chosen by metric and step: test_rating_words sees each of them used."""
FILES = (".html", ".mjml", ".txt", ".xlsx")
"""How names of files end, which look like keys."""
SENTENCES = (
    "format",
    "figure",
    "topic",
    "step",
    "reason",
    "attention",
    "summary",
    "task",
    "condition",
    "notice",
    "outcome",
    "record",
    "report",
    "not_asked",
)


def test_a_language_without_a_catalogue_is_english_as_a_whole() -> None:
    for tag in ("pt-BR", "", None, "xx", "../en"):
        assert catalogue(tag).language == "en"
    assert catalogue("fi-FI").language == catalogue("FI_fi").language == "fi"


def test_a_key_or_a_placeholder_that_is_missing_is_an_error() -> None:
    words = catalogue("en")
    for call in (
        lambda: words.text("step.nothing"),
        lambda: words.text("step.call", owner="Ritva"),
        lambda: words.text("attention.more"),
        lambda: words.count("step.call", 1),
    ):
        with pytest.raises(KeyError):
            call()


def test_braces_in_foreign_text_are_text() -> None:
    assert catalogue("en").text("step.call", owner="{0.__class__} {x", when="noon") == "{0.__class__} {x calls by noon"


@pytest.mark.parametrize(
    ("language", "day", "by", "near"),
    [("en", "12 Nov 2026", "12 Nov 14:00", "Thu 14:00"), ("fi", "12.11.2026", "12.11. klo 14.00", "to klo 14.00")],
)
def test_times_are_written_as_in_the_language_and_in_the_readers_zone(
    language: str, day: str, by: str, near: str
) -> None:
    words = catalogue(language)
    assert words.day(NOON, HELSINKI) == day
    assert words.by(NOON, HELSINKI) == by
    assert words.deadline(NOON, HELSINKI, now=NOON - timedelta(days=1)) == near


def test_dates_are_those_of_the_readers_day() -> None:
    late = datetime(2026, 11, 12, 23, 30, tzinfo=UTC)
    assert catalogue("en").day(late, UTC) == "12 Nov 2026"
    assert catalogue("en").day(late, HELSINKI) == "13 Nov 2026"


def test_a_weekday_never_means_the_one_in_a_week_or_one_gone_by() -> None:
    words = catalogue("en")
    assert words.deadline(NOON, UTC, now=NOON - timedelta(days=6)) == "Thu 12:00"
    assert words.deadline(NOON, UTC, now=NOON - timedelta(days=7)) == "12 Nov 12:00"
    assert words.deadline(NOON, UTC, now=NOON + timedelta(days=1)) == "12 Nov 12:00"


def test_numbers_are_written_as_in_the_language() -> None:
    assert [catalogue(language).number(4.5) for language in ("en", "fi")] == ["4.5", "4,5"]
    assert catalogue("en").number(5.0) == "5"


def test_plural_forms_follow_the_number() -> None:
    words = catalogue("fi")
    assert words.count("attention.more", 1) == ", ja 1 vastaus lisää"
    assert words.count("attention.more", 3) == ", ja 3 vastausta lisää"
