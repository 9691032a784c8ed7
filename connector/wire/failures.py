"""Why a call was not answered, by the errors of the libraries below us."""

import socket
from collections.abc import Iterator
from ssl import SSLCertVerificationError
from typing import Final

import requests
from urllib3.exceptions import MaxRetryError, NameResolutionError, SSLError

_NO_SUCH_NAME: Final = frozenset(
    getattr(socket, name) for name in ("EAI_NONAME", "EAI_NODATA") if hasattr(socket, name)
)
"""The resolver's codes for a name that does not exist; not every system has both."""


def reason_of(error: BaseException) -> object:
    """Return why a call failed, without what its libraries have wrapped around it."""
    inner = error.args[0] if isinstance(error, requests.RequestException) and error.args else error
    return inner.reason if isinstance(inner, MaxRetryError) else inner


def is_untrusted(error: BaseException) -> bool:
    """Whether the other side's certificate is invalid. An answer that cannot be decrypted is another failure."""
    reason = reason_of(error)
    return isinstance(reason, SSLError) and any(isinstance(why, SSLCertVerificationError) for why in reason.args)


def not_looked_up(error: BaseException) -> str:
    """Return what is wrong where the host's name could not be resolved; empty for any other failure."""
    reason = reason_of(error)
    if not isinstance(reason, NameResolutionError):
        return ""
    why = reason.__cause__
    known = isinstance(why, socket.gaierror) and why.errno in _NO_SUCH_NAME
    return f"the name {reason.conn.host} {'is not known to the DNS' if known else 'could not be looked up in the DNS'}."


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that it wraps, in whatever way its library does that."""
    yield error
    for inner in (*error.args, getattr(error, "reason", None), error.__cause__):
        if isinstance(inner, Exception):
            yield from causes(inner)
