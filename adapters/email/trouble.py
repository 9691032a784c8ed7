"""What the libraries below us may raise, at any call: their own errors, and those of Python's that they let through."""

import smtplib
from typing import Final

from connector.errors import UNFORESEEN

TROUBLE: Final = (smtplib.SMTPException, *UNFORESEEN)
"""None of these may leave the adapter: the lap would end, and a person would count as written to of whom nobody knows."""


def in_words(error: BaseException) -> str:
    """Return what an error says, where it is made to be read; else its kind alone: its words may hold a piece of a password."""
    if isinstance(error, smtplib.SMTPException | OSError):
        return str(error) or type(error).__name__
    return type(error).__name__
