"""The command `undo`: from when on, and how it is told."""

import sys
from datetime import datetime

from rich.console import Console

from connector import printing_undo, undoing
from connector.durations import parse_moment
from connector.errors import Problem, SettingsError
from connector.stages.connect import Endpoint
from connector.stages.lap import Installation


def run(
    console: Console, house: Installation, endpoint: Endpoint, since: str | None, *, carry_out: bool, as_json: bool
) -> int:
    """Say what would be taken back, or take it back, while it is told; returns the exit code."""
    printed = printing_undo.Json(sys.stdout) if as_json else printing_undo.Printed(console)
    act = undoing.carry_out if carry_out else undoing.plan
    undone = act(house, endpoint, None if since is None else _moment(since, house), show=printed.show)
    printed.end(undone)
    return undone.exit_code


def _moment(text: str, house: Installation) -> datetime:
    try:
        return parse_moment(text, house.clock.now(), house.settings.company.timezone)
    except ValueError as error:
        remedy = "Write it like 24h, 2026-11-12 or 2026-11-12T14:00."
        raise SettingsError([Problem("--since", f"{text!r} is {error}.", remedy)]) from None
