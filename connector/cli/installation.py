"""What every command that works on a project begins with and ends with."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from connector.app import wiring
from connector.cli.guard import err
from connector.cli.output import results
from connector.errors import StoreError
from connector.settings import Settings
from connector.stages.installation import Installation
from connector.store.db.engine import Store
from connector.store.db.migrate import current, head, migrate


def build(config: Path, *, quiet: bool = False) -> Installation:
    """Wire up the installation of a config.toml."""
    settings: Settings = wiring.read_settings(config, os.environ)
    return wiring.build(settings, progress=results.progress(err, quiet=quiet))


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
    installation = build(config, quiet=True)
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
