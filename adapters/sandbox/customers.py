"""Simulated customers: they read the mail that really arrived and answer on the page that it leads to, as a browser would.

How somebody feels follows from a seed and their address alone. People of one company (one mail domain) feel alike: some companies
are truly unhappy. Before some companies' people stands a mail scanner that opens every link of every mail several times.
"""

import random
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import parseaddr
from enum import StrEnum
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Literal, Protocol
from urllib.parse import parse_qs, urljoin, urlsplit

import requests

SCANS = 3
_TIMEOUT_S = 20
_LINK = re.compile(r"https?://[^\s<>\"]+")
_GONE = frozenset({404, 410})


class CustomersClock(Protocol):
    """Whoever tells the time."""

    def now(self) -> datetime:
        """The present, aware."""
        ...


class Temper(StrEnum):
    """How somebody reacts to being asked."""

    PLEASED = "pleased"
    SO_SO = "so_so"
    ANGRY = "angry"
    SILENT = "silent"
    LEAVING = "leaving"
    """Wants no more surveys."""


@dataclass(frozen=True)
class Personality:
    """What somebody is like. `talkative` is the chance of a comment, 0 to 1; the angry nearly always say why."""

    temper: Temper
    talkative: float
    scanned: bool


@dataclass(frozen=True)
class ReceivedInvitation:
    """A mail that asks, as its reader sees it: the answers it offers with their links, lowest first."""

    to: str
    subject: str
    language: str
    answers: tuple[tuple[int, str], ...]
    stop: str | None
    links: tuple[str, ...]


@dataclass(frozen=True)
class Deed:
    """What somebody did about one mail. `points` counts the answers it offered, `scans` the links a scanner opened."""

    to: str
    did: Literal["answered", "unsubscribed", "too late", "nothing"]
    at: datetime
    rating: int | None = None
    points: int = 0
    comment: str = ""
    scans: int = 0


# Of 100 people in a company that is content, undecided or unhappy: how many are of which temper.
_COMPANIES: tuple[tuple[int, Mapping[Temper, int]], ...] = (
    (55, {Temper.PLEASED: 52, Temper.SO_SO: 14, Temper.ANGRY: 3, Temper.SILENT: 28, Temper.LEAVING: 3}),
    (27, {Temper.PLEASED: 22, Temper.SO_SO: 38, Temper.ANGRY: 8, Temper.SILENT: 29, Temper.LEAVING: 3}),
    (18, {Temper.PLEASED: 4, Temper.SO_SO: 14, Temper.ANGRY: 50, Temper.SILENT: 27, Temper.LEAVING: 5}),
)
_SCANNED = 0.12
_TALKATIVE = {Temper.PLEASED: 0.4, Temper.SO_SO: 0.5, Temper.ANGRY: 0.95}
# Where on the scale somebody answers: 0 the worst point, 1 the best.
_RANGES = {Temper.PLEASED: (0.75, 1.0), Temper.SO_SO: (0.45, 0.75), Temper.ANGRY: (0.0, 0.3)}
_OTHERS_ANSWERED = 0.7


def personality(seed: int, address: str) -> Personality:
    """What the person behind an address is like; the same for the same seed, whatever was asked before."""
    person = address.strip().lower()
    domain = person.rpartition("@")[2]
    company = _chance(seed, "company", domain)
    weights = company.choices([name for _, name in _COMPANIES], [share for share, _ in _COMPANIES])[0]
    temper = _chance(seed, "person", person).choices(list(weights), list(weights.values()))[0]
    return Personality(temper, _TALKATIVE.get(temper, 0.0), company.random() < _SCANNED)


def opinion(seed: int, who: Personality, mail: ReceivedInvitation) -> tuple[int, str]:
    """The rating and the comment with which somebody who answers does so; comments are in the mail's language."""
    chance = _chance(seed, "opinion", mail.to, mail.subject)
    low, high = _RANGES[who.temper]
    values = [value for value, _ in mail.answers]
    rating = values[round(chance.uniform(low, high) * (len(values) - 1))]
    if chance.random() >= who.talkative:
        return rating, ""
    library = comments()
    return rating, chance.choice(library.get(mail.language, library["en"])[who.temper])


@cache
def comments() -> dict[str, dict[str, list[str]]]:
    """The comments by language and temper."""
    text = Path(__file__).with_name("comments.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def invitation(message: EmailMessage) -> ReceivedInvitation | None:
    """What a mail asks; None when it offers no answers."""
    body = message.get_body(("plain",))
    links = tuple(dict.fromkeys(_LINK.findall(body.get_content() if body else "")))
    answers = sorted((int(rating), link) for link in links for rating in _rating_of(link))
    if not answers:
        return None
    stop = next((link for link in links if urlsplit(link).path.endswith("/unsubscribe")), None)
    return ReceivedInvitation(
        to=parseaddr(str(message["To"]))[1].lower(),
        subject=str(message["Subject"]),
        language=str(message.get("Content-Language", "en")),
        answers=tuple(answers),
        stop=stop,
        links=links,
    )


class Customers:
    """Everybody who gets mail. The session stays the caller's; its errors (requests.RequestException) pass through."""

    def __init__(self, seed: int, session: requests.Session, clock: CustomersClock) -> None:
        self._seed = seed
        self._session = session
        self._clock = clock

    def read(self, message: EmailMessage) -> Deed | None:
        """Reacts to one mail, and tells how; None for a mail that asks nothing."""
        mail = invitation(message)
        if mail is None:
            return None
        who = personality(self._seed, mail.to)
        scans = self._scan(mail) if who.scanned else 0
        if who.temper is Temper.SILENT:
            return Deed(mail.to, "nothing", self._clock.now(), points=len(mail.answers), scans=scans)
        if who.temper is Temper.LEAVING:
            return self._leave(mail, scans)
        return self._answer(who, mail, scans)

    def _scan(self, mail: ReceivedInvitation) -> int:
        """Opens every link as mail scanners do: never presses a button, follows what it is led to."""
        for link in mail.links * SCANS:
            self._session.get(link, timeout=_TIMEOUT_S)
        return len(mail.links) * SCANS

    def _answer(self, who: Personality, mail: ReceivedInvitation, scans: int) -> Deed:
        rating, comment = opinion(self._seed, who, mail)
        link = dict(mail.answers)[rating]
        form = self._form(link)
        if form is None:
            return Deed(mail.to, "too late", self._clock.now(), points=len(mail.answers), scans=scans)
        self._send(link, form, self._filled(form, rating, comment, mail))
        return Deed(mail.to, "answered", self._clock.now(), rating, len(mail.answers), comment, scans)

    def _leave(self, mail: ReceivedInvitation, scans: int) -> Deed:
        form = self._form(mail.stop) if mail.stop else None
        if form is None or mail.stop is None:
            return Deed(mail.to, "too late", self._clock.now(), points=len(mail.answers), scans=scans)
        self._send(mail.stop, form, form.marked)
        return Deed(mail.to, "unsubscribed", self._clock.now(), points=len(mail.answers), scans=scans)

    def _filled(self, form: "Form", rating: int, comment: str, mail: ReceivedInvitation) -> dict[str, str]:
        """The form as somebody fills it in: what is marked stays, other scales mostly get a mark nearby, then the comment."""
        chance = _chance(self._seed, "form", mail.to, mail.subject)
        values = [value for value, _ in mail.answers]
        place = values.index(rating) / max(1, len(values) - 1)
        filled = dict(form.marked)
        for name, options in form.scales.items():
            if name not in filled and chance.random() < _OTHERS_ANSWERED:
                nearby = min(1.0, max(0.0, place + chance.uniform(-0.2, 0.2)))
                filled[name] = options[round(nearby * (len(options) - 1))]
        return filled | ({form.text: comment} if form.text else {})

    def _form(self, link: str) -> "Form | None":
        page = self._session.get(link, timeout=_TIMEOUT_S)
        if page.status_code in _GONE:
            return None
        page.raise_for_status()
        return form_of(page.text)

    def _send(self, link: str, form: "Form", fields: Mapping[str, str]) -> None:
        target = urljoin(link, form.action)
        if form.multipart:
            parts: dict[str, Any] = {name: (None, value) for name, value in fields.items()}
            answer = self._session.post(target, files=parts, timeout=_TIMEOUT_S)
        else:
            answer = self._session.post(target, data=dict(fields), timeout=_TIMEOUT_S)
        answer.raise_for_status()


@dataclass
class Form:
    """A form that posts: where to, what is filled in already, the options of each scale, the name of the text box."""

    action: str = ""
    multipart: bool = False
    marked: dict[str, str] = field(default_factory=dict)
    scales: dict[str, list[str]] = field(default_factory=dict)
    text: str = ""


def form_of(page: str) -> Form | None:
    """The first form of a page that posts; None when there is none."""
    reader = _FormReader()
    reader.feed(page)
    return reader.form


class _FormReader(HTMLParser):
    """Reads the first posting form as a browser does."""

    def __init__(self) -> None:
        super().__init__()
        self.form: Form | None = None
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form" and self.form is None and attributes.get("method", "").lower() == "post":
            self.form = Form(attributes.get("action", ""), attributes.get("enctype") == "multipart/form-data")
            self._inside = True
        elif self._inside and self.form is not None and attributes.get("name"):
            _read_field(self.form, tag, attributes)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False


def _read_field(form: Form, tag: str, attributes: Mapping[str, str]) -> None:
    name, kind, value = attributes["name"], attributes.get("type", "text"), attributes.get("value", "")
    if tag == "textarea":
        form.text = name
    elif tag == "input" and kind == "radio":
        form.scales.setdefault(name, []).append(value)
        if "checked" in attributes:
            form.marked[name] = value
    elif tag == "input" and kind == "hidden":
        form.marked[name] = value


def _rating_of(link: str) -> Iterator[str]:
    ratings = parse_qs(urlsplit(link).query).get("rating", [])
    return (rating for rating in ratings[:1] if rating.isascii() and rating.isdigit())


def _chance(seed: int, *what: str) -> random.Random:
    return random.Random(":".join((str(seed), *what)))  # noqa: S311 - nothing here is secret
