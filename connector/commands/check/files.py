"""What `check` finds about files on this machine: who else may open them, and whether SQLite can trust the disk."""

import os
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from connector.errors import Problem
from connector.model.documents import JsonObject
from connector.runtime import installation_id
from connector.settings import Settings

_OF_OTHERS: Final = stat.S_IRWXO
_OF_OTHERS_AND_THE_GROUP: Final = stat.S_IRWXO | stat.S_IRWXG
_NETWORK: Final = (
    "nfs",
    "cifs",
    "smb",
    "afs",
    "9p",
    "ncpfs",
    "ceph",
    "glusterfs",
    "lustre",
    "fuse.sshfs",
    "fuse.gluster",
)
"""How the kinds of network file systems begin, as the kernel calls them."""
_MOUNTS: Final = Path("/proc/self/mountinfo")
_WINDOWS: Final = "nt"
"""There rights are no bits of a file."""


def file_problems(settings: Settings, database: Path | None, *, mounts: Path = _MOUNTS) -> Iterator[Problem]:
    """Yield what is wrong with the files of an installation. `database` is SQLite's file, None for a server's."""
    if os.name != _WINDOWS:
        yield from _open_to_others(settings, database)
    if database is not None:
        yield from _on_the_network(settings, database, mounts)


def _open_to_others(settings: Settings, database: Path | None) -> Iterator[Problem]:
    for path in _private(settings, database):
        try:
            file_stat = path.stat()
        except OSError:
            continue  # what is not there, or is not for us either, is told where it is read
        # A file of another user's is ours to read by its group alone.
        wide = file_stat.st_mode & (_OF_OTHERS_AND_THE_GROUP if file_stat.st_uid == os.geteuid() else _OF_OTHERS)
        if wide:
            yield Problem(
                str(path),
                f"may be opened by other users of this machine (its rights are {stat.S_IMODE(file_stat.st_mode):04o}).",
                f"Keep it to the user who runs Afterword: chmod 600 '{path}'.",
                severity="warning",
            )


def _private(settings: Settings, database: Path | None) -> list[Path]:
    """Return the files that hold secrets or what customers have said."""
    files = [settings.path, settings.base / installation_id.FILE, *_secrets(settings)]
    if database is not None:
        files += [database, *sorted(database.parent.glob(f"{database.name}[-.]*"))]
    return list(dict.fromkeys(files))


def _secrets(settings: Settings) -> list[Path]:
    """Return the files of secrets that config.toml names and that lie beside it: what lies elsewhere is another's to guard."""
    try:
        tables = tomllib.loads(settings.path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return []  # it was read a moment ago: somebody is editing it
    paths = [settings.base / name for name in _named_files(tables)]
    return [path for path in paths if path.resolve().is_relative_to(settings.base.resolve())]


def _named_files(table: JsonObject) -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _named_files(value)
        elif key.endswith("_file") and isinstance(value, str):
            yield value


def _on_the_network(settings: Settings, database: Path, mounts: Path) -> Iterator[Problem]:
    kind = _kind_of_disk(database.parent.resolve(), mounts)
    if kind.startswith(_NETWORK):
        yield Problem(
            f"{settings.path.name}: store.url",
            f"is an SQLite file on a network file system ({kind}), whose locks are not reliable: it may be damaged.",
            "Put it on a disk of this machine, or use PostgreSQL.",
            severity="warning",
        )


def _kind_of_disk(folder: Path, mounts: Path) -> str:
    """Return the kind of file system that a folder lies on; "" where the system does not tell. See proc_pid_mountinfo(5)."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    best, kind = -1, ""
    for line in lines:
        mount, separator, source = line.partition(" - ")
        fields = mount.split(" ")
        if not separator or len(fields) < 5:
            continue
        point = Path(fields[4].replace("\\040", " ").replace("\\134", "\\"))
        # Of two mounts in one place the later one is seen.
        if folder.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), source.split(" ")[0]
    return kind
