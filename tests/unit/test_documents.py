"""JSON documents come back from the store as they went in, whatever a CRM has cut off."""

import json

import pytest

from connector.store.documents import decoded, encoded


@pytest.mark.parametrize("value", [{"a": [1, 2.5, None, True]}, {}, ["Äiti \U0001f600"], {"cut off": "half of \ud83d"}])
def test_a_document_comes_back_as_it_went_in(value):
    assert decoded(encoded(value)) == value


def test_what_earlier_versions_wrote_is_read():
    assert decoded(json.dumps({"note": "\ud83d", "n": 1})) == {"note": "\ud83d", "n": 1}
    assert decoded(b'{"n": 1}') == {"n": 1}
