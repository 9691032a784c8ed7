"""What was asked about, where there is no room for all of it: what stands in quotation marks in it stays in them."""

import pytest

from connector.sentences.catalogue import catalogue
from connector.sentences.clauses import topic
from connector.sentences.content import Caps

LABEL = 'call "Set-up help"'


@pytest.mark.parametrize("room", range(4, len(LABEL) + 1))
def test_a_label_that_is_cut_leaves_no_quotation_open(room: int) -> None:
    shown = topic(LABEL, None, Caps(label=room), catalogue("en"))
    assert shown.count('"') in {0, 2}
    assert len(shown) <= room
    assert shown.startswith("cal")


def test_a_label_is_shown_whole_where_there_is_room_for_it() -> None:
    assert topic(LABEL, None, Caps(label=len(LABEL)), catalogue("en")) == LABEL
    assert topic('a 19" rack', None, Caps(), catalogue("en")) == 'a 19" rack'
