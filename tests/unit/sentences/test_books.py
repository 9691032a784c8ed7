"""Typical books, with the exact sentences of each language: to be read as a rep would read them."""

import tomllib
from pathlib import Path

import pytest
from books import BOOKS

from connector.sentences.catalogue import languages

READ = tomllib.loads(Path(__file__).with_name("books.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("name", BOOKS)
def test_a_record_reads_like_this(name: str, language: str) -> None:
    attention, summary = BOOKS[name].texts(language)
    assert {"attention": attention, "summary": summary} == READ[name][language]


def test_every_book_is_read() -> None:
    assert set(READ) == set(BOOKS)
