"""The command `plan`: what the next lap would do, or what the rules would have done."""

from datetime import timedelta
from pathlib import Path

from connector.cli import installation as installations
from connector.cli.output import plan as output_plan
from connector.cli.output import results
from connector.cli.output.terminal import err, out, print_json
from connector.commands import plan as commands_plan
from connector.domain.durations import parse_duration
from connector.errors import Problem, SettingsError


def plan(config: Path, since: str | None, *, as_json: bool) -> int:
    """Show what the next lap would send and write, or would have since a time; returns the exit code."""
    installation = installations.build(config, quiet=as_json)
    with installations.closing(installation):
        if since is not None:
            seen = commands_plan.look_back(installation, _span(since))
            print_json(seen.as_json()) if as_json else results.hindsight(out, seen)
            return seen.exit_code
        planned = commands_plan.next_lap(installation)
        print_json(planned.as_json()) if as_json else output_plan.plan(out, planned, installation)
    results.lap_failures(err, planned.report)
    return planned.report.exit_code


def _span(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise SettingsError([Problem("--since", f"{text!r} is {error}.", "Write it like 90d.")]) from None
