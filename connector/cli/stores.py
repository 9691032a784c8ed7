"""The commands `backup`, `restore` and `migrate`: the store as a whole."""

import os
import shutil
from importlib.metadata import version
from pathlib import Path

from connector.app.wiring import read_settings
from connector.cli.installation import build_for_store, closing
from connector.cli.output.terminal import one_line, out
from connector.commands import restore as commands_restore
from connector.commands.backup import back_up
from connector.runtime.clock import SystemClock
from connector.store.db import migrate as migrating
from connector.store.db.migrate import Outlook


def backup(config: Path, file: Path) -> None:
    """Put an installation into one file."""
    settings = read_settings(config, os.environ)
    made = back_up(settings, file, environ=os.environ, version=version("afterword"), now=SystemClock().now())
    schema = f"schema {made.schema}" if made.schema is not None else "nothing in it yet"
    _print(f"wrote {made.path}: {_size(made.size)}; the store ({schema}) and {', '.join(made.files)}")
    for what in made.left_out:
        _print(f"    not in it: {what}")


def restore(config: Path, file: Path) -> None:
    """Put an installation back from a backup."""
    restored = commands_restore.restore(file, config, read_settings=read_settings, now=SystemClock().now())
    contents = restored.contents
    _print(f"restored what Afterword {contents.version} had on {contents.made_at:%Y-%m-%d %H:%M} UTC:")
    for path in restored.files:
        _print(f"    {path}")
    _print(
        f"    the database: {'nothing in it yet' if restored.schema is None else f'it had schema {restored.schema}'}"
    )
    for what in contents.left_out:
        _print(f"    not in the backup, and needed if the installation used it: {what}")
    for name in restored.still_live:
        _print(f"{name}: a variable makes this connection live; in config.toml it observes.")
    _print(
        "All connections observe: nothing is sent or written. To go on from here, see that the original stands still, then:"
    )
    _print('    afterword check, afterword setup-crm --take-over, and mode = "live" in config.toml for each connection')


def migrate(config: Path, *, dry_run: bool) -> None:
    """Bring the store to this version, or say what that would change."""
    installation = build_for_store(config)
    with closing(installation):
        if dry_run:
            _tell(migrating.outlook(installation.store), is_file=installation.store.is_sqlite)
            return
        before = migrating.migrate(installation.store)
    head = migrating.head()
    _print(f"The store has schema {head}." if before == head else f"The store went from {before or 'empty'} to {head}.")


def _tell(outlook: Outlook, *, is_file: bool) -> None:
    """Say what `migrate` would do, or that there is nothing to do."""
    if outlook.before is None:
        _print(f"The store is empty. It would get schema {outlook.after}.")
    elif not outlook.steps:
        _print(f"The store has schema {outlook.after}. There is nothing to do.")
    else:
        _print(f"The store has schema {outlook.before}. It would be brought to {outlook.after}:")
        for revision, words in outlook.steps:
            _print(f"    {revision}  {words}")
        if outlook.copy is not None and outlook.copy.parent.exists():
            free = shutil.disk_usage(outlook.copy.parent).free
            _print(f"Before that, the file is copied to {outlook.copy.name} ({_size(free)} are free there).")
        elif not is_file:
            _print("PostgreSQL's database is not copied: take a backup first, with `afterword backup`.")


def _size(size: int) -> str:
    """Return a number of bytes as people read it."""
    for unit, least in (("GB", 1_000_000_000), ("MB", 1_000_000)):
        if size >= least:
            return f"{size / least:,.1f} {unit}"
    return f"{size / 1000:,.0f} kB"


def _print(text: str) -> None:
    out.print(one_line(text), markup=False)
