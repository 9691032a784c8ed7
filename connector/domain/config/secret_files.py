"""Secrets that lie in files of their own: a key `secret_file` beside `secret`."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connector.domain.config.paths import base_folder
from connector.domain.config.wrong import Wrong

_FILE: Final = re.compile(r"[\w./\\:-]{1,100}\.(txt|key|pem|secret|token|pwd|password)")


@dataclass(frozen=True, slots=True)
class SecretFile:
    """Stands in a secret's place until it is read: what was written as the path of its file."""

    path: object

    def read(self) -> str:
        """Return the secret. `Wrong`: the file gives none."""
        base = base_folder()
        if not isinstance(self.path, str) or not self.path:
            raise _unreadable("it is no path")
        named = f"{self.path} " if _is_name_of_file(base, self.path) else ""
        try:
            text = (base / self.path).read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            raise _unreadable(f"{named}does not exist" if named else "there is none of this name") from None
        except IsADirectoryError:
            raise _unreadable(f"{named}is a folder") from None
        except PermissionError:
            remedy = f"Let the user who runs Afterword read it: chown or chmod {self.path}." if named else ""
            raise _unreadable(f"{named}may not be read by this user", remedy) from None
        except UnicodeDecodeError:
            remedy = "Save it as UTF-8 text, with nothing but the secret in it."
            raise _unreadable(f"{named}is not UTF-8 text", remedy) from None
        except (OSError, ValueError) as error:
            raise _unreadable(f"{named}{getattr(error, 'strerror', None) or 'it is no path'}") from None
        return text.removesuffix("\n").removesuffix("\r")


def read_secret(value: object) -> object:
    """Return a secret that may lie in a file."""
    return value.read() if isinstance(value, SecretFile) else value


def _unreadable(why: str, remedy: str = "") -> Wrong:
    usual = f"Write the path of a text file with the secret in it; relative paths start at {base_folder()}."
    return Wrong(f"names a file that cannot be read: {why}.", remedy or usual, shown=False)


def _is_name_of_file(base: Path, path: str) -> bool:
    """Tell whether a path may be shown: a secret that was pasted into the wrong key is not there, and does not look like one."""
    try:
        there = (base / path).exists()
    except (OSError, ValueError):
        there = False
    return there or _FILE.fullmatch(path) is not None
