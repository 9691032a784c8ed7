"""The command `undo`: from when on, and how it is told."""

import sys
from datetime import datetime
from pathlib import Path

from connector.cli import installation as installations
from connector.cli.output import undo
from connector.cli.output.terminal import out
from connector.commands import undo as commands_undo
from connector.domain.durations import parse_moment
from connector.errors import Problem, SettingsError
from connector.model import Field
from connector.stages.installation import Installation


def run(
    config: Path,
    crm: str,
    since: str | None,
    *,
    only: str | None,
    carry_out: bool,
    as_json: bool,
) -> int:
    """Say what would be taken back, or take it back, while it is told; returns the exit code."""
    installation = installations.build(config)
    with installations.closing(installation):
        installations.bring_to_this_version(installation)
        (endpoint,) = installations.chosen(installation, crm)
        printed = undo.Json(sys.stdout) if as_json else undo.Printed(out)
        act = commands_undo.carry_out if carry_out else commands_undo.plan
        moment = None if since is None else _moment(since, installation)
        undone = act(installation, endpoint, moment, only=None if only is None else _field(only), show=printed.show)
        printed.end(undone)
    return undone.exit_code


def _field(text: str) -> Field:
    object_name, dot, path = text.strip().partition(".")
    if not (object_name and dot and path):
        raise SettingsError(
            [Problem("--field", f"{text!r} is no field.", "Write the object, a dot, and the API name of the field.")]
        )
    return object_name, path


def _moment(text: str, installation: Installation) -> datetime:
    try:
        return parse_moment(text, installation.clock.now(), installation.settings.company.timezone)
    except ValueError as error:
        remedy = "Write it like 24h, 2026-11-12 or 2026-11-12T14:00."
        raise SettingsError([Problem("--since", f"{text!r} is {error}.", remedy)]) from None
