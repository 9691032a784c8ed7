"""Every language says everything, in the same shape."""

import re
from datetime import UTC, datetime
from string import Formatter

import pytest

from connector.surveys.wording import DEFAULT, languages, preferred, resolve, wording

LANGUAGES = languages()
OTHERS = [language for language in LANGUAGES if language != DEFAULT]


def placeholders(text):
    texts = text if isinstance(text, list) else [text]
    return {name for one in texts for _, name, _, _ in Formatter().parse(one) if name is not None}


def test_the_languages_that_are_promised_are_there():
    assert {"en", "de", "fr", "es", "sv", "fi", "zh-CN", "zh-TW"} <= set(LANGUAGES)


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_has_every_text_with_the_same_placeholders(language):
    english, other = wording(DEFAULT).texts, wording(language).texts

    assert other.keys() == english.keys()
    assert {key: placeholders(text) for key, text in other.items()} == {
        key: placeholders(text) for key, text in english.items()
    }


@pytest.mark.parametrize("language", OTHERS)
def test_lists_are_as_long_and_nothing_is_left_empty_or_in_english(language):
    english, other = wording(DEFAULT).texts, wording(language).texts

    for key, text in other.items():
        assert type(text) is type(english[key]), key
        assert text, key
        if isinstance(text, list):
            assert len(text) == len(english[key]), key
            assert len(set(text)) == len(text), key
        elif len(text) > 25:
            assert text != english[key], key


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_has_stray_space_or_a_line_break(language):
    for key, text in wording(language).texts.items():
        for one in text if isinstance(text, list) else [text]:
            assert one == one.strip(), key
            assert not re.search(r"[\n\t]|  ", one), key


def test_french_marks_never_stand_alone_at_the_beginning_of_a_line():
    spaced = re.compile(r"[?!:;»«]")
    said = [one for text in wording("fr").texts.values() for one in (text if isinstance(text, list) else [text])]
    assert any(spaced.search(one) for one in said)
    for one in said:
        assert not re.search(r"[^\u00a0][?!:;»]|«[^\u00a0]", one), one


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("fi", "fi"),
        ("FI-fi", "fi"),
        ("de_AT", "de"),
        ("pt-BR", "en"),
        ("zh", "zh-CN"),
        ("zh-Hans-SG", "zh-CN"),
        ("zh-Hant-HK", "zh-TW"),
        ("zh_TW", "zh-TW"),
        ("zh-HK", "zh-TW"),
        ("", "en"),
        (None, "en"),
        ("klingon", "en"),
        ("-", "en"),
    ],
)
def test_a_tag_leads_to_the_nearest_language_as_a_whole(tag, language):
    assert resolve(tag) == language
    assert wording(tag).language == language


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("de-CH,de;q=0.9,en;q=0.8", "de"),
        ("pt-BR,fr;q=0.5", "fr"),
        ("en;q=0.2,sv;q=0.9", "sv"),
        ("en-GB,de;q=0.5", "en"),
        ("", "en"),
        ("*;q=x,,;", "en"),
    ],
)
def test_the_browser_decides_where_no_invitation_does(header, language):
    assert preferred(header) == language


def test_days_and_numbers_are_written_as_people_do():
    day = datetime(2026, 12, 6, tzinfo=UTC)

    assert wording("en").date(day) == "6 December 2026"
    assert wording("de").date(day) == "6. Dezember 2026"
    assert wording("zh-CN").date(day) == "2026年12月6日"
    assert [wording(language).number(10_000) for language in ("en", "de")] == ["10,000", "10.000"]


def test_a_value_with_braces_is_shown_as_it_is():
    assert wording("en").text("mail.about", label="{name} {0}") == "It is about: {name} {0}"
