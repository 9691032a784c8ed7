"""The commands. The only place where an error becomes a message and an exit code."""

import gc
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from connector.app.adapter_packages import installed_adapters
from connector.cli import bounces, demo, opt_outs, setup, stores
from connector.cli import retry as cli_retry
from connector.cli import undo as cli_undo
from connector.cli.guard import EXIT_PROBLEMS, err, guarded, leave
from connector.cli.installation import bring_to_this_version as _migrated
from connector.cli.installation import build as _build
from connector.cli.installation import closing as _closing
from connector.cli.installation import reading as _reading
from connector.cli.output import check as output_check
from connector.cli.output import plan as output_plan
from connector.cli.output import results as output_results
from connector.cli.output.terminal import Terminal, one_line, outlive_readers, print_json
from connector.commands import export, retention
from connector.commands import init as commands_init
from connector.commands import plan as commands_plan
from connector.commands import reconcile as commands_reconcile
from connector.commands import status as statuses
from connector.commands import why as survey_log
from connector.commands.check import checks
from connector.commands.score_file import read_ratings
from connector.domain.durations import parse_duration
from connector.errors import Problem, SettingsError
from connector.exports.tables import TableName
from connector.runtime.clock import SystemClock
from connector.scoring.all_accounts import ScoreSettings, book_json, score_book
from connector.stages import lap
from connector.stages.connection.connect import Endpoint
from connector.stages.installation import Installation
from connector.stages.order import Stage
from connector.store import Transaction
from connector.store.ops import connections
from connector.store.surveys import mail_trouble

app = typer.Typer(
    name="afterword",
    help="Asks customers how it went, and puts one honest satisfaction score on the CRM record.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.add_typer(bounces.app, name="bounces")
app.add_typer(opt_outs.app, name="opt-outs")
app.command("backup")(stores.backup)
app.command("restore")(stores.restore)
app.command("migrate")(stores.migrate)
out = Terminal()

Config = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON alone.")]
CrmName = Annotated[str | None, typer.Option("--crm", help="The connection's name; without it, all of them.")]
DEFAULT_CONFIG = Path("config.toml")


def main() -> None:
    """Run the command line."""
    outlive_readers()
    # The modules stay for ever, and pages of records are trees without cycles: to look for cycles in both again and again would
    # take a quarter of a lap.
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    app()


# ── beginning ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _tell_version(asked: bool) -> None:
    if asked:
        out.print(f"afterword {version('afterword')}")
        raise typer.Exit


@app.callback()
def _everywhere(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Tell the version, and end.")
    ] = False,
) -> None:
    """Take what stands before the command."""


@app.command()
@guarded
def init(
    directory: Annotated[Path, typer.Argument(help="Where to write.")] = Path(),
    crm: Annotated[
        str,
        typer.Option("--crm", help="The CRM: salesforce, hubspot, or the name of another adapter that is installed."),
    ] = "salesforce",
) -> None:
    """Write a config.toml that only observes, and the mapping to edit."""
    adapters = installed_adapters()
    if crm not in adapters:
        raise SettingsError([Problem("--crm", f"{crm!r} is not known.", f"Write {' or '.join(adapters)}.")])
    for path in commands_init.write_project(directory, crm, adapters[crm]):
        out.print(one_line(f"wrote {path}"), markup=False)
    config = one_line(str(directory / "config.toml"))
    out.print(f"\nNext: put the CRM's address and its credentials into {config}, then `afterword check`.", markup=False)


@app.command()
@guarded
def check(config: Config = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Look for everything that is wrong: config, credentials, rights, each mapped field, mail."""
    try:
        installation = _build(config)
        with _closing(installation):
            findings = checks.check(installation)
    except SettingsError as error:
        findings = checks.Findings(list(error.problems))
    print_json(output_check.as_json(findings)) if as_json else output_check.findings(out, findings)
    if any(problem.severity == "error" for problem in findings.problems):
        leave(EXIT_PROBLEMS)


@app.command("setup-crm")
@guarded
def setup_crm(
    *,
    config: Config = DEFAULT_CONFIG,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Take away what an earlier run made, and nothing else.")] = False,
    admin_token_file: Annotated[
        Path | None, typer.Option(help="A file with an admin's access token, used once.")
    ] = None,
    crm: CrmName = None,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="This installation replaces the one that has worked on the CRM so far.")
    ] = False,
    with_values: Annotated[
        bool, typer.Option("--with-values", help="Undo: take fields away though records have values in them.")
    ] = False,
) -> None:
    """Create the CRM fields, rights and layout places that the mapping names."""
    installation = _build(config)
    code = 0
    with _closing(installation):
        _migrated(installation)
        endpoints = _endpoints(installation, crm)
        token = setup.token_in(admin_token_file, endpoints) if admin_token_file is not None else None
        for endpoint in endpoints:
            with setup.setter(installation, endpoint, token) as adapter:
                set_up = setup.SetUp(out, installation, endpoint, adapter, dry_run=dry_run, take_over=take_over)
                code = max(code, set_up.undo(with_values=with_values) if undo else set_up.run())
    if code == 1 and admin_token_file is None:
        err.print("If Afterword's user may not do this, pass an administrator's token once: --admin-token-file FILE.")
    if code:
        leave(code)


# ── the lap ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@app.command()
@guarded
def plan(
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
    since: Annotated[str | None, typer.Option(help="What the rules would have done in the last, e.g., 90d.")] = None,
) -> None:
    """Show what the next sync would send and write. Sends and writes nothing anywhere."""
    installation = _build(config, quiet=as_json)
    with _closing(installation):
        if since is not None:
            seen = commands_plan.look_back(installation, _span(since))
            print_json(seen.as_json()) if as_json else output_results.hindsight(out, seen)
            leave(seen.exit_code)
            return
        planned = commands_plan.next_lap(installation)
        print_json(planned.as_json()) if as_json else output_plan.plan(out, planned, installation)
    _report_failures(planned.report)
    leave(planned.report.exit_code)


@app.command()
@guarded
def sync(
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
    only: Annotated[Stage | None, typer.Option(help="One stage alone.")] = None,
) -> None:
    """Run one lap."""
    installation = _build(config, quiet=as_json)
    with _closing(installation):
        _migrated(installation)
        report = lap.run(installation, stages=lap.ALL if only is None else (only,))
        paused = statuses.paused(installation)
        print_json(report.as_json()) if as_json else output_results.report(out, report)
        _report_failures(report)
        if only is None:
            retention.run_if_due(installation, within=retention.SLICE)
    for name, until in report.held.items():
        err.print(
            f"{name}: mail to customers waits until {until:%Y-%m-%d %H:%M} UTC, to be certain that no other installation sends it.",
            markup=False,
        )
    if paused:
        err.print(f"Paused, so nothing was sent or written: {', '.join(paused)}. See `afterword resume`.", markup=False)
    leave(report.exit_code)


@app.command()
@guarded
def reconcile(
    config: Config = DEFAULT_CONFIG,
    crm: CrmName = None,
    as_json: AsJson = False,
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="Take what is missing as deleted, however much it is.")
    ] = False,
) -> None:
    """Compare everything with the CRM, and put right what differs. `run` does this every night."""
    installation = _build(config, quiet=as_json)
    with _closing(installation):
        _migrated(installation)
        _endpoints(installation, crm)
        comparison = commands_reconcile.run(
            installation, since=installation.clock.now(), crm=crm, accept_loss=accept_loss
        )
    print_json(comparison.as_json()) if as_json else output_results.compared(out, comparison)
    _report_failures(comparison.lap)
    leave(comparison.lap.exit_code)


@app.command()
@guarded
def run(config: Config = DEFAULT_CONFIG) -> None:
    """Run laps on a schedule, and the web application."""
    from connector.app import service  # noqa: PLC0415 - a web server is nothing that other commands should wait for
    from connector.web.server.socket import listening  # noqa: PLC0415

    installation = _build(config, quiet=True)
    with _closing(installation), listening(installation.settings.web.listen, installation.settings.path.name) as server:
        _migrated(installation)
        service.serve(installation, server)


@app.command()
@guarded
def pause(
    config: Config = DEFAULT_CONFIG,
    crm: CrmName = None,
    reason: Annotated[str, typer.Option(help="Shown in status.")] = "paused by hand",
) -> None:
    """The stop button: no mail and no writes until resumed. Reading goes on."""
    installation = _build(config)
    with _closing(installation):
        _migrated(installation)
        _endpoints(installation, crm)
        now = installation.clock.now()
        installation.store.change(lambda tx: connections.pause(tx, crm, now, reason))
    out.print(f"{crm or 'Everything'} is paused. Nothing is sent or written until `afterword resume`.")


@app.command()
@guarded
def resume(config: Config = DEFAULT_CONFIG, crm: CrmName = None) -> None:
    """Let mail and writes go on, and try credentials that a CRM has refused again."""
    installation = _build(config)
    with _closing(installation):
        _migrated(installation)
        _endpoints(installation, crm)
        now = installation.clock.now()

        def go_on(tx: Transaction) -> Mapping[str, object] | None:
            connections.resume(tx, crm)
            mail_trouble.go_on(tx, now)
            return connections.all_paused(tx) if crm else None

        still = installation.store.change(go_on)
    out.print(f"{crm or 'Everything'} goes on." if still is None else "Everything is still paused: `afterword resume`.")


@app.command()
@guarded
def undo(
    crm: Annotated[str, typer.Argument(help="The connection's name.")],
    *,
    config: Config = DEFAULT_CONFIG,
    since: Annotated[
        str | None,
        typer.Option(help="Everything since then: 24h, 2026-11-12 or 2026-11-12T14:00, in the company's time zone."),
    ] = None,
    field: Annotated[
        str | None,
        typer.Option(help="What stands in one field (OBJECT.FIELD) to which nothing is written any more."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it, and pause the connection.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take back the last write-back of a CRM, or everything since a time, where nobody has changed it since.

    Without --yes it only says what it would do.
    """
    installation = _build(config)
    with _closing(installation):
        _migrated(installation)
        (endpoint,) = _endpoints(installation, crm)
        code = cli_undo.run(out, installation, endpoint, since, only=field, carry_out=yes, as_json=as_json)
    if code:
        leave(code)


@app.command()
@guarded
def retry(
    crm: Annotated[str, typer.Argument(help="The connection's name.")],
    keys: Annotated[
        list[str] | None, typer.Argument(help="What was set aside, as status names it; all without.")
    ] = None,
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Try records again now that a CRM has refused."""
    installation = _build(config, quiet=as_json)
    with _closing(installation):
        _migrated(installation)
        (endpoint,) = _endpoints(installation, crm)
        code = cli_retry.run(out, installation, endpoint, keys or (), as_json=as_json)
    if code:
        leave(code)


# ── looking ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@app.command()
@guarded
def status(config: Config = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Show cursors, queues, what was set aside with its remedy, calls, and the last laps."""
    installation = _build(config)
    with _closing(installation), _reading(installation) as readable:
        shown = statuses.status(readable)
    print_json(shown) if as_json else output_results.status(out, shown)


@app.command()
@guarded
def why(
    record: Annotated[str, typer.Argument(help="An id, or what people call it: case 00001259, an e-mail address.")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Say who was asked about a record or not, which rule decided, and until when."""
    installation = _build(config)
    with _closing(installation), _reading(installation) as readable:
        observing = [endpoint.name for endpoint in installation.endpoints if not endpoint.mode_live]
        normalisers = [endpoint.normalise_id for endpoint in installation.endpoints]
        sentences = survey_log.explain(
            readable.store,
            record,
            tz=installation.settings.company.timezone,
            observing=observing,
            normalisers=normalisers,
            surveys=installation.settings.events,
        )
        for sentence in sentences:
            out.print(one_line(sentence), markup=False)


@app.command("score")
@guarded
def score_file(
    file: Annotated[Path, typer.Argument(help="CSV: account, contact, metric, value, low, high, direction, at.")],
    as_json: AsJson = False,
    as_of: Annotated[datetime | None, typer.Option(help="The moment the scores hold for; now when left out.")] = None,
) -> None:
    """Score a file of ratings. Keeps nothing."""
    ratings = read_ratings(file)
    for problem in ratings.problems:
        err.print(one_line(str(problem)), markup=False)
    moment = SystemClock().now() if as_of is None else as_of.replace(tzinfo=as_of.tzinfo or UTC)
    results = score_book(ratings.answers, moment, ScoreSettings(), accounts=ratings.accounts)
    book = book_json(results, moment)
    print_json(book) if as_json else output_results.scores(out, book)
    if ratings.problems:
        leave(1)


@app.command("export")
@guarded
def export_table(
    table: Annotated[TableName, typer.Argument(help="What to write.")],
    file: Annotated[Path, typer.Argument(help="Where to: OUT.csv or OUT.xlsx.")],
    config: Config = DEFAULT_CONFIG,
    period: Annotated[str | None, typer.Option(help="Of this time alone: 2026-10, 2026-Q4, 2026-W45 or 2026.")] = None,
) -> None:
    """Write accounts, responses or follow-ups to a file, as it ends: .csv or .xlsx."""
    installation = _build(config)
    with _closing(installation):
        _migrated(installation)
        rows = export.export(installation, table, file, period)
    out.print(one_line(f"wrote {rows} rows to {file}"), markup=False)


@app.command("demo")
@guarded
def show_demo(
    once: Annotated[
        bool, typer.Option("--once", help="Run until all is settled, print what changed, and end.")
    ] = False,
    directory: Annotated[Path, typer.Option(help="Where the demo's project is written, without --once.")] = Path(
        "demo"
    ),
    seed: Annotated[int, typer.Option(help="Another number tells another story.")] = 2,
) -> None:
    """Show the whole product on this machine: a pretend Salesforce and HubSpot, mail, and customers who answer."""
    code = demo.run(out, directory, once=once, seed=seed)
    if code:
        leave(code)


# ── helpers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _endpoints(installation: Installation, crm: str | None) -> list[Endpoint]:
    chosen = [endpoint for endpoint in installation.endpoints if crm in (None, endpoint.name)]
    if not chosen:
        names = ", ".join(endpoint.name for endpoint in installation.endpoints)
        raise SettingsError([Problem("--crm", f"there is no connection {crm!r}.", f"Write one of: {names}.")])
    return chosen


def _span(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise SettingsError([Problem("--since", f"{text!r} is {error}.", "Write it like 90d.")]) from None


def _report_failures(report: lap.Report) -> None:
    for news in report.news.values():
        output_results.problems(err, news)
    for name, errors in report.failures.items():
        for error in errors:
            output_results.failure(err, name, error)
    if report.mail_error is not None:
        output_results.failure(err, "mail", report.mail_error)
    for name in report.busy:
        err.print(f"{name}: another process is at it; this one left it alone.", markup=False)


if __name__ == "__main__":
    main()
