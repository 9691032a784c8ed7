"""How many files the process may have open: a connection is one, and so is whatever else a lap needs."""

from typing import Final

try:
    import resource
except ImportError:  # Windows, where sockets are no files
    resource = None  # type: ignore[assignment]

WANTED: Final = 4096
"""For as many connections as there may be, as many that wait to be taken, and the laps."""


def raise_file_limit(wanted: int = WANTED) -> int:
    """Ask the machine for so many open files; returns how many there may be.

    The usual limit, 1,024, is one that every process may raise by itself, and less than a flood of connections takes.
    """
    if resource is None:
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    except (OSError, ValueError):  # the kernel allows fewer than it says
        return soft
    return most
