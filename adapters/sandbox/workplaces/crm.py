"""One pretend CRM with everybody in it: who is there, what people do, and what it looks like from outside."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from adapters.sandbox.web import Request, Response
from connector.model import Ref
from connector.ports import AdminToken


@dataclass(frozen=True, slots=True)
class WorkplaceAccount:
    """A company's record."""

    ref: Ref
    name: str
    domain: str
    """Of its website: the same in every CRM that knows the company."""
    owner: str
    """Whose it is, by the CRM's id; empty for nobody's."""
    is_customer: bool
    row: Mapping[str, Any]
    """Every field but those that the CRM moves by itself."""


@dataclass(frozen=True, slots=True)
class WorkplaceContact:
    """Somebody's record at a company; some people have several."""

    ref: Ref
    name: str
    address: str
    """In small letters."""
    account: Ref
    opted_out: bool
    """Whether the CRM says that this person wants no mail."""


@dataclass(frozen=True, slots=True)
class WorkplaceCompany:
    """A customer, with people who can be written to."""

    account: WorkplaceAccount
    people: Sequence[WorkplaceContact]

    @property
    def name(self) -> str:
        """The account's name."""
        return self.account.name


@dataclass(frozen=True, slots=True)
class TaskFields:
    """What the follow-up task's own fields are called in the CRM."""

    key: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Todo:
    """A follow-up task that nobody has done yet."""

    id: str
    subject: str
    owner: str
    made_at: datetime
    due_on: str
    """The day, as ISO text."""


class Crm(Protocol):
    """One pretend CRM. Colleagues go by the CRM's ids, records too; what people do happens at the present of its clock."""

    name: str
    """Of its adapter, and of its connection in config.toml."""
    title: str
    """What people call it."""
    case_word: str
    """What it calls a case."""
    page_root: str
    """The first part of the path of each of its pages."""
    about: Mapping[str, str]
    """The fields of a task that lead to its `account` and `contact`."""

    def handle(self, request: Request) -> Response:
        """Answer a call or the request for a page."""

    def http_date(self) -> str:
        """Return the Date header."""

    def now(self) -> datetime:
        """Return the present."""

    # ── how Afterword gets in ──

    def sign_in(self) -> Mapping[str, str]:
        """Return what stands in the connection's table besides the address and the secret."""

    def secret(self) -> tuple[str, str]:
        """Return the key of the connection's secret, and the secret."""

    def as_admin(self, user: str) -> AdminToken | None:
        """Return an administrator's token to set the CRM up with; `user` is whom the connection acts as.

        None: the connection's own credentials will do.
        """

    def show_our_fields(self) -> None:
        """Do what an admin does by hand after the set-up, so that people see our fields."""

    def served_at(self, url: str) -> None:
        """Take note of where it is served: the addresses of its records begin like that."""

    # ── who is there ──

    def accounts(self) -> list[WorkplaceAccount]:
        """Return all accounts, by id."""

    def contacts(self) -> list[WorkplaceContact]:
        """Return everybody at a company who can be written to, by id."""

    def staff(self) -> list[str]:
        """Return the colleagues who work here, and have not left."""

    def service(self) -> list[str]:
        """Return those of them who serve customers."""

    def colleague(self, colleague: str) -> str:
        """Return somebody's name."""

    def address(self, colleague: str) -> str:
        """Return somebody's e-mail address."""

    def writes(self) -> int:
        """Return how many calls that write came in until now."""

    # ── what people do ──

    def open_case(
        self, company: WorkplaceCompany, person: WorkplaceContact, subject: str, *, agent: str
    ) -> tuple[str, str]:
        """Take up a case; returns its id, and the number that people know it by."""

    def close_case(self, case: str, *, agent: str) -> None:
        """Close a case."""

    def hold_call(self, company: WorkplaceCompany, person: WorkplaceContact, subject: str, *, agent: str) -> None:
        """Log a call that has just ended."""

    def hold_meeting(self, company: WorkplaceCompany, person: WorkplaceContact, subject: str, *, agent: str) -> None:
        """Log a meeting of the last hour."""

    def offer_deal(self, company: WorkplaceCompany, person: WorkplaceContact, name: str) -> str:
        """Make an offer in the name of the account's owner; returns the deal's id."""

    def win_deal(self, deal: str, *, owner: str) -> None:
        """Win a deal."""

    def open_tasks(self, fields: TaskFields) -> Iterable[Todo]:
        """Return our tasks that are open."""

    def complete_task(self, task: Todo, outcome: str, fields: TaskFields) -> None:
        """Let the owner of a task complete it."""
