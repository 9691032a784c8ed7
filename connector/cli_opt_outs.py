"""The command `opt-outs add`: for people who ask by mail or by telephone not to be asked any more."""

from pathlib import Path
from typing import Annotated

import typer

from connector.cli_guard import guarded
from connector.cli_house import bring_to_this_version, build, closing
from connector.errors import Problem, SettingsError
from connector.output import Terminal, one_line
from connector.settings import values
from connector.store import answering

app = typer.Typer(help="People who want no surveys.", no_args_is_help=True)
out = Terminal()


@app.callback()
def _group() -> None:
    """A group of one command keeps its name."""


@app.command("add")
@guarded
def add(
    address: Annotated[str, typer.Argument(help="The e-mail address of whoever wants no surveys.")],
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")] = Path("config.toml"),
) -> None:
    """Ask somebody no more, in no survey: as if they had clicked "No more surveys" in a mail.

    It holds for every contact with this address, in every CRM, and for whom a survey was sent to this address. The next live lap
    ticks "No surveys" on their records.
    """
    try:
        email = values.address(address)
    except values.Wrong as error:
        raise SettingsError([Problem("opt-outs add", f"{address!r} {error.what}", error.remedy)]) from None
    house = build(config, quiet=True)
    with closing(house):
        bring_to_this_version(house)
        with house.store.write() as tx:
            contacts = answering.stop_surveys_at(tx, email, now=house.clock.now())
        names = [f"{row.name} ({row.connection})" for row in contacts]
    known = f": {', '.join(names)}." if names else ". No contact that was read has this address; look at its spelling."
    out.print(one_line(f"{email} is not asked any more{known}"), markup=False)
