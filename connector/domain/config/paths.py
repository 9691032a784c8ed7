"""Files that are named in files."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Final

from pydantic import PlainValidator

from connector.domain.config.wrong import Wrong

# Settings that are built from sources hand no context of validation on, so it stands beside them.
_BASE: Final[ContextVar[Path]] = ContextVar("base", default=Path())


@contextmanager
def paths_from(base: Path) -> Iterator[None]:
    """Have relative paths in what is read within the block start at a folder."""
    token = _BASE.set(base)
    try:
        yield
    finally:
        _BASE.reset(token)


def base_folder() -> Path:
    """Return the folder that relative paths start at."""
    return _BASE.get()


def _existing_file(value: object) -> Path:
    base = base_folder()
    if not isinstance(value, str) or not value:
        raise Wrong("is not the path of a file.", "Write it in quotes.")
    path = base / value
    if not may_look_at(path):
        raise Wrong(
            f"names {path}, and this user may not look into its folder.",
            f"Let the user who runs Afterword in: chown or chmod {path.parent}.",
        )
    if not path.is_file():
        raise Wrong("names a file that is not there.", f"Relative paths start at {base}.")
    return path


def may_look_at(path: Path) -> bool:
    """Tell whether this user may see whether a file is there."""
    try:
        path.stat()
    except (OSError, ValueError) as error:
        return not isinstance(error, PermissionError)
    return True


ExistingFile = Annotated[Path, PlainValidator(_existing_file)]
"""The path of a file that is there."""
