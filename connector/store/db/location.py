"""Where the store is: a copy of it on another machine, in another folder or on another server is in another place."""

import hashlib
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

_MACHINE_ID: Final = Path("/etc/machine-id")
_LOCAL: Final = frozenset({"", "localhost", "127.0.0.1", "::1"})
_INVENTED: Final = 1 << 40
"""Set in a network address that Python has invented for the process, because it found none."""


def place_of(url: str) -> str:
    """Return a hash that names the store's place, the same from one start to the next.

    A database on a server is where the server is, whatever machines work with it; a file, or a server on this machine, is here.
    """
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        parts = [*_here(), str(Path(address.database or "").resolve())]
    else:
        host = address.host or ""
        parts = [
            *(_here() if host in _LOCAL or host.startswith("/") else ()),
            host,
            str(address.port),
            str(address.database),
        ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _here() -> tuple[str, ...]:
    """Return what tells this machine from a clone of it, which gets another network card, or another id, or both."""
    machine = ""
    with suppress(OSError):
        machine = _MACHINE_ID.read_text(encoding="ascii", errors="replace").strip()
    card = uuid.getnode()
    return machine, "" if card & _INVENTED else f"{card:x}"
