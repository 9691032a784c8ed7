"""The commands that run laps: `sync`, `run` and `reconcile`."""

from pathlib import Path

from connector.cli import installation as installations
from connector.cli.output import results
from connector.cli.output.terminal import err, out, print_json
from connector.commands import retention
from connector.commands import status as statuses
from connector.stages import lap
from connector.stages.order import ALL, Stage


def sync(config: Path, only: Stage | None, *, as_json: bool) -> int:
    """Run a lap, or one of its stages; returns the exit code."""
    installation = installations.build(config, quiet=as_json)
    with installations.closing(installation):
        installations.bring_to_this_version(installation)
        report = lap.run(installation, stages=ALL if only is None else (only,))
        paused = statuses.paused(installation)
        print_json(report.as_json()) if as_json else results.report(out, report)
        results.lap_failures(err, report)
        if only is None:
            retention.run_if_due(installation, within=retention.SLICE)
    for name, until in report.held.items():
        err.print(
            f"{name}: mail to customers waits until {until:%Y-%m-%d %H:%M} UTC, to be certain that no other installation sends it.",
            markup=False,
        )
    if paused:
        err.print(f"Paused, so nothing was sent or written: {', '.join(paused)}. See `afterword resume`.", markup=False)
    return report.exit_code


def reconcile(config: Path, crm: str | None, *, accept_loss: bool, as_json: bool) -> int:
    """Compare everything with the CRMs; returns the exit code."""
    from connector.commands import reconcile as comparisons  # noqa: PLC0415 - `sync` compares nothing

    installation = installations.build(config, quiet=as_json)
    with installations.closing(installation):
        installations.bring_to_this_version(installation)
        installations.check_name(installation, crm)
        comparison = comparisons.run(installation, since=installation.clock.now(), crm=crm, accept_loss=accept_loss)
    print_json(comparison.as_json()) if as_json else results.compared(out, comparison)
    results.lap_failures(err, comparison.lap)
    return comparison.lap.exit_code


def serve(config: Path) -> None:
    """Run laps on a schedule, and the web application, until told to end."""
    from connector.app import service  # noqa: PLC0415 - no other command waits for a web server
    from connector.web.server.socket import listening  # noqa: PLC0415

    installation = installations.build(config, quiet=True)
    web = installation.settings.web
    with (
        installations.closing(installation),
        listening(web.listen, installation.settings.path.name) as server,
    ):
        installations.bring_to_this_version(installation)
        service.serve(installation, server)
