"""The command `retry`: tries what a CRM refused again."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from connector.cli import installation as installations
from connector.cli.output.results import many
from connector.cli.output.terminal import flat, one_line, out, print_json
from connector.commands import retry
from connector.commands.retry import Retried


def run(config: Path, crm: str, keys: Sequence[str], *, as_json: bool) -> int:
    """Try it, tell what became of it, and return the exit code."""
    installation = installations.build(config, quiet=as_json)
    with installations.closing(installation):
        installations.bring_to_this_version(installation)
        (endpoint,) = installations.chosen(installation, crm)
        retried = retry.retry(installation, endpoint, keys)
    print_json(retried.as_json()) if as_json else show(out, retried)
    return retried.exit_code


def show(console: Console, retried: Retried) -> None:
    """Print what became of it."""
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
