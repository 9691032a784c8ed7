"""The commands `bounces list` and `bounces lift`: marks on addresses, and taking them off."""

from datetime import datetime
from pathlib import Path

from connector.cli.installation import opened
from connector.cli.output.results import many
from connector.cli.output.terminal import one_line, out, print_json
from connector.domain.durations import parse_moment
from connector.errors import Problem, SettingsError
from connector.stages.installation import Installation
from connector.stages.invite.plan import oldest_end
from connector.store import Transaction
from connector.store.surveys import bounces, inbox, mail_trouble
from connector.store.surveys.bounces import Bounce


def list_marks(config: Path, *, as_json: bool) -> None:
    """List the addresses to which nothing is sent."""
    with opened(config) as installation, installation.store.read() as tx:
        marks = bounces.marked(tx)
        if as_json:
            print_json({"bounces": [_as_json(mark) for mark in marks]})
            return
        mark = None
        for mark in marks:
            out.print(one_line(_sentence(mark)), markup=False)
        if mark is None:
            out.print("No address is marked.")


def lift_marks(config: Path, address: str | None, since: str | None) -> None:
    """Take the mark off one address, or all marks made since a time. `SettingsError`: neither was given, both, or none is there."""
    if (address is None) == (since is None):
        raise SettingsError([Problem("bounces lift", "wants an address or --since.", "Write one of the two.")])
    with opened(config) as installation:
        now = installation.clock.now()
        ended_since = oldest_end(installation.settings.surveys.values(), now)
        since_when = None if since is None else _moment(since, installation)

        def lift(tx: Transaction) -> int:
            if since_when is None:
                return bounces.lift_address(tx, address or "", now, ended_since=ended_since)
            lifted = bounces.lift_since(tx, since_when, now, ended_since=ended_since)
            inbox.drop_reports(tx, since_when, now)
            mail_trouble.go_on(tx, now)
            return lifted

        lifted = installation.store.change(lift)
    if not lifted and address is not None:
        what = f"the address {address} is not marked."
        raise SettingsError([Problem("bounces lift", what, "`afterword bounces list` shows those that are.")])
    out.print(f"{many(lifted, 'mark')} taken off.", markup=False)


def _moment(text: str, installation: Installation) -> datetime:
    try:
        return parse_moment(text, installation.clock.now(), installation.settings.company.timezone)
    except ValueError as error:
        remedy = "Write it like 24h, 2026-11-12 or 2026-11-12T14:00."
        raise SettingsError([Problem("--since", f"{text!r} is {error}.", remedy)]) from None


def _as_json(mark: Bounce) -> dict[str, object]:
    return {
        "addresses": list(mark.addresses),
        "contacts": list(mark.contacts),
        "crms": list(mark.crms),
        "since": mark.since.isoformat(),
        "reason": mark.reason,
    }


def _sentence(mark: Bounce) -> str:
    who = ", ".join(mark.addresses) or "an address that nobody has any more"
    names = f" ({', '.join(mark.contacts)})" if mark.contacts else ""
    return f"{who}{names}, since {mark.since:%Y-%m-%d %H:%M} UTC: {mark.reason}"
