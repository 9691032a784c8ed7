"""What earlier versions have stored is read as they meant it: no release reads a whole CRM again by accident."""

from datetime import UTC, datetime

import pytest

from connector.domain import cursor
from connector.domain.cursor import Cursor
from connector.ports import Position

NOON = datetime(2026, 11, 16, 12, tzinfo=UTC)
STORED = {
    1: [
        ('{"format": 1, "since": null, "at": null, "signpost": null}', Cursor()),
        ('{"format": 1, "since": "2026-11-16T12:00:00+00:00", "at": null, "signpost": null}', Cursor(since=NOON)),
        (
            '{"format": 1, "since": null, "at": ["2026-11-16T12:00:00.000+0000", "0018M000003uKqqQAE"],'
            ' "signpost": "2026-11-16T12:00:00+00:00"}',
            Cursor(at=Position("2026-11-16T12:00:00.000+0000", "0018M000003uKqqQAE"), signpost=NOON),
        ),
        ('{"format": 1, "since": null, "at": null, "signpost": null, "lost": 7}', Cursor(lost=7)),
    ],
}
"""Every format there has been, with what a version of its time stored. A new one is added; none is ever taken away."""


def test_f59_every_format_there_has_been_stands_here() -> None:
    assert sorted(STORED) == list(range(1, cursor.FORMAT + 1))


@pytest.mark.parametrize(("text", "meant"), [one for stored in STORED.values() for one in stored])
def test_f59_a_position_of_any_version_is_read_as_it_was_meant(text: str, meant: Cursor) -> None:
    assert cursor.load(text) == meant
    assert cursor.load(cursor.dump(meant)) == meant
