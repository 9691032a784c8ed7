"""JSON documents come back from the store as they went in, without what is no character."""

import json

import pytest

from connector.store.db.documents import decoded, encoded


@pytest.mark.parametrize("value", [{"a": [1, 2.5, None, True]}, {}, ["Äiti \U0001f600"], {"a": r"\u0000"}])
def test_a_document_comes_back_as_it_went_in(value):
    assert decoded(encoded(value)) == value


@pytest.mark.parametrize("odd", ["\x00", "\ud83d", "\udc00"])
def test_what_is_no_character_is_left_out(odd):
    assert decoded(encoded({f"a{odd}": [f"half of {odd}", 1, None]})) == {"a": ["half of ", 1, None]}


def test_what_earlier_versions_wrote_is_read():
    assert decoded(json.dumps({"note": "\ud83d", "n": 1})) == {"note": "\ud83d", "n": 1}
    assert decoded(b'{"n": 1}') == {"n": 1}
