"""What `check` says of updates that nobody made: a survey's delay counts from a record's last update, and a job that touches every
record at night moves it."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from connector.errors import Problem
from connector.stages.lap import Installation
from connector.store import budgets, updates

NEWEST: Final = 2000
"""So many records of each kind are looked at, those that ended last."""
ENOUGH: Final = 30
"""Of fewer nothing can be said."""
LATER: Final = timedelta(hours=1)
"""An update so soon after the end belongs to it."""


def mass_updates(app: Installation) -> Iterator[Problem]:
    """Yield the kinds of which over half were last updated within one hour of the day, after they had ended."""
    if not budgets.is_ready(app.store):
        return
    zone = app.settings.schedule.timezone
    for endpoint in app.endpoints:
        with app.store.read() as tx:
            kinds = updates.newest(tx, endpoint.name, NEWEST)
        for kind, times in kinds.items():
            hours = Counter(at.astimezone(zone).hour for ended, at in times if at - ended >= LATER)
            if len(times) < ENOUGH or not hours:
                continue
            hour, count = hours.most_common(1)[0]
            if count * 2 > len(times):
                yield _problem(endpoint.mapping_name, kind, f"{count} of {len(times)}", hour)


def _problem(mapping: str, kind: str, share: str, hour: int) -> Problem:
    span = f"{hour:02}:00 and {(hour + 1) % 24:02}:00"
    return Problem(
        f"{mapping}: interaction.{kind}.updated",
        f"{share} were last updated between {span}, after they had ended: a job does that, and each survey waits for it.",
        "Leave `updated` out for this kind, or name a field that only people change.",
        severity="warning",
    )
