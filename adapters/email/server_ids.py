"""The id by which a mail server knows a message: it stands in its answer to the final dot, each server's in its own way."""

import re
from typing import Final

_KNOWN: Final = (
    re.compile(r"\bqueued as <?([^\s<>]+)", re.IGNORECASE),  # Postfix, SendGrid, Postmark
    re.compile(r"\bid[=:] ?<?([^\s<>\];,]+)", re.IGNORECASE),  # Exim
    re.compile(r"^(?:2\.\d+\.\d+ )?<([^\s<>]+)> \[InternalId", re.IGNORECASE),  # Exchange
    re.compile(r"\bOK\s+\d+\s+(\S+)\s+-\s+gsmtp", re.IGNORECASE),  # Google: a time stands before it
    re.compile(r"^(?:2\.\d+\.\d+ )?(\S+) message accepted for delivery", re.IGNORECASE),  # sendmail, OpenSMTPD
    re.compile(r"^(?:2\.\d+\.\d+ )?ok:? <?([\w.@=+/-]{12,})>?$", re.IGNORECASE),  # Amazon SES
)
_SHORTEST: Final = 6
"""What is shorter, or has no digit, is a word."""
_LONGEST: Final = 250
"""Longer ones have no place in an index of the database."""


def server_id(answer: str) -> str | None:
    """Return the id that a mail server gives a message in its answer to the final dot; None where it gives none that is known."""
    text = " ".join(answer.split())
    for known in _KNOWN:
        if match := known.search(text):
            candidate = "".join(char for char in match[1].strip(".,;") if char.isprintable())
            return candidate if _SHORTEST <= len(candidate) <= _LONGEST and re.search(r"\d", candidate) else None
    return None
