"""The commands `status`, `pause` and `resume`: where everything stands, and the stop button."""

from collections.abc import Mapping
from pathlib import Path

from connector.cli import installation as installations
from connector.cli.output import results
from connector.cli.output.terminal import out, print_json
from connector.commands import status
from connector.store import Transaction
from connector.store.ops import connections
from connector.store.surveys import mail_trouble


def show(config: Path, *, as_json: bool) -> None:
    """Print where everything stands."""
    installation = installations.build_for_store(config)
    with installations.closing(installation), installations.reading(installation) as readable:
        shown = status.status(readable)
    print_json(shown) if as_json else results.status(out, shown)


def pause(config: Path, crm: str | None, reason: str) -> None:
    """Stop mail and writes, of one connection or of all."""
    with installations.opened(config) as installation:
        installations.check_name(installation, crm)
        now = installation.clock.now()
        installation.store.change(lambda tx: connections.pause(tx, crm, now, reason))
    out.print(f"{crm or 'Everything'} is paused. Nothing is sent or written until `afterword resume`.")


def resume(config: Path, crm: str | None) -> None:
    """Let mail and writes go on, and credentials be tried again that a CRM has refused."""
    with installations.opened(config) as installation:
        installations.check_name(installation, crm)
        now = installation.clock.now()

        def go_on(tx: Transaction) -> Mapping[str, object] | None:
            connections.resume(tx, crm)
            mail_trouble.go_on(tx, now)
            return connections.all_paused(tx) if crm else None

        still = installation.store.change(go_on)
    out.print(f"{crm or 'Everything'} goes on." if still is None else "Everything is still paused: `afterword resume`.")
