"""What a customer reads of that which they are asked about."""

from datetime import UTC, datetime

import pytest

from connector.surveys.customer_label import customer_label
from connector.surveys.wording import languages, wording

ENDED = datetime(2026, 11, 12, 15, 0, tzinfo=UTC)
TITLE = "Upsell talk w/ difficult client"


def called(kind: str, language: str = "en", label: str = "", **facts: object) -> str:
    return customer_label(kind, label or f"{kind} 00123", facts=facts, ended_at=ENDED, words=wording(language))


def test_a_case_is_called_by_its_subject() -> None:
    assert called("case", subject="Printer\r\noffline  again") == "Printer offline again"
    assert called("case", "sv", subject="Skrivaren") == "Skrivaren"
    assert len(called("case", subject="x" * 300)) == 100


@pytest.mark.parametrize("subject", [None, "", " \u202e "])
def test_a_case_without_a_subject_is_called_by_its_day(subject: str | None) -> None:
    assert called("case", "sv", subject=subject) == "ärende, 12 november 2026"


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", ["call", "meeting", "deal"])
def test_titles_of_our_own_are_read_by_nobody_else(kind: str, language: str) -> None:
    shown = called(kind, language, f'{kind} "{TITLE}"', subject=TITLE, name=TITLE)
    assert "Upsell" not in shown
    assert "2026" in shown
    if language != "en":
        assert kind not in shown.lower()


def test_what_the_mapping_says_comes_first() -> None:
    assert called("meeting", customer_label="visit 7", subject=TITLE) == "visit 7"
    assert called("case", customer_label="", subject="Printer") == "request, 12 November 2026"


def test_kinds_of_an_admins_own_are_called_as_they_say() -> None:
    assert called("delivery", label="order 17", subject=TITLE) == "order 17"


@pytest.mark.parametrize("language", languages())
def test_a_kind_is_called_by_the_words_that_its_language_has_for_it(language: str) -> None:
    for key in wording(language).texts:
        if key.startswith("label."):
            assert "2026" in called(key.removeprefix("label."), language)
