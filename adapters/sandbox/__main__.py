"""`python -m adapters.sandbox serve`: a pretend CRM as a process of its own, until it is told to stop."""

import json
import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.hubspot import HubSpot
from adapters.sandbox.hubspot.portal.seed import seed as fill_hubspot
from adapters.sandbox.pages import HubSpotPages, SalesforcePages
from adapters.sandbox.salesforce import Salesforce
from adapters.sandbox.salesforce.org.seed import seed as fill_salesforce
from adapters.sandbox.server import RunningServer, running

cli = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)


@cli.callback()
def sandbox() -> None:
    """Pretend CRMs."""


@cli.command()
def serve(
    *,
    crm: Annotated[str, typer.Option(help="Which CRM to pretend to be: salesforce or hubspot.")] = "salesforce",
    port: Annotated[int, typer.Option(help="The port on localhost; 0 takes a free one.")] = 0,
    start: Annotated[
        datetime | None, typer.Option(help="Stand still at this time (UTC) instead of following the real one.")
    ] = None,
    accounts: Annotated[
        int, typer.Option(min=0, help="Begin with so many invented companies and two years of history; 0 begins empty.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="Which companies they are: the same for the same number.")] = 1,
    cert_dir: Annotated[Path | None, typer.Option(help="Where to write ca.pem.")] = None,
    ready_file: Annotated[Path | None, typer.Option(help="Write the address and credentials here too.")] = None,
) -> None:
    """Serves until SIGTERM or SIGINT; prints its address and credentials as JSON when it is ready."""
    clock = SandboxClock(start.replace(tzinfo=UTC) if start else None)
    org = _filled_sandbox(crm, clock, accounts=accounts, seed=seed)
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    with running(org, port=port, cert_dir=cert_dir) as server:
        if isinstance(org, HubSpot):
            org.configure(ui_domain=server.url.removeprefix("https://"))
        _announce(_credentials(org, server), ready_file)
        stop.wait()


def _filled_sandbox(crm: str, clock: SandboxClock, *, accounts: int, seed: int) -> Salesforce | HubSpot:
    if crm == "hubspot":
        portal = HubSpot(clock)
        if accounts:
            fill_hubspot(portal, seed=seed, accounts=accounts, now=clock.now())
        portal.mount_pages(HubSpotPages(portal))
        return portal
    if crm != "salesforce":
        raise typer.BadParameter(f"no sandbox for {crm}; there are: salesforce, hubspot")
    org = Salesforce(clock)
    if accounts:
        fill_salesforce(org, seed=seed, accounts=accounts, now=clock.now())
    org.mount_pages(SalesforcePages(org))
    return org


def _credentials(org: Salesforce | HubSpot, server: RunningServer) -> str:
    credentials = {
        "url": server.url,
        "ca_bundle": str(server.ca_bundle),
        "client_id": org.client.client_id,
        "client_secret": org.client.client_secret,
        "access_token": org.access_token,
    }
    if isinstance(org, Salesforce):
        credentials["admin_token"] = org.admin_token
    else:
        credentials["refresh_token"] = org.oauth.offer_refresh_token(org.client)
    return json.dumps(credentials)


def _announce(text: str, ready_file: Path | None) -> None:
    if ready_file:
        unfinished = ready_file.with_suffix(".part")
        unfinished.write_text(text, encoding="utf-8")
        unfinished.rename(ready_file)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    cli()
