"""What the contract needs to know of a CRM beside its adapter: how people work in it, and how it can go wrong."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from connector.ports import Condition, CrmAdapter, FieldSpec, Position, Query, Record
from connector.runtime.clock import SteppedClock

Breakage = Literal["down", "page", "forbidden", "quota"]
"""``down``: 5xx for every call; ``page``: a page of HTML instead of data; ``forbidden``: a missing right; ``quota``: the day's
calls are used up."""

LONGEST_NOTE = 40
PLANS = ("Basic", "Gold")


@dataclass(frozen=True, slots=True)
class Names:
    """What the CRM calls the things that the contract speaks of. All fields but the last three belong to `company`."""

    company: str
    name: str
    note: str
    """Text of at most `World.longest_note` characters."""
    plan: str
    """A picklist that takes PLANS and nothing else."""
    score: str
    """A whole number."""
    ticked: str
    """A boolean."""
    seen: str
    """A date and time."""
    key: str
    """Unique text, by which records are created once."""
    person: str
    surname: str
    employer: str
    """The lookup of a person's company."""
    employers_name: str
    """The path from a person to the name of their company."""


class World(ABC):
    """One CRM with one connection to it. Whatever is done here is done by people, not through the adapter."""

    names: ClassVar[Names]
    unknown_id: ClassVar[str]
    """Well-formed, and nobody's."""
    longest_note: ClassVar[int] = LONGEST_NOTE
    """How many characters the note takes; a CRM may have one limit for all text."""
    keeps_names: ClassVar[bool] = False
    """Whether a field that was deleted keeps others from being made under its name."""
    clock: SteppedClock
    adapter: CrmAdapter

    @abstractmethod
    def insert(self, object_name: str, values: Mapping[str, Any]) -> str:
        """Make a record; return its id."""

    @abstractmethod
    def update(self, object_name: str, record_id: str, values: Mapping[str, Any]) -> None:
        """Change a record."""

    @abstractmethod
    def delete(self, object_name: str, record_id: str) -> None:
        """Delete a record as a user does."""

    @abstractmethod
    def merge(self, object_name: str, survivor: str, loser: str) -> None:
        """Merge two records."""

    @abstractmethod
    def value(self, object_name: str, record_id: str, field: str) -> Any:
        """Return what a field holds now."""

    @abstractmethod
    def living(self, object_name: str) -> int:
        """Return how many records there are."""

    @abstractmethod
    def limit_fields(self, more: int, object_name: str) -> None:
        """Let the CRM's edition hold so many more custom fields of an object than it has."""

    @abstractmethod
    def small_pages(self) -> int:
        """Make the CRM answer in the smallest pages that it knows, and return how many records fill one."""

    @abstractmethod
    def commit_late(self, delay: timedelta) -> None:
        """Let the next statement be seen only `delay` after its stamp."""

    @abstractmethod
    def hide(self, object_name: str, field: str) -> None:
        """Take a field out of the integration user's sight."""

    @abstractmethod
    def lock(self, record_id: str) -> None:
        """Let somebody hold a record."""

    @abstractmethod
    def unlock(self, record_id: str) -> None:
        """Let go of it."""

    @abstractmethod
    def forbid(self, rule: str, note: str) -> None:
        """Let an automation refuse companies with this note, in the words of `rule`."""

    @abstractmethod
    def lose_next_answer(self) -> None:
        """Let the connection break after the next write was carried out, before its answer."""

    @abstractmethod
    def break_all(self, how: Breakage) -> None:
        """Let every call fail from now on."""

    @abstractmethod
    def mend(self) -> None:
        """Let calls succeed again."""

    @abstractmethod
    def expire_token(self) -> None:
        """End the session that the adapter has."""

    @abstractmethod
    def revoke(self) -> None:
        """Take the integration user's credentials away."""

    @abstractmethod
    def calls(self, kind: Literal["read", "write"]) -> int:
        """Return how many calls of a kind have reached the CRM."""

    @abstractmethod
    def become_test_org(self) -> None:
        """Turn the CRM into one that its vendor keeps for tests."""

    @abstractmethod
    def has_field(self, object_name: str, field: str) -> bool:
        """Return whether a field exists, visible or not."""

    # ── short ways ───────────────────────────────────────────────────────────────────────────────────────────────────

    def company(self, name: str = "Acme", **values: Any) -> str:
        """Make a company; keywords are the words of `Names`."""
        return self.insert(self.names.company, {self.names.name: name, **self._named(values)})

    def companies(self, count: int) -> list[str]:
        """Make many companies with one stamp."""
        return [self.company(f"Company {number:04}") for number in range(count)]

    def person(self, surname: str, company: str | None) -> str:
        """Make a person."""
        return self.insert(self.names.person, {self.names.surname: surname, self.names.employer: company})

    def rename(self, record_id: str, name: str) -> None:
        """Rename a company."""
        self.update(self.names.company, record_id, {self.names.name: name})

    def of(self, record_id: str, word: str) -> Any:
        """Return what a company's field holds; `word` is one of `Names`."""
        return self.value(self.names.company, record_id, getattr(self.names, word))

    def pass_time(self, step: timedelta = timedelta(minutes=1)) -> datetime:
        """Let time pass."""
        return self.clock.advance(step)

    def query(self, *where: Iterable[Condition], fields: Iterable[str] = ()) -> Query:
        """Ask for companies."""
        return Query(self.names.company, tuple(fields) or (self.names.name,), tuple(tuple(terms) for terms in where))

    def read(
        self, query: Query | None = None, *, since: datetime | None = None, after: Position | None = None
    ) -> list[Record]:
        """Return all records of a listing."""
        pages = self.adapter.changes(query or self.query(), since=since, after=after)
        return [record for page in pages for record in page.records]

    def _named(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {getattr(self.names, word): value for word, value in values.items()}


def field_specs(names: Names) -> list[FieldSpec]:
    """Return the fields of our own that the contract works with."""
    return [
        FieldSpec(names.company, names.note, "Note", "text", length=LONGEST_NOTE),
        FieldSpec(names.company, names.plan, "Plan", "picklist", options=PLANS),
        FieldSpec(names.company, names.score, "Score", "number", precision=3, scale=0),
        FieldSpec(names.company, names.ticked, "Ticked", "boolean"),
        FieldSpec(names.company, names.seen, "Seen", "datetime"),
        FieldSpec(names.company, names.key, "Key", "text", length=80, unique=True),
    ]
