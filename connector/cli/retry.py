"""The command `retry`: tries what a CRM refused again."""

from collections.abc import Sequence

from rich.console import Console

from connector.cli.output.results import many
from connector.cli.output.terminal import flat, one_line, print_json
from connector.commands import retry
from connector.commands.retry import Retried
from connector.stages.connection.connect import Endpoint
from connector.stages.installation import Installation


def run(console: Console, installation: Installation, endpoint: Endpoint, keys: Sequence[str], *, as_json: bool) -> int:
    """Try it, tell what became of it, and return the exit code."""
    retried = retry.retry(installation, endpoint, keys)
    if as_json:
        print_json(retried.as_json())
    else:
        _print(console, retried)
    return retried.exit_code


def _print(console: Console, retried: Retried) -> None:
    if not retried.tried:
        console.print(f"Nothing that {retried.crm} refused is waiting.", markup=False)
        return
    if not retried.live:
        waiting = f"{many(retried.tried, 'record')} will be tried again by the next lap of {retried.crm} that is live"
        console.print(f"{waiting}; at present {retried.why_not}.", markup=False)
        return
    for error in retried.failures:
        console.print(one_line(f"{retried.crm}: {error}"), markup=False)
    for refusal in flat(retried.refused):
        console.print(f"refused again: {refusal['record']}: {refusal['what']}\n    {refusal['remedy']}", markup=False)
    written = retried.tried - len(retried.refused)
    console.print(
        f"Tried {many(retried.tried, 'record')} again: {written} done, {len(retried.refused)} refused.", markup=False
    )
