"""Since when each survey and follow-up rule is live on each connection: when a live lap first saw it, on the CRM's clock."""

from collections.abc import Mapping, Sequence

from connector.errors import CrmError
from connector.settings import Settings
from connector.stages.context import Context
from connector.store.results import follow_up_facts
from connector.store.surveys import decisions


def run(context: Context) -> Mapping[str, CrmError]:
    """Note what goes live in this lap. Nothing that ended before is asked about, by whatever door it comes in.

    Returns, by connection, why its CRM's clock could not be read: there it goes live another time, and elsewhere all the same.
    """
    failures: dict[str, CrmError] = {}
    subjects = live_subjects(context.settings)
    with context.store.read() as tx:
        known = {subject: set(follow_up_facts.live_since(tx, subject)) for subject in subjects}
    for name in context.live:
        fresh = [subject for subject in subjects if name not in known[subject]]
        if not fresh:
            continue
        try:
            moment = context.connected[name].reader.org().server_time
        except CrmError as error:
            failures[name] = error
            continue
        with context.write() as tx:
            for subject in fresh:
                decisions.go_live(tx, subject, name, moment)
    return failures


def live_subjects(settings: Settings) -> Sequence[str]:
    """Return everything that goes live once for each connection."""
    return [*(f"survey:{name}" for name in settings.surveys), *(f"follow_up:{name}" for name in settings.follow_up)]
