"""Text that is no TOML is refused with the line, in words of ours, and nothing of it is shown but names of tables and keys."""

import pytest

from connector.domain.config.toml_text import read_toml
from connector.errors import Problem, SettingsError


def problem(text: str) -> Problem:
    with pytest.raises(SettingsError) as caught:
        read_toml(text, "x.toml")
    assert caught.value.__context__ is None, "the parser's own error quotes the file"
    (only,) = caught.value.problems
    return only


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a = 1\nb = = 2\n", "at line 2, column 5: a character that may not stand there"),
        ("a = 1\n\n[b\nc = 1\n", "at line 3, column 3: a character that may not stand there"),
        ('a = 1\nb = "x\nc = 1\n', "at line 2, column 7: a text has no end on its line"),
        ('a = 1\nb = """x\nc = 1\n', "at line 2: a text has no end"),
        ("a = 1\nb = [1,\n2,\n", "at line 2: a list or a table has no end"),
        ("b = [\n1,\n5x,\n]\n", "at line 3, column 3: it is neither a number nor a date"),
        ("a = 2026-13-45\n", "it is neither a number nor a date"),
        (f"a = 1{'0' * 5000}\n", "at line 1, column 5006: it is neither a number nor a date"),
        ("[]\n", "a name is missing"),
        ("a = 1\nb = 2\na = 3\nc = 4\n", "at line 3: a key stands twice"),
        ("[t]\na = { b = 1, b = 2 }\n", "at line 2: a key stands twice"),
        ("[a]\nx = 1\n[b]\n[a]\ny = 2\nz = 3\n", "at line 4: [a] stands twice"),
        ("[a]\nb = 1\n\n[a.b]\nc = 1\n[d]\n", "at line 4: [a.b] stands twice"),
        ('a = """\r\nx\r\n"""\r\na = 1\r\n', "at line 4: a key stands twice"),
    ],
)
def test_the_line_is_named_with_what_is_wrong_there(text: str, what: str) -> None:
    assert what in problem(text).what


def test_a_secret_in_a_broken_line_is_not_shown() -> None:
    assert "s3cret" not in str(problem('[a]\ntoken = "s3cret\n'))
    assert "s3cret" not in str(problem("[a]\ntoken = s3cret\n"))
    assert "s3cret" not in str(problem('[a]\ntoken = "s3cret" s3cret\n'))


def test_a_decimal_comma_in_a_line_of_several_keys_is_named() -> None:
    found = problem("[write.account]\nlow = { precision = 3,5, scale = 0 }\n")
    assert (found.where, found.what) == ("x.toml: write.account.precision", "holds a decimal comma (line 2).")
    assert found.remedy == "Write a point: precision = 3.5."
