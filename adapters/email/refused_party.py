"""Whom a mail server's refusal is about: the mailbox it was for, or us.

Nobody is taken for unreachable unless the reason says so by a code or in words that can mean nothing else. Servers say all that they
have against the sender when they are told the recipient, with the same numbers.
"""

import re
from typing import Final

from connector.model import BounceCause

ENHANCED: Final = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)")
_MAILBOX_CODES: Final = frozenset({(1, 1), (1, 2), (1, 3), (1, 6), (1, 10), (2, 1)})
"""RFC 3463 (subject, detail), and RFC 7505: no such mailbox, host or syntax, moved away, takes no mail, disabled."""
_UNDEFINED: Final = frozenset({(0, 0), (1, 0), (2, 0)})
"""Codes that say no more than that something is wrong: then the words decide."""
_PERMANENT: Final = "5"
_TRANSIENT: Final = "4"

_ABOUT_US: Final = re.compile(
    r"""
    sender\b(?!\s+should) | verification\ failed | verify\ failed | (mail|envelope)[ -]from | \bfrom(:|\ address) | return[- ]path
    | \byour\ (ip|server|host|domain|account|login|network|organi[sz]ation|tenant)
    | too\ (many|quickly|fast|much) | \brate\b | quota | exceed | limit | per\ (second|minute|hour|day) | throttl | suspicious
    | spam | black\W?list | block\W?list | blocked | \brbl\b | dnsbl | reputation | \bspf\b | dkim | dmarc | policy | policies
    | (is|mailbox|inbox|quota)\ full | too\ large | transient | soft\ bounce | delay
    | authenti | authori[sz] | not\ permitted | relay(ing)?\ (access\ )?(denied|prohibited|disallowed) | (to|not|no)\ relay
    | grey\W?list | gray\W?list | try\ again | temporar | \bhelo\b | \behlo\b | reverse\ dns | \bptr\b | \btls\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Words about the sender, its rights, its rate or its reputation, or about the moment: beside them no code is taken for a verdict."""
_WHO: Final = (
    r"(user|mailbox|recipient|account|addressee|e-?mail\ account|recipient\ address|e-?mail\ address|e-?mail|person)"
)
_ABOUT_MAILBOX: Final = re.compile(
    rf"""
    no\ such\ (user|mailbox|recipient|address|account|addressee|person|e-?mail)
    | unknown\ (user|recipient|mailbox|account|local[ -]part|addressee)
    | {_WHO}\ (here\ )?((is|was|are)\ )?(unknown|not\ (found|known)|invalid|inactive|disabled|deactivated|terminated)
    | {_WHO}\ (name\ )?(does\ not|do\ not|does\ ?n[o'’]?t|did\ not)\ exist
    | {_WHO}\ (that\ )?you\ tried\ to\ reach\ (does\ not\ exist|is\ (inactive|disabled))
    | {_WHO}\ (is\ )?no\ longer\ (exists|active|valid|available|in\ use)
    | (invalid|nonexistent|non-existent)\ (recipient|mailbox|user)
    | (not\ a|no)\ (valid|known)\ (mailbox|recipient|user|account)
    | (does\ not|does\ ?n[o'’]?t)\ have\ an?\ \S+\ account
    | user\ not\ local
    | no\ (mailbox|account|user)\ (here\ )?(by|with|of)\ that\ name
    | could\ not\ find\ (the\ |a\ |that\ )?(mailbox|recipient|user|account)
    """,
    re.VERBOSE | re.IGNORECASE,
)


_PASSING: Final = re.compile(r"^\W*(?:[\w-]+\W+)?4\d\d\b|\btransient\b|\bsoft bounce\b|\bdelayed\b", re.IGNORECASE)
"""Begins like a 4xx reply, perhaps after the word ``smtp;``, or has a provider's word for it."""
_GIVEN_UP: Final = re.compile(
    r"\bexpired\b|\bretry time(out)?\b|\bg(ave|iv(es?|ing)) up\b|unable to deliver in|delivered (with)?in\b",
    re.IGNORECASE,
)
"""A 4xx that the server has got for so long that it has stopped trying."""
_REPLY: Final = re.compile(r"^\W*(?:[\w-]+\W+)?[245]\d\d\b")
"""The reply of a mail server: words in it are its own. Without one they are a provider's name for an event, or a script's."""
_COMPLAINT: Final = re.compile(
    r"complain(t|ed)|\babuse\b|spam\W?report|\bspamreport|unsubscri|\bunsub\b|feedback\W?loop", re.IGNORECASE
)
_NO_FAILURE: Final = re.compile(
    r"\bdeferr(ed|al)\b|auto\W?(repl|respon)|out of (the )?office|\bvacation\b|\babsence\b", re.IGNORECASE
)


def cause_of_bounce(reason: str, *, sender: str) -> BounceCause:
    """Read the words with which a message came back: the reply of a server far away, as a provider hands it on."""
    text = " ".join(reason.split())
    code = ENHANCED.search(text)
    if code is None and not _REPLY.search(text):
        if _COMPLAINT.search(text):
            return BounceCause.COMPLAINT
        if _NO_FAILURE.search(text):
            return BounceCause.PASSING
    if _GIVEN_UP.search(text) and not is_about_mailbox(text, sender=sender):
        return BounceCause.OTHER
    if _PASSING.search(text) or (code is not None and code[1] == _TRANSIENT):
        return BounceCause.PASSING
    if is_about_mailbox(text, sender=sender):
        return BounceCause.MAILBOX
    about_us = code is not None or sender.lower() in text.lower() or _ABOUT_US.search(text) is not None
    return BounceCause.OTHER if about_us else BounceCause.UNCLEAR


def is_about_mailbox(reason: str, *, sender: str, recipient: str = "") -> bool:
    """Tell whether a permanent refusal says that the mailbox it was for does not exist, or takes no mail any more.

    `sender` is our own address: what names it is about it. Words within the address of the `recipient`, where it is known, say nothing.
    """
    text = " ".join(reason.split())
    if recipient and recipient.lower() != sender.lower():
        text = re.sub(rf"(?<![\w.+-]){re.escape(recipient)}(?![\w-])", "", text, flags=re.IGNORECASE)
    if sender.lower() in text.lower() or _ABOUT_US.search(text):
        return False
    code = ENHANCED.search(text)
    if code is None:
        return _ABOUT_MAILBOX.search(text) is not None
    if code[1] != _PERMANENT:
        return False
    detail = int(code[2]), int(code[3])
    return detail in _MAILBOX_CODES or (detail in _UNDEFINED and _ABOUT_MAILBOX.search(text) is not None)
