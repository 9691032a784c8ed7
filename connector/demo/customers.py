"""Customers who read their mail and answer on the real page, each in their own way; and the mail scanner before some of them."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from html.parser import HTMLParser
from typing import Final, Literal
from urllib.parse import urljoin

import requests

from connector.demo.mail import Mail

_TIMEOUT: Final = 20


class Temper(StrEnum):
    """How somebody answers."""

    HAPPY = "happy"
    CONTENT = "content"
    ANGRY = "angry"
    SILENT = "silent"
    SCANNED = "scanned"
    """Silent, behind a mail scanner that opens every link."""


# By the number of points on the scale: five (csat), seven (ces), eleven (nps).
_RATINGS: Final[Mapping[Temper, Mapping[int, tuple[int, ...]]]] = {
    Temper.HAPPY: {5: (4, 5, 5), 7: (6, 7), 11: (9, 10)},
    Temper.CONTENT: {5: (3, 4, 4), 7: (4, 5, 6), 11: (7, 8, 9)},
    Temper.ANGRY: {5: (1, 1, 2), 7: (1, 2, 3), 11: (1, 3, 5)},
}
_COMMENTS: Final[Mapping[Temper, tuple[str, ...]]] = {
    Temper.HAPPY: ("Quick and friendly, thank you.", "Solved on the first call.", "", ""),
    Temper.CONTENT: ("Fine in the end, but it took a while.", "", "", ""),
    Temper.ANGRY: (
        "Nobody called back, and the line stood still all day.",
        "Third time the same fault. We are looking at others now.",
        "I explained it all to four people.",
    ),
}


@dataclass(frozen=True, slots=True)
class Reaction:
    """What became of one mail."""

    to: str
    who: str
    did: Literal["answered", "scanned", "nothing"]
    points: int = 0
    """How many answers the mail offered: five (csat), seven (ces), eleven (nps)."""
    rating: int | None = None
    comment: str = ""
    gets: int = 0
    """Links that a scanner opened."""


class Customers:
    """Everybody who gets mail. What they do follows from the seed and their address alone, whatever comes first."""

    def __init__(self, tempers: Mapping[str, Temper], names: Mapping[str, str], seed: int) -> None:
        self._tempers = tempers
        self._names = names
        self._seed = seed
        self._http = requests.Session()

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    def read(self, mail: Mail) -> Reaction | None:
        """React to a mail; None for one that is to somebody else, or asks nothing."""
        temper = self._tempers.get(mail.to)
        survey = next((link for link in mail.links if "?rating=" in link), None)
        if temper is None or survey is None:
            return None
        who = self._names[mail.to]
        if temper is Temper.SCANNED:
            return Reaction(mail.to, who, "scanned", gets=self._open_all(mail.links))
        if temper is Temper.SILENT:
            return Reaction(mail.to, who, "nothing")
        return self._answer(who, temper, mail)

    def _open_all(self, links: list[str]) -> int:
        for link in links:
            self._http.get(link, timeout=_TIMEOUT).raise_for_status()
        return len(links)

    def _answer(self, who: str, temper: Temper, mail: Mail) -> Reaction:
        chance = random.Random(f"{self._seed}:{mail.to}:{mail.subject}")  # noqa: S311 - nothing here is secret
        offered = [link for link in mail.links if "?rating=" in link]
        values = sorted(int(link.partition("?rating=")[2]) for link in offered)
        rating = chance.choice(_RATINGS[temper][len(values)])
        comment = chance.choice(_COMMENTS[temper])
        link = next(one for one in offered if one.endswith(f"?rating={rating}"))
        page = self._http.get(link, timeout=_TIMEOUT)
        page.raise_for_status()
        form = _form(page.text)
        fields = {**form.chosen, form.comment: comment}
        self._http.post(urljoin(link, form.action), data=fields, timeout=_TIMEOUT).raise_for_status()
        return Reaction(mail.to, who, "answered", points=len(values), rating=rating, comment=comment)


@dataclass(slots=True)
class _Form:
    action: str = ""
    comment: str = ""
    chosen: dict[str, str] = field(default_factory=dict)


class _FormReader(HTMLParser):
    """Reads the page's form as a browser fills it in: where it goes, what is marked, and where the comment goes."""

    def __init__(self) -> None:
        super().__init__()
        self.form = _Form()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take in one tag."""
        values = dict(attrs)
        if tag == "form":
            self.form.action = values.get("action") or ""
        elif tag == "textarea":
            self.form.comment = values.get("name") or ""
        elif tag == "input" and values.get("type") == "radio" and "checked" in values:
            self.form.chosen[values.get("name") or ""] = values.get("value") or ""


def _form(html: str) -> _Form:
    reader = _FormReader()
    reader.feed(html)
    return reader.form
