"""`backup`: the store and the files of the project in one file, while everything goes on."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from connector.errors import AfterwordError
from connector.runtime.backup_file import Contents, write_backup
from connector.runtime.installation_id import FILE as INSTALLATION_ID
from connector.settings import Settings
from connector.settings.keys import PREFIX
from connector.store import Store
from connector.store.db.copy import copy_as_it_is
from connector.store.db.migrate import current

_MAPPINGS: Final = "mappings"


@dataclass(frozen=True, slots=True)
class Backup:
    """What was made."""

    path: Path
    size: int
    """In bytes."""
    schema: str | None
    """Of the store; None: it was empty."""
    files: tuple[str, ...]
    """Those of the project, by their path from its folder."""
    left_out: tuple[str, ...]
    """What the installation needs besides, in words."""


def back_up(settings: Settings, out: Path, *, environ: Mapping[str, str], version: str, now: datetime) -> Backup:
    """Write a backup to `out`; where that is a folder, to a new file in it whose name has the time.

    Raises `AfterwordError` where it cannot be written, `StoreError` where the store cannot be read.
    """
    path = out / f"afterword-{now.astimezone(UTC):%Y-%m-%dT%H%M%SZ}.zip" if out.is_dir() else out
    inside, outside = _files(settings, environ)
    contents = Contents(version, now.astimezone(UTC), settings.path.name, outside)
    store = Store(settings.store_url)
    try:
        # Beside SQLite's file there is room, and locks that can be trusted; where that is, nobody knows of a backup's folder.
        beside = store.path.parent if store.path is not None else None
        with TemporaryDirectory(prefix=".backup-", dir=beside) as folder:
            copy = copy_as_it_is(store, Path(folder) / "store.db")
            schema = current(copy)
            copy.close()
            write_backup(path, contents, Path(folder) / "store.db", inside)
        return Backup(path, path.stat().st_size, schema, tuple(sorted(inside)), outside)
    except OSError as error:
        raise AfterwordError(
            f"the backup could not be written: {error.strerror}.",
            where=error.filename if error.filename in map(str, inside.values()) else str(path),
            remedy="Name a file that is not there yet, or a folder, that this user may write in and that has room.",
        ) from error
    finally:
        store.close()


def _files(settings: Settings, environ: Mapping[str, str]) -> tuple[dict[str, Path], tuple[str, ...]]:
    """Return the project's files that the settings name, by their path from its folder, and in words what lies elsewhere."""
    base = settings.base.resolve()
    config = base / settings.path.name
    variables = {name: text for name, text in environ.items() if name.startswith(PREFIX)}
    tables = tomllib.loads(settings.path.read_text(encoding="utf-8-sig"))
    named = [base / text for text in (*_texts(tables), *variables.values()) if _is_file(base, text)]
    own = [config, base / INSTALLATION_ID, *sorted((base / _MAPPINGS).glob("*.toml"))]
    inside, outside = {}, []
    for path in dict.fromkeys([*(path for path in own if path.is_file()), *named]):
        real = path.resolve()
        if path == config:  # it may be a link, as where a cluster mounts it
            inside[config.name] = path
        elif real.is_relative_to(base):
            normal = Path(os.path.normpath(path))
            inside[(normal if normal.is_relative_to(base) else real).relative_to(base).as_posix()] = path
        else:
            outside.append(f"the file {path}")
    return inside, (*outside, *(f"the variable {name}" for name in sorted(variables)))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


def _is_file(base: Path, text: str) -> bool:
    try:
        return bool(text) and (base / text).is_file()
    except (OSError, ValueError):  # a text that is too long for a path, or holds what no path may hold
        return False
