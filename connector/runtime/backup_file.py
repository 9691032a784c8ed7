"""The file that a backup is: a zip archive with a list of contents, the store as a SQLite file, and the files of the project."""

import json
import os
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from shutil import copyfileobj
from typing import IO, Final

from connector.errors import AfterwordError
from connector.runtime.private_files import make_empty

FORMAT: Final = 1
"""Of the archive. Whoever reads it knows this one and those before it."""
_CONTENTS: Final = "backup.json"
_STORE: Final = "store.sqlite"
_FILES: Final = "files/"
_REMEDY: Final = "Take another backup. Nothing was changed."


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup says of itself."""

    version: str
    """Of Afterword, that made it."""
    made_at: datetime
    config: str
    """The name of config.toml among the files."""
    left_out: tuple[str, ...] = ()
    """What the installation needs besides, and that is not in it, in words."""
    format: int = FORMAT


def write_backup(path: Path, contents: Contents, store: Path, files: Mapping[str, Path]) -> None:
    """Write a backup that only its owner may open, whole or not at all. `files`: by their path from the project's folder.

    `OSError`: it is there already, or cannot be written.
    """
    if path.exists():
        raise FileExistsError(None, "it is there already", str(path))
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        make_empty(unfinished)
        with unfinished.open("r+b") as raw:
            with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
                archive.writestr(_CONTENTS, json.dumps(asdict(contents), indent=2, default=datetime.isoformat))
                archive.write(store, _STORE)
                for name, file in sorted(files.items()):
                    archive.write(file, f"{_FILES}{name}")
            raw.flush()
            os.fsync(raw.fileno())
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)


class BackupFile:
    """A backup that is read."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        """`AfterwordError`: it is none, or one of a later version."""
        self._path = path
        self._archive = archive
        names = archive.namelist()
        if _CONTENTS not in names or _STORE not in names:
            raise _unusable(path, "it is no backup of Afterword")
        with _damage_told(path):
            contents = archive.read(_CONTENTS)
        self.contents = _read_contents(path, contents)
        self._files = {name.removeprefix(_FILES): name for name in names if name.startswith(_FILES)}
        if any(not _is_inside(name) for name in self._files) or self.contents.config not in self._files:
            raise _unusable(path, "the files in it are not those of one project")

    @property
    def files(self) -> tuple[str, ...]:
        """The project's files, by their path from its folder."""
        return tuple(self._files)

    def read(self, name: str) -> bytes:
        """Return what is in one of the project's files. `AfterwordError`: it is damaged."""
        with _damage_told(self._path):
            return self._archive.read(self._files[name])

    def copy_store(self, target: IO[bytes]) -> None:
        """Write the store's SQLite file. `AfterwordError`: it is damaged."""
        with _damage_told(self._path), self._archive.open(_STORE) as source:
            copyfileobj(source, target)


@contextmanager
def opened_backup(path: Path) -> Iterator[BackupFile]:
    """Open a backup. `AfterwordError`: it cannot be read, or is none."""
    try:
        archive = zipfile.ZipFile(path)
    except OSError as error:
        raise _unusable(path, f"it cannot be read: {error.strerror}") from error
    except zipfile.BadZipFile as error:
        raise _unusable(path, "it is no backup of Afterword, or its end is missing") from error
    with archive:
        yield BackupFile(path, archive)


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise _unusable(path, "it is damaged") from error


def _read_contents(path: Path, raw: bytes) -> Contents:
    try:
        values = json.loads(raw)
        known = values["format"]
        if known != FORMAT:
            raise AfterwordError(
                f"the backup has format {known}, which this version of Afterword does not know.",
                where=str(path),
                remedy="Install the version that made it, or a later one. Nothing was changed.",
            )
        made_at = datetime.fromisoformat(values["made_at"])
        return Contents(values["version"], made_at, values["config"], tuple(values["left_out"]))
    except (ValueError, KeyError, TypeError) as error:
        raise _unusable(path, "what it says of itself cannot be read") from error


def _is_inside(name: str) -> bool:
    """Tell whether a path leads into the folder that it starts from, on every system."""
    parts = PurePosixPath(name).parts
    return bool(parts) and not name.startswith("/") and ".." not in parts and not set("\\:\0") & set(name)


def _unusable(path: Path, why: str) -> AfterwordError:
    return AfterwordError(f"nothing can be restored from it: {why}.", where=str(path), remedy=_REMEDY)
