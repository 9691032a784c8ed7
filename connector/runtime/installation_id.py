"""The id of this installation: made once, kept in `installation.id` beside config.toml, so that it outlives the store."""

import os
import re
import secrets
from pathlib import Path
from typing import Final

from connector.errors import AfterwordError, Problem, SettingsError
from connector.runtime.private_files import write_new

FILE: Final = "installation.id"
_ID: Final = re.compile(r"[0-9a-f]{8,64}")


def read_id(base: Path) -> str | None:
    """Return the id of the installation in a folder; None: it has none yet.

    `SettingsError`: the file cannot be read, or holds another thing.
    """
    path = base / FILE
    try:
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeError) as error:
        raise _unusable(path, f"cannot be read: {getattr(error, 'strerror', None) or 'it is not text'}.") from error
    if not _ID.fullmatch(text):
        raise _unusable(path, "holds no id of an installation.")
    return text


def ensure_id(base: Path) -> str:
    """Return the id, made now where there is none. `AfterwordError`: it cannot be kept."""
    known = read_id(base)
    return known if known is not None else _new_id(base)


def _new_id(base: Path) -> str:
    path, unfinished = base / FILE, base / f".{FILE}.{os.getpid()}"
    try:
        unfinished.unlink(missing_ok=True)  # of a process of this number that was cut off
        write_new(unfinished, f"{secrets.token_hex(12)}\n")
        try:
            os.link(unfinished, path)  # does not replace what another process has made meanwhile
        except FileExistsError:
            pass  # that one is the installation's
        finally:
            unfinished.unlink()
    except OSError as error:
        raise AfterwordError(
            f"the id of this installation cannot be kept there: {error.strerror}.",
            where=str(path),
            remedy="Let Afterword's user write in this folder, or put the file of the earlier installation there.",
        ) from error
    made = read_id(base)
    assert made is not None  # noqa: S101 - it was linked above
    return made


def _unusable(path: Path, what: str) -> SettingsError:
    remedy = "Put the file of this installation back (it is in your backup), or delete it and run `afterword setup-crm --take-over`."
    return SettingsError([Problem(str(path), what, remedy)])
