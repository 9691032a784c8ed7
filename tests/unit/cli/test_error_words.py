"""Words of others in errors: cut between characters as people see them, and without our secrets."""

import pytest

from connector.domain.quoting import LONGEST_WORDS, quoted
from connector.errors import AfterwordError

FAMILY = "👩‍👩‍👧"


def test_an_error_of_any_length_is_cut_between_characters() -> None:
    error = AfterwordError("x" * 19_996 + FAMILY + "y" * 1_000_000)
    assert error.what == "x" * 19_996 + "…"
    assert str(error) == error.what


@pytest.mark.parametrize("form", ["s3cr/t+x", "s3cr%2Ft%2Bx", "czNjci90K3g="])
def test_a_secret_is_left_out_before_the_words_are_cut(form: str) -> None:
    for before in range(LONGEST_WORDS - 20, LONGEST_WORDS + 5):
        shown = quoted("a" * before + form + " was refused", ["s3cr/t+x", ""])
        assert not set(shown) & set(form) - {"a"} - set(" was refused…")


def test_words_come_on_one_line() -> None:
    assert quoted("no\r\n such\t user ") == "no such user"
