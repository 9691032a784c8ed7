"""The database cannot be used: visitors are asked to come again, the log is told now and then, and whoever looks after us at once."""

import threading
import time
from collections.abc import Callable
from typing import Final

import structlog

from connector.errors import StoreError
from connector.store import Store

RETRY_SECONDS: Final = 60
"""After which a visitor may come again."""
_SILENT_SECONDS: Final = 60.0
"""Between two lines in the log: each visitor brings an error."""
_NOT_USABLE: Final = "the database cannot be used; the log says why"

log = structlog.get_logger("afterword")


def store_trouble(store: Store) -> str:
    """Return that the database cannot be used, in words that anybody may read; empty: it can."""
    try:
        store.check()
    except StoreError:
        return _NOT_USABLE
    return ""


def tell_seldom() -> Callable[[StoreError], None]:
    """Return what writes an error into the log, unless it did so a moment ago."""
    lock = threading.Lock()
    silent_until = 0.0

    def tell(error: StoreError) -> None:
        nonlocal silent_until
        with lock:
            if time.monotonic() < silent_until:
                return
            silent_until = time.monotonic() + _SILENT_SECONDS
        log.error("a page could not be served", what=error.what, where=error.where, remedy=error.remedy)

    return tell
