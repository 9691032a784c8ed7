"""What every command that works on a project begins with and ends with."""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from connector.app import wiring
from connector.cli.output import results
from connector.cli.output.terminal import err
from connector.errors import Problem, SettingsError, StoreError
from connector.stages.connection.connect import Endpoint
from connector.stages.installation import Installation
from connector.store.db.engine import Store
from connector.store.db.migrate import current, head, migrate


def build(config: Path, *, quiet: bool = False) -> Installation:
    """Wire up the installation of a config.toml."""
    installation = wiring.build(wiring.read_settings(config, os.environ), progress=results.progress(err, quiet=quiet))
    # The modules stay for ever: the garbage collector need not look at them again and again.
    gc.freeze()
    return installation


def build_for_store(config: Path) -> Installation:
    """Wire up the installation of a config.toml for a command that works on its store alone: it reaches no CRM and no mail."""
    return wiring.build_for_store(wiring.read_settings(config, os.environ))


def chosen(installation: Installation, crm: str | None) -> list[Endpoint]:
    """Return the connection of this name, or all. `SettingsError`: there is none."""
    check_name(installation, crm)
    return [endpoint for endpoint in installation.endpoints if crm in (None, endpoint.name)]


def check_name(installation: Installation, crm: str | None) -> None:
    """Refuse the name of a connection that is not there, with `SettingsError`."""
    names = installation.settings.crm
    if crm is not None and crm not in names:
        what = f"there is no connection {crm!r}."
        raise SettingsError([Problem("--crm", what, f"Write one of: {', '.join(names)}.")])


@contextmanager
def closing(installation: Installation) -> Iterator[None]:
    """Let go of everything at the end."""
    try:
        yield
    finally:
        for endpoint in installation.endpoints:
            endpoint.adapter.close()
            if endpoint.budget is not None:
                endpoint.budget.return_unused()
        if installation.channel is not None:
            installation.channel.close()
        installation.store.close()


@contextmanager
def opened(config: Path) -> Iterator[Installation]:
    """Hand out the installation of a config.toml for a command that works on its store alone, and let go of it at the end."""
    installation = build_for_store(config)
    with closing(installation):
        bring_to_this_version(installation)
        yield installation


def bring_to_this_version(installation: Installation) -> None:
    """Bring the store to this version: on SQLite after a copy of the file, on PostgreSQL one process at a time."""
    migrate(installation.store)


@contextmanager
def reading(installation: Installation) -> Iterator[Installation]:
    """Bring the store to this version, for a command that only reads it; where it may not be written, give one that reads alone.

    A full disk or a file system that was mounted for reading must not hide why laps stand still.
    """
    try:
        migrate(installation.store)
    except StoreError as error:
        store = _for_reading(installation.store)
        if store is None:
            raise
        try:
            results.error(err, error)
            yield replace(installation, store=store)
        finally:
            store.close()
    else:
        yield installation


def _for_reading(store: Store) -> Store | None:
    """Return a store that only reads the same file; None where that cannot be done, or it is of another version."""
    if not store.is_sqlite:
        return None
    readable = Store(store.url, only_reads=True)
    try:
        if current(readable) == head():
            return readable
    except StoreError:
        pass
    readable.close()
    return None
