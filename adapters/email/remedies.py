"""What an admin can do about what a mail server says of us, by its enhanced code or its words."""

import re
from typing import Final, NamedTuple


class _Known(NamedTuple):
    """A refusal that is known, and what to do about it."""

    pattern: re.Pattern[str]
    remedy: str


def _known(pattern: str, remedy: str) -> _Known:
    return _Known(re.compile(pattern, re.IGNORECASE), remedy)


_KNOWN: Final = (
    _known(
        r"\b5\.7\.30\b|basic authentication is (not supported|disabled)",
        "Microsoft has switched off signing in with a password: set up [email.oauth] in config.toml, or let the admin of "
        "Microsoft 365 switch SMTP basic authentication on again where that is still offered.",
    ),
    _known(
        r"\b5\.7\.139\b|SmtpClientAuthentication is disabled",
        "Switch on Authenticated SMTP for this mailbox in the Microsoft 365 admin centre, and use [email.oauth].",
    ),
    _known(
        r"\b5\.7\.(57|3)\b",
        "Microsoft 365 does not know who is sending: check email.username, and that the mailbox allows Authenticated SMTP and, with "
        "[email.oauth], that the application may send as it.",
    ),
    _known(
        r"\b5\.7\.60\b|\b5\.2\.252\b|SendAsDenied|not owned by user",
        "Let the login of email.username send as the address in email.from, or write the login's own address there.",
    ),
    _known(
        r"\b5\.7\.(8|9|14)\b|application-specific password",
        "Google takes no account password: make an app password for email.password, or use [email.oauth].",
    ),
    _known(
        r"\b5\.7\.(26|515)\b|\bspf\b|\bdkim\b|\bdmarc\b",
        "Add SPF, DKIM and DMARC records for the domain of email.from, as your mail provider describes.",
    ),
    _known(
        r"\b[45]\.3\.2\b|too many (concurrent )?connections|concurrent connections|submission rate|thread limit|\brate\b|throttl",
        "The mail server takes only so many messages in a minute: the next lap goes on. If it goes on, lower limits.daily_sends.",
    ),
    _known(
        r"\b5\.1\.90\b|\b5\.4\.5\b|\b5\.7\.705\b|exceeded|sending (limit|quota)|daily limit|per (hour|day)",
        "The sending limit of your mail provider is used up: it goes on by itself when that is renewed. Lower limits.daily_sends, or "
        "ask the provider for more.",
    ),
    _known(
        r"\b[45]\.1\.[78]\b|sender address rejected|sender verify failed|verification failed|\bsender\b.*\b(not exist|unknown)",
        "The mail server does not know the sender: check the address in email.from, and that its domain is in the DNS, with an MX "
        "record.",
    ),
    _known(
        r"relay",
        "The mail server takes mail for addresses outside only from who has signed in, or from machines that it knows: check "
        "email.username and email.password, or let its operator add this machine.",
    ),
    _known(
        r"\b(helo|ehlo)\b|fully.qualified|reverse (hostname|dns)|\bptr\b",
        "The mail server wants to be greeted by a full name that is in the DNS: write one in email.ehlo_name in config.toml.",
    ),
    _known(
        r"blocked using|spamhaus|black\W?list|block\W?list|\b5\.7\.(708|511)\b|reputation|banned",
        "The address of this machine or your domain is on a blocklist: send through your mail provider's server, or ask for removal.",
    ),
    _known(r"grey\W?list|gray\W?list", "The mail server wants to be asked again in a few minutes: the next laps do."),
)


def remedy_for(words: str, *, otherwise: str) -> str:
    """Return what to do about a mail server's words; `otherwise` where nothing is known about them."""
    return next((known.remedy for known in _KNOWN if known.pattern.search(words)), otherwise)
