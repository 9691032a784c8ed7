"""`status`: where everything stands, from the store alone."""

from connector.commands import retention
from connector.model.documents import JsonDict
from connector.runtime.call_budget import limit
from connector.settings.time_zones import day_begins
from connector.stages.installation import Installation
from connector.store import Transaction
from connector.store.ops import connections
from connector.store.views import overview


def status(installation: Installation) -> JsonDict:
    """Return cursors, queues, what was set aside with its remedy, calls, and the last laps, as JSON values."""
    with installation.store.read() as tx:
        crms = {name: _crm(installation, tx, name) for name in installation.settings.crm}
        return {
            "paused": overview.paused(tx),
            "crm": crms,
            "queues": overview.queues(
                tx,
                installation.clock.now(),
                crms=tuple(installation.settings.crm),
                surveys=tuple(installation.settings.surveys),
            ),
            "follow_ups": overview.follow_ups(tx, installation.clock.now()),
            "owed_follow_ups": overview.owed(tx, installation.clock.now()),
            "unassigned": overview.unassigned(tx),
            "mail_error": overview.mail_error(tx),
            "bounces_to": _bounces_to(installation),
            "bounce_reports": overview.unmatched_reports(tx),
            "untold": overview.untold(tx, installation.clock.now()),
            "in_doubt": overview.in_doubt(tx),
            "bounced": overview.bounced(tx),
            "refused": overview.refused(tx),
            "laps": overview.laps(tx, limit=5),
            "kept": retention.status(tx),
        }


def _crm(installation: Installation, tx: Transaction, name: str) -> JsonDict:
    now = installation.clock.now()
    shown = overview.crm(tx, name, now, today=day_begins(now, installation.settings))
    shown["mode"] = "live" if installation.settings.connection(name).is_live else "observe"
    allowed = shown["calls"]["org_allowed"]
    share = installation.settings.connection(name).daily_call_share
    shown["calls"]["budget"] = None if allowed is None else limit(share, allowed)
    return shown


def _bounces_to(installation: Installation) -> str | None:
    """Return the address to which a mail provider can report bounces; None while there is no secret to sign it with."""
    if installation.tokens is None:
        return None
    return f"{installation.settings.web.public_url}/bounces/{installation.tokens.bounces()}"


def paused(installation: Installation) -> dict[str, str]:
    """Return the connections that are paused, with the reasons; all of them when everything is."""
    with installation.store.read() as tx:
        everything = overview.paused(tx)
        states = {name: connections.peek(tx, name) for name in installation.settings.crm}
    if everything is not None:
        return dict.fromkeys(states, str(everything["reason"]))
    return {
        name: state.pause_reason or ""
        for name, state in states.items()
        if state is not None and state.paused_at is not None
    }
