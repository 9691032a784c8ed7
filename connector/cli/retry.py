"""The command `retry`: tries what a CRM refused again."""

from collections.abc import Sequence

from rich.console import Console

from connector.cli.output.results import many
from connector.cli.output.terminal import flat, one_line, print_json
from connector.commands import retry
from connector.commands.retry import Retried
from connector.stages.connection.connect import Endpoint
from connector.stages.lap import Installation


def run(console: Console, installation: Installation, endpoint: Endpoint, keys: Sequence[str], *, as_json: bool) -> int:
    """Try it, tell what became of it, and return the exit code."""
    retried = retry.retry(installation, endpoint, keys)
    if as_json:
        print_json(retried.as_json())
    else:
        _print(console, retried)
    return retried.exit_code


def _print(console: Console, found: Retried) -> None:
    if not found.tried:
        console.print(f"Nothing that {found.crm} refused is waiting.", markup=False)
        return
    if not found.live:
        waiting = f"{many(found.tried, 'record')} will be tried again by the next lap of {found.crm} that is live"
        console.print(f"{waiting}; at present {found.why_not}.", markup=False)
        return
    for error in found.failures:
        console.print(one_line(f"{found.crm}: {error}"), markup=False)
    for one in flat(found.refused):
        console.print(f"refused again: {one['record']}: {one['what']}\n    {one['remedy']}", markup=False)
    written = found.tried - len(found.refused)
    console.print(
        f"Tried {many(found.tried, 'record')} again: {written} done, {len(found.refused)} refused.", markup=False
    )
