"""What stands on the pages of every pretend CRM, worked out without any HTML."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

PER_PAGE = 25
LATEST = 8
"""How many records a related list shows."""

Look = Literal["plain", "lines", "link", "outside", "mood"]
_SPECIAL = ("satisfaction", "satisfaction_from", "satisfaction_to", "mood", "attention", "summary", "details")


@dataclass(frozen=True)
class Shown:
    """One value with its label: text, and where it leads if it is a link."""

    name: str
    label: str
    text: str
    look: Look = "plain"
    href: str = ""


@dataclass(frozen=True)
class Card:
    """A group of values under a title."""

    title: str
    fields: list[Shown]


@dataclass(frozen=True)
class Line:
    """One record in a table: its link, and its values in the order of the columns."""

    name: str
    href: str
    cells: list[Shown]


@dataclass(frozen=True)
class RecordTable:
    """A list of records. `total` counts those that are not on this page too."""

    title: str
    name_label: str
    columns: list[str]
    lines: list[Line]
    total: int

    @property
    def pages(self) -> int:
        """How many pages the whole list has."""
        return max(1, -(-self.total // PER_PAGE))


@dataclass(frozen=True)
class ShownFollowUp:
    """A task of ours, as the page of its account shows it."""

    subject: str
    href: str
    due: str
    owner: str
    priority: str
    status: str
    outcome: str
    description: str
    open: bool


@dataclass(frozen=True)
class Action:
    """A button of a record's page, with a choice beside it where there are options (value, label); `chosen` is the present one.

    `blank` is what stands for no choice; without it there is always one.
    """

    href: str
    button: str
    title: str = ""
    field: str = ""
    question: str = ""
    blank: str = ""
    options: tuple[tuple[str, str], ...] = ()
    chosen: str = ""


@dataclass(frozen=True)
class Panel:
    """Our section of a record: the fields with a place of their own by short name, and the rest."""

    special: dict[str, Shown]
    rest: list[Shown]

    def text(self, name: str) -> str:
        """The value of a field with a place of its own; empty when it is hidden."""
        field = self.special.get(name)
        return field.text if field else ""

    @property
    def bar(self) -> tuple[float, float, float] | None:
        """The score and its range in percent of the scale; None unless all three are there."""
        texts = [self.text(name) for name in ("satisfaction", "satisfaction_from", "satisfaction_to")]
        if not all(texts):
            return None
        value, low, high = (float(text.replace(",", "")) for text in texts)
        return value, low, high


def completion(href: str, outcomes: tuple[tuple[str, str], ...]) -> Action:
    """The button that completes a task; with outcomes it asks how it went."""
    return Action(
        href,
        "Mark as completed",
        title="Complete this task",
        field="outcome",
        question="How did it go?",
        blank="Choose an outcome",
        options=outcomes,
    )


def panel_of(shown: dict[str, Shown]) -> Panel | None:
    """Our section from our fields by short name; None where there are none."""
    if not shown:
        return None
    rest = [field for name, field in shown.items() if name not in _SPECIAL]
    return Panel({name: field for name, field in shown.items() if name in _SPECIAL}, rest)


def web_address(name: str, label: str, text: str) -> Shown:
    """A web address as a link. Anything else stays text: a link of another kind could do harm."""
    safe = text.startswith(("https://", "http://"))
    return Shown(name, label, text, "outside" if safe else "plain", text if safe else "")


def mail_address(name: str, label: str, text: str) -> Shown:
    """A mail address as a link."""
    return Shown(name, label, text, "outside", f"mailto:{text}") if text else Shown(name, label, "")


def day(text: str) -> str:
    """A date as people read it: Fri 20 Nov 2026."""
    return f"{date.fromisoformat(text):%a %-d %b %Y}"


def moment(at: datetime) -> str:
    """A moment as people read it, in the zone that it brings."""
    return f"{at:%-d %b %Y, %H:%M}"
