"""Where reading stands, as pure rules: what keeps a sync from missing a record.

A *pass* reads an object from `since` on, ordered by (stamp, id). Its place (`at`) is stored with each page, so a pass that was cut
off goes on behind the last stored record, and records that share a stamp are never skipped. When it ends, `since` moves up to the
CRM's clock at the start of the pass (the signpost) less the CRM's lag: whatever was committed late is read again, once it is
visible, and recognised by its content. Without new records the watermark moves too, so a quiet object is not read twice for ever.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from connector.errors import Bug, CursorInvalid, TooNew
from connector.ports import Page, Position

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Cursor:
    """The stored position of one pass over one object."""

    since: datetime | None = None
    """Everything with an older stamp has been read; None: nothing has."""
    at: Position | None = None
    """The last record of the pass that is under way."""
    signpost: datetime | None = None
    """The CRM's clock when the pass that is under way began, or ours where theirs was ahead of it."""
    lost: int = 0
    """How many records that we knew were deleted in the pass that is under way, merged ones apart."""

    @property
    def backfilling(self) -> bool:
        """Whether history is still being read for the first time."""
        return self.since is None


def advance(cursor: Cursor, page: Page) -> Cursor:
    """Return the cursor to store together with the page's records.

    A page must end behind the place where it began, or reading would go round for ever: `CursorInvalid` is raised for one that
    does not. The CRM is to blame for it, so it ends that CRM's reading and nobody else's.
    """
    signpost = cursor.signpost or page.server_time
    if page.last is None:
        return replace(cursor, signpost=signpost)
    if cursor.at is not None and page.last <= cursor.at:
        raise CursorInvalid(
            f"the listing does not get on: a page ended at {page.last.modified}, {page.last.id}, where the last one had ended.",
            remedy="It is read again from there in the next lap; if this stays, tell the CRM's support what this says.",
        )
    return replace(cursor, at=page.last, signpost=signpost)


def finish(cursor: Cursor, lag: timedelta) -> Cursor:
    """Return the cursor after a complete pass: behind the signpost by the CRM's lag, and never going back."""
    if cursor.signpost is None:
        raise Bug("a pass ended without having read a page")
    watermark = cursor.signpost - lag
    if cursor.since is not None:
        watermark = max(watermark, cursor.since)
    return Cursor(since=watermark)


def has_passed(cursor: Cursor, modified: str) -> bool:
    """Whether a change with this stamp must have been read: only then is it drift when we do not have it.

    Of a record that could not be understood there may be no stamp.
    """
    return cursor.since is not None and modified != "" and datetime.fromisoformat(modified) < cursor.since


def dump(cursor: Cursor) -> str:
    """Return the cursor as versioned text for the store."""
    return json.dumps(
        {
            "format": FORMAT,
            "since": cursor.since and cursor.since.isoformat(),
            "at": cursor.at and [cursor.at.modified, cursor.at.id],
            "signpost": cursor.signpost and cursor.signpost.isoformat(),
            "lost": cursor.lost,
        }
    )


def load(text: str) -> Cursor:
    """Read what any version up to this one has dumped. Raises `TooNew` for what a later one has."""
    data = json.loads(text)
    if data["format"] > FORMAT:
        raise TooNew(f"positions of reading in format {data['format']} (known: {FORMAT})")
    return Cursor(
        since=_instant(data["since"]),
        at=Position(*data["at"]) if data["at"] else None,
        signpost=_instant(data["signpost"]),
        lost=data.get("lost", 0),
    )


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
