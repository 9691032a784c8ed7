"""The installation's mark: one completed task in the CRM that says which installation works on it, and what follows from it. Pure.

Two installations on one CRM would write to the same customers twice. Each lap reads the mark before it sends or writes; it goes on
only where the mark shows one of the last two runs of its own store. A run id is new with every renewal, so a cloned machine or a
restored copy is told from its original as soon as one of them renews. Until then its place tells: a store that finds itself in another
place than those where it has renewed before sends no mail while the mark is young, for its original may be alive.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

RENEWED_EVERY: Final = timedelta(hours=1)
"""A mark that is older is renewed before anything is sent."""
ABANDONED_AFTER: Final = timedelta(hours=2)
"""A mark that nobody renewed for so long belongs to a store that is gone: a new store of the same installation, or the same store in
another place, goes on."""
PLACES: Final = 20
"""How many places a store remembers to have been in."""
SUBJECT: Final = "Afterword works on this CRM. Please leave this task as it is."
_ABOUT: Final = "Afterword notes here which installation of it works on this CRM, so that no two of them write to the same customers."
_LINE: Final = re.compile(r"\b(installation|run|renewed):\s*([^\s<]+)")


@dataclass(frozen=True, slots=True)
class Mark:
    """What the task says."""

    installation: str
    run: str
    at: datetime
    """When it was renewed, on the clock of the installation that did."""


@dataclass(frozen=True, slots=True)
class OwnRuns:
    """What our store knows of its own renewals on one connection."""

    run: str | None = None
    """The newest run id; it was kept before it was written to the CRM. None: there was no renewal yet."""
    previous: str | None = None
    """The one that the CRM showed before it."""
    at: datetime | None = None
    """When the newest was made."""
    confirmed: bool = False
    """Whether the CRM still showed the newest one after its lag."""
    firm: bool = False
    """Whether the mark was ours, here, before the newest run: then only mail waits until the newest one is confirmed."""
    adopted: bool = False
    """Whether an admin has set the CRM up with it, or it was there before this store: then fields with our built-in names are ours."""
    places: tuple[str, ...] = ()
    """Where the store was at its renewals, the newest last. A clone is in another place."""


class MarkVerdict(StrEnum):
    """What a look at the mark leads to."""

    OURS = "ours"
    MAKE = "make"
    """There is none: it is made."""
    RENEW = "renew"
    WAIT = "wait"
    """It is ours and young, and this store was somewhere else then: mail waits until it is known whether that one is still alive."""
    TAKE_OVER = "take_over"
    """It was left by a store of this installation that is gone."""
    FOREIGN = "foreign"
    """Another store is at work: nothing is sent or written."""


def text_of(mark: Mark) -> str:
    """Return the text of the task."""
    at = mark.at.astimezone(UTC).isoformat(timespec="seconds")
    return f"{_ABOUT}\n\ninstallation: {mark.installation}\nrun: {mark.run}\nrenewed: {at}"


def read_text(text: str) -> Mark | None:
    """Read what `text_of` wrote, also where the CRM has put it into markup. None: somebody has changed it."""
    values: Mapping[str, str] = dict(_LINE.findall(text))
    try:
        at = datetime.fromisoformat(values["renewed"].replace("&#43;", "+"))
        mark = Mark(values["installation"], values["run"], at)
    except (KeyError, ValueError):
        return None
    return mark if at.tzinfo is not None else None


def judge(seen: Mark | None, own: OwnRuns, *, installation: str, place: str, now: datetime) -> MarkVerdict:
    """Return what follows from the mark that the CRM shows (None: there is none)."""
    if seen is None:
        return MarkVerdict.MAKE
    abandoned = now - seen.at > ABANDONED_AFTER
    if seen.run in (own.run, own.previous):
        if place not in own.places:
            return MarkVerdict.RENEW if abandoned else MarkVerdict.WAIT
        return MarkVerdict.RENEW if _is_due(seen, own, now) else MarkVerdict.OURS
    is_new_store = own.run is None and seen.installation == installation
    return MarkVerdict.TAKE_OVER if is_new_store and abandoned else MarkVerdict.FOREIGN


def _is_due(seen: Mark, own: OwnRuns, now: datetime) -> bool:
    """Whether a mark of ours is to be renewed: it is old, or the last renewal did not arrive.

    A mark from the future means that the clock was put back: its age means nothing until then.
    """
    return seen.run != own.run or not timedelta() <= now - seen.at < RENEWED_EVERY


def renewed(
    own: OwnRuns, seen: Mark | None, run: str, *, place: str, now: datetime, firm: bool, adopted: bool = False
) -> OwnRuns:
    """Return the own runs with a new one. What the CRM shows stays good until the new one has arrived there."""
    places = tuple(known for known in own.places if known != place)[-PLACES + 1 :]
    previous = seen.run if seen is not None and seen.run in (own.run, own.previous) else None
    return OwnRuns(
        run,
        previous,
        now,
        confirmed=False,
        firm=firm and place in own.places,
        adopted=own.adopted or adopted,
        places=(*places, place),
    )


def wait_left(own: OwnRuns, lag: timedelta, now: datetime) -> timedelta:
    """Return how long to wait until a look at the mark tells whether the newest run holds; zero once that is known.

    Never longer than the lag: where the clock was put back meanwhile, nobody waits until it has caught up.
    """
    if own.confirmed or own.at is None:
        return timedelta()
    return max(timedelta(), min(lag, own.at + lag - now))


def confirms(seen: Mark, own: OwnRuns, lag: timedelta, now: datetime) -> bool:
    """Whether the mark seen, long enough after the newest run was written, confirms that run."""
    return seen.run == own.run and own.at is not None and not wait_left(own, lag, now)
