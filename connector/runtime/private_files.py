"""Files and folders that only the user who runs Afterword may open, from their first byte on, whatever the umask is."""

import os
from pathlib import Path
from typing import Final

_FILE: Final = 0o600
_FOLDER: Final = 0o700


def write_new(path: Path, content: str | bytes) -> None:
    """Write a file that is not there yet, and the folders that it lies in. `OSError`: it is there, or cannot be written."""
    make_folder(path.parent)
    # Line ends are the system's in a text that we write, and what they were in bytes.
    text = isinstance(content, str)
    with open(path, "x" if text else "xb", encoding="utf-8" if text else None, opener=_open_private) as file:
        file.write(content)


def make_empty(path: Path) -> None:
    """Make an empty file for somebody else to write to; one that is there keeps what it holds. `OSError`: it cannot be made."""
    os.close(_open_private(path, os.O_CREAT | os.O_WRONLY))


def make_folder(path: Path) -> None:
    """Make a folder and those above it that are not there; what is there stays as it is. `OSError`: it cannot be made."""
    for folder in [*reversed(path.parents), path]:
        if not folder.exists():
            folder.mkdir(mode=_FOLDER, exist_ok=True)


def _open_private(path: str | Path, flags: int) -> int:
    return os.open(path, flags, _FILE)
