"""By what names people are greeted: theirs, and nothing that somebody has typed into a form in their place."""

import pytest

from connector.domain.crm_text import to_greet_by

NO_NAME = ""


@pytest.mark.parametrize(
    "name",
    [
        "Maria Virtanen",
        "J.R.R. Tolkien",
        "J.Smith",
        "O'Neil & Sons",
        "Anna/Bertil Öst",
        "王小明",
        "Maria 2",
        "Dr. H. Null-Ström",
    ],
)
def test_a_name_is_kept(name: str) -> None:
    assert to_greet_by(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "t.me/winner",
        "Win at x.com",
        "192.168.1.1/abc",
        "1.1.1.1",
        "http:evil",
        "tel:+47123",
        "You have won, call 0900 123 456",
        "Anna " + "you have won, call us now " * 10,
        "x" * 5000,
    ],
)
def test_advertising_is_no_name(name: str) -> None:
    assert to_greet_by(name) == NO_NAME


@pytest.mark.parametrize(
    ("name", "greeted"),
    [
        ("[not provided]", NO_NAME),
        ("Maria [not provided]", "Maria"),
        ("[Not Provided] Virtanen", "Virtanen"),
        ("-", NO_NAME),
        (". .", NO_NAME),
        ("n/a", NO_NAME),
        ("N.A.", NO_NAME),
        ("Unknown", NO_NAME),
        ("(none)", NO_NAME),
        ("null null", NO_NAME),
        ("Nona Null", "Nona Null"),
    ],
)
def test_what_stands_where_a_name_is_not_known_is_none(name: str, greeted: str) -> None:
    assert to_greet_by(name) == greeted
