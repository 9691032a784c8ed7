"""By what names people are greeted: theirs, and nothing that somebody has typed into a form in their place."""

import pytest

from connector.domain.greeting_names import to_greet_by

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
        "na--" * 15 + "Nils",
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
        "a" + " !" * 30_000 + "b",
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
        ("Na Li", "Na Li"),
        ("Maria -", "Maria"),
        ("Maria .", "Maria"),
        ("-- Virtanen", "Virtanen"),
        ("Maria Unknown", "Maria"),
        ("Maria (unknown)", "Maria"),
        ("n/a Virtanen", "Virtanen"),
        ("Maria N/A", "Maria"),
        ("Maria J.", "Maria J."),
        ("Maria TBD", "Maria"),
        ("Maria No Last Name", "Maria"),
        ("xxx", NO_NAME),
        ("k.A.", NO_NAME),
        ("keine Angabe", NO_NAME),
        ("ei tiedossa", NO_NAME),
        ("ukendt", NO_NAME),
    ],
)
def test_what_stands_where_a_name_is_not_known_is_none(name: str, greeted: str) -> None:
    assert to_greet_by(name) == greeted
