"""`status`: where everything stands, from the store alone."""

from typing import Any

from connector import retention
from connector.budget import limit
from connector.stages.connect import Endpoint
from connector.stages.lap import Installation
from connector.store import Transaction, overview
from connector.zones import day_begins


def status(house: Installation) -> dict[str, Any]:
    """Return cursors, queues, what was set aside with its remedy, calls, and the last laps, as JSON values."""
    with house.store.read() as connection:
        crms = {one.name: _crm(house, connection, one) for one in house.endpoints}
        return {
            "paused": overview.paused(connection),
            "crm": crms,
            "queues": overview.queues(
                connection, house.clock.now(), crms=tuple(house.settings.crm), surveys=tuple(house.settings.surveys)
            ),
            "follow_ups": overview.follow_ups(connection, house.clock.now()),
            "owed_follow_ups": overview.owed(connection, house.clock.now()),
            "unassigned": overview.unassigned(connection),
            "mail_error": overview.mail_error(connection),
            "bounces_to": _bounces_to(house),
            "bounce_reports": overview.unmatched_reports(connection),
            "untold": overview.untold(connection, house.clock.now()),
            "in_doubt": overview.in_doubt(connection),
            "bounced": overview.bounced(connection),
            "refused": overview.refused(connection),
            "laps": overview.laps(connection, limit=5),
            "kept": retention.status(connection),
        }


def _crm(house: Installation, connection: Transaction, endpoint: Endpoint) -> dict[str, Any]:
    now = house.clock.now()
    found = overview.crm(connection, endpoint.name, now, today=day_begins(now, house.settings))
    found["mode"] = "live" if endpoint.mode_live else "observe"
    allowed = found["calls"]["org_allowed"]
    share = house.settings.connection(endpoint.name).daily_call_share
    found["calls"]["budget"] = None if allowed is None else limit(share, allowed)
    return found


def _bounces_to(house: Installation) -> str | None:
    """Return the address to which a mail provider can report bounces; None while there is no secret to sign it with."""
    if house.tokens is None:
        return None
    return f"{house.settings.web.public_url}/bounces/{house.tokens.bounces()}"


def paused(house: Installation) -> dict[str, str]:
    """Return the connections that are paused, with the reasons; all of them when everything is."""
    with house.store.read() as connection:
        everything = overview.paused(connection)
        now = house.clock.now()
        today = day_begins(now, house.settings)
        crms = {one.name: overview.crm(connection, one.name, now, today=today) for one in house.endpoints}
    if everything is not None:
        return dict.fromkeys(crms, everything["reason"])
    return {name: crm["pause_reason"] or "" for name, crm in crms.items() if crm["paused_since"]}
