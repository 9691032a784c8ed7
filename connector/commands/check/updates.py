"""What `check` says of updates that nobody made: a survey's delay counts from a record's last update, and a job that touches every
record at night moves it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta, tzinfo
from typing import Final, TypeVar

from connector.errors import Problem
from connector.stages.installation import Installation
from connector.store.crm import own_users, updates
from connector.store.crm.updates import LastUpdate
from connector.store.ops import call_counts

_T = TypeVar("_T")

NEWEST: Final = 2000
"""So many records of each kind are looked at, those that ended last."""
ENOUGH: Final = 30
"""Of fewer nothing can be said."""
LATER: Final = timedelta(hours=1)
"""An update so soon after the end belongs to it."""


def mass_updates(app: Installation) -> Iterator[Problem]:
    """Yield the kinds of which over half were last updated by one user, or within one hour of the day, after they had ended.

    Updates by our own user are nobody's: they move no survey.
    """
    if not call_counts.is_ready(app.store):
        return
    zone = app.settings.schedule.timezone
    for endpoint in app.endpoints:
        with app.store.read() as tx:
            kinds = updates.newest(tx, endpoint.name, NEWEST)
            ours = own_users.known(tx, endpoint.name)
            for kind, last_updates in kinds.items():
                if len(last_updates) < ENOUGH:
                    continue
                after_the_end = [update for update in last_updates if update.updated_at - update.ended_at >= LATER]
                later = [update for update in after_the_end if update.updated_by not in ours]
                at, by = _one_hour(later, len(last_updates), zone), _one_user(later, len(last_updates))
                if at is not None:
                    yield _at_one_hour(endpoint.mapping_name, kind, *at)
                elif by is not None:
                    user, share = by
                    name = updates.name_of(tx, endpoint.name, user) or user
                    yield _by_one_user(endpoint.mapping_name, kind, share, name)


def _one_user(later: Sequence[LastUpdate], of: int) -> tuple[str, str] | None:
    return _most(Counter(update.updated_by for update in later if update.updated_by is not None), of)


def _one_hour(later: Sequence[LastUpdate], of: int, zone: tzinfo) -> tuple[int, str] | None:
    return _most(Counter(update.updated_at.astimezone(zone).hour for update in later), of)


def _most(counts: Counter[_T], of: int) -> tuple[_T, str] | None:
    """Return what stands behind more than half, and how many that are in words."""
    if not counts:
        return None
    leading, count = counts.most_common(1)[0]
    return (leading, f"{count} of {of}") if count * 2 > of else None


def _by_one_user(mapping: str, kind: str, share: str, user: str) -> Problem:
    return Problem(
        f"{mapping}: interaction.{kind}.updated",
        f"{share} were last updated by one user, {user}, after they had ended: if that is a job, each survey waits for it.",
        "Leave `updated` out for this kind, or name a field that only people change. If it is a person, all is well.",
        severity="warning",
    )


def _at_one_hour(mapping: str, kind: str, hour: int, share: str) -> Problem:
    span = f"{hour:02}:00 and {(hour + 1) % 24:02}:00"
    return Problem(
        f"{mapping}: interaction.{kind}.updated",
        f"{share} were last updated between {span}, after they had ended: a job does that, and each survey waits for it.",
        "Leave `updated` out for this kind, or name a field that only people change.",
        severity="warning",
    )
