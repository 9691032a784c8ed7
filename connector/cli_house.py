"""What every command that works on a project begins with and ends with."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connector import printing, wiring
from connector.cli_guard import err
from connector.settings import Settings
from connector.stages.lap import Installation
from connector.store.migrate import migrate


def build(config: Path, *, quiet: bool = False) -> Installation:
    """Wire up the installation of a config.toml."""
    settings: Settings = wiring.read_settings(config, os.environ)
    return wiring.build(settings, progress=printing.progress(err, quiet=quiet))


@contextmanager
def closing(house: Installation) -> Iterator[None]:
    """Let go of everything at the end."""
    try:
        yield
    finally:
        for endpoint in house.endpoints:
            endpoint.adapter.close()
            if endpoint.budget is not None:
                endpoint.budget.settle()
        if house.channel is not None:
            house.channel.close()
        house.store.close()


def bring_to_this_version(house: Installation) -> None:
    """Bring the store to this version: on SQLite after a copy of the file, on PostgreSQL one process at a time."""
    migrate(house.store)
