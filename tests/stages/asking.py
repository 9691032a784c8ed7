"""A small installation for the tests of asking: a real store, a CRM that is a dictionary, a mailbox with switches."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select, update

from connector.errors import AfterwordError
from connector.model import Contact, Interaction, Ref
from connector.ports import Org, Query, Reading, Record
from connector.ports.mail import Message
from connector.runtime.clock import SteppedClock
from connector.settings import AskingLimits, Company, Schedule, Settings, Survey
from connector.stages.context import Connected, Context
from connector.stages.deliver import stage as deliver
from connector.stages.invite import stage as invite
from connector.store import Store
from connector.store import tables as t
from connector.store.surveys.decisions import go_live
from connector.store.surveys.people import person_key, person_of
from connector.surveys.survey_mail import Site
from connector.surveys.tokens import Tokens

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""A Monday; everything went live then."""
CRM = "acme"
SITE = Site("https://feedback.acme.example", "Acme", "care@acme.example")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def limits(**keys: Any) -> AskingLimits:
    """Nothing is limited but what is named, in the words of config.toml."""
    return AskingLimits(**{"quiet_period": "0s", "minimum_gap": "0s", "account_cap": "1000 per 0s"} | keys)


def survey(**keys: Any) -> Survey:
    """A survey without delay unless it is named."""
    return Survey(**{"on": "case.closed", "delay": "0s"} | keys)


class Mailbox:
    """Keeps every message it is handed; `failing` is raised for the next messages, one error each, None lets one through."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.tries: list[str] = []
        """For whom it was handed a message, whatever became of it."""
        self.failing: list[Any] = []
        self.unmakeable: BaseException | None = None
        """Why no message can be made."""
        self.refuse: Callable[[Message], AfterwordError | None] = lambda _message: None
        """Why a message is not taken."""

    def prepare(self, message: Message) -> "Prepared":
        if self.unmakeable is not None:
            raise self.unmakeable
        return Prepared(self, message)

    def send(self, message: Message) -> None:
        self.tries.append(message.to)
        error = self.failing.pop(0) if self.failing else self.refuse(message)
        if error is not None:
            raise error
        self.messages.append(message)

    def check(self) -> list[Any]:
        return []

    def close(self) -> None:
        return None

    @property
    def recipients(self) -> list[str]:
        return [message.to for message in self.messages]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A message that a `Mailbox` will be handed."""

    mailbox: Mailbox
    message: Message

    def send(self) -> None:
        self.mailbox.send(self.message)


class LittleCrm:
    """Adapter and mapping in one, over the model's own values; `down` is raised by the next call."""

    fingerprint = "1"
    won_deal_within: timedelta | None = None
    queries: Sequence[Query] = (Query("Contact", ("all",)), Query("Case", ("all",)))

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], Contact | Interaction] = {}
        self.down: Exception | None = None
        self.fetches: list[tuple[str, tuple[str, ...]]] = []
        self.clock_says = START

    def kinds(self, object_name: str) -> tuple[str, ...]:
        return ("contact", "case", "call", "meeting", "deal")

    def org(self) -> Org:
        if self.down is not None:
            raise self.down
        return Org("1", "Acme", "UTC", None, "1", None, self.clock_says)

    def fetch(self, object_name: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Record]:
        if self.down is not None:
            raise self.down
        self.fetches.append((object_name, tuple(ids)))
        there = ((id_, self.values.get((object_name, id_))) for id_ in ids)
        return {id_: Record(object_name, id_, "1", {"all": value}) for id_, value in there if value is not None}

    def read(self, connection: str, record: Record) -> Reading:
        return Reading("any", record.fields["all"])

    def record_url(self, ref: Ref) -> str:
        if self.down is not None:
            raise self.down
        return f"https://{ref.connection}.example/{ref.object}/{ref.id}"


@dataclass
class World:
    """One installation with one CRM."""

    store: Store
    clock: SteppedClock = field(default_factory=lambda: SteppedClock(START))
    crm: LittleCrm = field(default_factory=LittleCrm)
    mailbox: Mailbox = field(default_factory=Mailbox)
    surveys: dict[str, Survey] = field(default_factory=lambda: {"after-case": survey()})
    limits: AskingLimits = field(default_factory=limits)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    """Where the company is."""
    language: str = "en"
    """Of the company."""
    live: bool = True

    def context(self) -> Context:
        zones = {
            "company": Company.model_construct(timezone=self.zone, language=self.language),
            "schedule": Schedule.model_construct(timezone=self.zone),
        }
        settings = Settings.model_construct(path=Path("config.toml"), limits=self.limits, surveys=self.surveys, **zones)
        connected = Connected(CRM, self.crm, self.crm, self.crm, self.live)  # type: ignore[arg-type]
        return Context(self.store, settings, self.clock, {CRM: connected}, self.mailbox, Tokens(["k" * 32]))

    # ── what the CRM holds ──

    def account(
        self, name: str, *, crm: str = CRM, customer: str | None = None, is_customer: bool = True, **columns: Any
    ) -> str:
        row = {"customer": customer or name, "name": name, "is_customer": is_customer, "facts": {}} | columns
        return self._add(t.account, "account", crm, f"Account/{name}", name, **row)

    def person(self, name: str, account: str = "oy", *, crm: str = CRM, email: str | None = "", **columns: Any) -> str:
        address = f"{name}@{account}.example" if email == "" else email
        with self.store.write() as tx:
            person = person_of(person_key(tx), address) if address else None
        row = {"account_ref": f"Account/{account}", "name": name.title(), "email": address, "person": person}
        row |= {"no_surveys": False, "facts": {}} | columns
        self.crm.values["Contact", name] = Contact(Ref(crm, "Contact", name), name.title(), email=address)
        return self._add(t.contact, "contact", crm, f"Contact/{name}", name, **row)

    def user(self, name: str, *, email: str | None = None, timezone: str | None = None) -> None:
        row = {"name": name.title(), "email": email, "active": True, "timezone": timezone}
        self._add(t.owner, "owner", CRM, f"User/{name}", name, **row)

    def case(self, name: str, contacts: Sequence[str] = ("maria",), account: str | None = "oy", **columns: Any) -> str:
        ended_at = columns.pop("ended_at", self.clock.now())
        crm = columns.pop("crm", CRM)
        row = {
            "kind": "case",
            "label": f"case {name}",
            "account_ref": f"Account/{account}" if account else None,
            "contact_refs": [f"Contact/{contact}" for contact in contacts],
            "ended": "closed",
            "ended_at": ended_at,
            "updated_at": None,
            "facts": {},
            "decide_at": self.clock.now(),
        } | columns
        ended = (row["ended"], row["ended_at"])
        self.crm.values["Case", name] = Interaction(
            Ref(crm, "Case", name), "case", name, ended=ended[0], ended_at=ended[1]
        )
        return self._add(t.interaction, "interaction", crm, f"Case/{name}", name, **row)

    def change(self, name: str, **columns: Any) -> None:
        """As when a changed interaction is pulled."""
        with self.store.write() as tx:
            values = {"decide_at": self.clock.now()} | columns
            tx.execute(update(t.interaction).where(t.interaction.c.id == name).values(**values))

    def change_row(self, table: Any, id_: str, **columns: Any) -> None:
        with self.store.write() as tx:
            tx.execute(update(table).where(table.c.id == id_).values(**columns))

    def merge(self, loser: str, survivor: str) -> None:
        """As when a merge of two contacts is pulled."""
        with self.store.write() as tx:
            ref = t.binding.c.ref == f"Contact/{loser}"
            tx.execute(update(t.binding).where(ref).values(id=survivor, alias=True))

    def _add(self, table: Any, kind: str, crm: str, ref: str, id_: str, /, **columns: Any) -> str:
        with self.store.write() as tx:
            tx.execute(insert(table).values(id=id_, connection=crm, ref=ref, **columns))
            tx.execute(insert(t.binding).values(connection=crm, ref=ref, kind=kind, id=id_, content_hash=""))
        return id_

    # ── what has become of it ──

    def rows(self, table: Any) -> list[Any]:
        with self.store.read() as tx:
            return list(tx.execute(select(table).order_by(*table.primary_key)))

    def decisions(self) -> dict[tuple[str, str], tuple[str, str | None]]:
        """By interaction and contact: state and reason."""
        return {
            (row.interaction_id, row.contact_id): (row.state, row.reason)
            for row in sorted(self.rows(t.decision), key=lambda row: row.survey)
        }

    def decision(self, case: str, contact: str = "maria") -> tuple[str, str | None]:
        return self.decisions()[case, contact]

    def invited(self) -> list[str]:
        return sorted(row.contact_id for row in self.rows(t.invitation))

    def moves(self) -> list[tuple[str, str | None]]:
        return [(row.state, row.reason) for row in self.rows(t.decision_log)]


def world(store: Store) -> World:
    """An installation that is live since `START`, with one account that has one contact, maria."""
    made = World(store)
    with store.write() as tx:
        tx.execute(insert(t.connection_state).values(connection=CRM))
        go_live(tx, "survey:after-case", CRM, START)
    made.account("oy")
    made.person("maria")
    return made


def lap(here: World) -> deliver.DeliverResult:
    """Invite, then deliver."""
    invite.run(here.context())
    return deliver.run(here.context(), SITE)


def states(here: World) -> list[str]:
    """Return the state of each invitation."""
    return [row.state for row in here.rows(t.invitation)]


def attempts(here: World) -> list[tuple[str, str]]:
    """Return what was handed to a channel: for which purpose, and how it ended."""
    return [(row.purpose, row.state) for row in here.rows(t.attempt)]
