"""The commands: what they are called, what they take, and what `--help` says of them.

Each imports its work when it is called, so that nobody waits for what another command needs: `--help` imports this module and
typer alone. What a command does lies in the module that its body names; `guarded` turns its errors into messages and exit codes.
"""

import gc
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from connector.cli.guard import guarded, leave
from connector.cli.output.streams import outlive_readers
from connector.exports.table_names import TableName
from connector.stages.order import Stage

app = typer.Typer(
    name="afterword",
    help="Asks customers how it went, and puts one honest satisfaction score on the CRM record.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
bounces = typer.Typer(
    help="Marks on addresses to which nothing is sent, because mail does not arrive.", no_args_is_help=True
)
opt_outs = typer.Typer(help="People who want no surveys.", no_args_is_help=True)
app.add_typer(bounces, name="bounces")
app.add_typer(opt_outs, name="opt-outs")

Config = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON alone.")]
CrmName = Annotated[str | None, typer.Option("--crm", help="The connection's name; without it, all of them.")]
Address = Annotated[str, typer.Argument(help="The person's e-mail address.")]
DEFAULT_CONFIG = Path("config.toml")


def main() -> None:
    """Run the command line."""
    outlive_readers()
    # Pages of records are trees without cycles: to look for cycles in them again and again would take a quarter of a lap.
    gc.set_threshold(20_000, 20, 20)
    app()


# ── beginning ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _tell_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"afterword {version('afterword')}")
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
    from connector.cli import project

    project.init(directory, crm)


@app.command()
@guarded
def check(config: Config = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Look for everything that is wrong: config, credentials, rights, each mapped field, mail."""
    from connector.cli import project

    leave(project.check(config, as_json=as_json))


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
    from connector.cli import setup

    asked = setup.SetupRequest(dry_run=dry_run, undo=undo, take_over=take_over, with_values=with_values)
    leave(setup.run(config, crm, asked, admin_token_file=admin_token_file))


@app.command()
@guarded
def backup(
    file: Annotated[Path, typer.Argument(help="A new file; or a folder, and the file's name is the time.")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Put the store, config.toml, mappings and files with secrets into one file, while everything goes on.

    Only you may open it. Guard it like the installation itself.
    """
    from connector.cli import stores

    stores.backup(config, file)


@app.command()
@guarded
def restore(
    file: Annotated[Path, typer.Argument(help="What `backup` wrote.")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Put an installation back from a backup, into a folder and a database where there is none. It only observes at first."""
    from connector.cli import stores

    stores.restore(config, file)


@app.command()
@guarded
def migrate(
    config: Config = DEFAULT_CONFIG,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
) -> None:
    """Bring the store to this version."""
    from connector.cli import stores

    stores.migrate(config, dry_run=dry_run)


# ── the lap ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@app.command()
@guarded
def plan(
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
    since: Annotated[str | None, typer.Option(help="What the rules would have done in the last, e.g., 90d.")] = None,
) -> None:
    """Show what the next sync would send and write. Sends and writes nothing anywhere."""
    from connector.cli import plan

    leave(plan.plan(config, since, as_json=as_json))


@app.command()
@guarded
def sync(
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
    only: Annotated[Stage | None, typer.Option(help="One stage alone.")] = None,
) -> None:
    """Run one lap."""
    from connector.cli import laps

    leave(laps.sync(config, only, as_json=as_json))


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
    from connector.cli import laps

    leave(laps.reconcile(config, crm, accept_loss=accept_loss, as_json=as_json))


@app.command()
@guarded
def run(config: Config = DEFAULT_CONFIG) -> None:
    """Run laps on a schedule, and the web application."""
    from connector.cli import laps

    laps.serve(config)


@app.command()
@guarded
def pause(
    config: Config = DEFAULT_CONFIG,
    crm: CrmName = None,
    reason: Annotated[str, typer.Option(help="Shown in status.")] = "paused by hand",
) -> None:
    """The stop button: no mail and no writes until resumed. Reading goes on."""
    from connector.cli import status

    status.pause(config, crm, reason)


@app.command()
@guarded
def resume(config: Config = DEFAULT_CONFIG, crm: CrmName = None) -> None:
    """Let mail and writes go on, and try credentials that a CRM has refused again."""
    from connector.cli import status

    status.resume(config, crm)


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
    from connector.cli import undo

    leave(undo.run(config, crm, since, only=field, carry_out=yes, as_json=as_json))


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
    from connector.cli import retry

    leave(retry.run(config, crm, keys or (), as_json=as_json))


# ── looking ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@app.command()
@guarded
def status(config: Config = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Show cursors, queues, what was set aside with its remedy, calls, and the last laps."""
    from connector.cli import status

    status.show(config, as_json=as_json)


@app.command()
@guarded
def why(
    record: Annotated[str, typer.Argument(help="An id, or what people call it: case 00001259, an e-mail address.")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Say who was asked about a record or not, which rule decided, and until when."""
    from connector.cli import views

    views.why(config, record)


@app.command("score")
@guarded
def score_file(
    file: Annotated[Path, typer.Argument(help="CSV: account, contact, metric, value, low, high, direction, at.")],
    as_json: AsJson = False,
    as_of: Annotated[datetime | None, typer.Option(help="The moment the scores hold for; now when left out.")] = None,
) -> None:
    """Score a file of ratings. Keeps nothing."""
    from connector.cli import views

    leave(views.score(file, as_of, as_json=as_json))


@app.command("export")
@guarded
def export_table(
    table: Annotated[TableName, typer.Argument(help="What to write.")],
    file: Annotated[Path, typer.Argument(help="Where to: OUT.csv or OUT.xlsx.")],
    config: Config = DEFAULT_CONFIG,
    period: Annotated[str | None, typer.Option(help="Of this time alone: 2026-10, 2026-Q4, 2026-W45 or 2026.")] = None,
) -> None:
    """Write accounts, responses or follow-ups to a file, as it ends: .csv or .xlsx."""
    from connector.cli import views

    views.export(config, table, file, period)


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
    from connector.cli import demo

    leave(demo.run(directory, once=once, seed=seed))


# ── people ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@bounces.command("list")
@guarded
def list_marks(config: Config = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """List the addresses to which nothing is sent, the newest mark first, with the mail server's reason."""
    from connector.cli import bounces

    bounces.list_marks(config, as_json=as_json)


@bounces.command("lift")
@guarded
def lift_marks(
    address: Annotated[str | None, typer.Argument(help="The e-mail address.")] = None,
    config: Config = DEFAULT_CONFIG,
    since: Annotated[
        str | None,
        typer.Option(
            help="All marks made since then: 24h, 2026-11-12 or 2026-11-12T14:00, in the company's time zone."
        ),
    ] = None,
) -> None:
    """Take the mark off one address, or all marks made since a time: the next lap writes to them again.

    Invitations that the mail server refused are sent after all, while they can be answered, and what nobody was asked about because
    of a mark is decided anew, while it is not too old. With --since, mail that was stopped because
    too many addresses were refused goes on.
    """
    from connector.cli import bounces

    bounces.lift_marks(config, address, since)


@opt_outs.command("add")
@guarded
def add_opt_out(address: Address, config: Config = DEFAULT_CONFIG) -> None:
    """Ask somebody no more, in no survey: as if they had clicked "No more surveys" in a mail.

    It holds for every contact with this address, in every CRM, and for whom a survey was sent to this address. The next live lap
    ticks "No surveys" on their records.
    """
    from connector.cli import opt_outs

    opt_outs.add(config, address)


@opt_outs.command("lift")
@guarded
def lift_opt_out(address: Address, config: Config = DEFAULT_CONFIG) -> None:
    """Let somebody be asked again who clicked "No more surveys" by mistake, and asks for it.

    A box that says no in the CRM counts for as long as it is ticked: clear it there, after this command.
    """
    from connector.cli import opt_outs

    opt_outs.lift(config, address)


if __name__ == "__main__":
    main()
