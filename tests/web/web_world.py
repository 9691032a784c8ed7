"""A running web application with a store of its own, served by a real server on localhost."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property
from pathlib import Path
from typing import Any

import requests
from fastapi import FastAPI
from serving import serving
from sqlalchemy import Table, select

from connector.model import Delivery, NotedResult
from connector.ports.mail import Message
from connector.settings import Settings
from connector.settings.company import Company
from connector.stages.follow_up.outcome_links import note_by_link
from connector.stages.follow_up.states import OutcomeNoted
from connector.store import Store
from connector.store.tables import account, contact, decision, follow_up, invitation, owner, rating, response
from connector.surveys.questionnaire import questionnaire
from connector.surveys.survey_mail import Site
from connector.surveys.tokens import Tokens
from connector.web import WebParts, create_app
from connector.web.auth.sign_in_mails import MailParts, SignInMails
from connector.web.parts import SubmittedOutcome

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
SECRET = "a-secret-that-only-tests-know-0123456789"


class HandClock:
    """A clock that stands until it is moved."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class World:
    """The application, what it needs, and what it did."""

    store: Store
    url: str
    zone: tzinfo = UTC
    clock: HandClock = field(default_factory=HandClock)
    tokens: Tokens = field(default_factory=lambda: Tokens([SECRET]))
    answered: list[str] = field(default_factory=list)
    mailed: list[Message] = field(default_factory=list)
    http: requests.Session = field(default_factory=requests.Session)
    causes: dict[str, str] = field(default_factory=dict)
    language: str = "en"
    crms: set[str] = field(default_factory=lambda: {"acme", "acme-hub"})
    public: str = ""
    """The public address, where it is not `url`."""
    before_outcome: Callable[[], Any] | None = None
    """What happens once, after the next outcome was sent and before it is noted."""
    trouble: Callable[[], str] = lambda: ""
    """What the service says of itself."""
    send: Callable[[Message], None] | None = None
    """What a mail server does with a sign-in mail, before it counts as mailed."""

    @cached_property
    def sign_in_mails(self) -> SignInMails:
        """What sends the mails, as the service does."""
        return SignInMails(MailParts(self.store, self.clock, self.tokens, self.site, self._mail))

    def _mail(self, message: Message) -> None:
        if self.send is not None:
            self.send(message)
        self.mailed.append(message)

    def parts(self) -> WebParts:
        return WebParts(
            store=self.store,
            clock=self.clock,
            tokens=self.tokens,
            site=self.site,
            on_answer=self.answered.append,
            note_outcome=self._note_outcome,
            causes=self.causes,
            language=self.language,
            on_sign_in=self.sign_in_mails.wake,
            crms=self.crms,
            trouble=lambda: self.trouble(),
        )

    def _note_outcome(self, follow_up_id: str, given: SubmittedOutcome) -> NotedResult:
        meanwhile, self.before_outcome = self.before_outcome, None
        if meanwhile is not None:
            meanwhile()
        settings = Settings.model_construct(path=Path("config.toml"), follow_up={}, company=Company())
        noted = OutcomeNoted(given.outcome.value, given.cause, given.note)
        now = self.clock.now()
        result = note_by_link(self.store, settings, follow_up_id, noted, attempts=given.attempts, now=now)
        if result in (NotedResult.TAKEN, NotedResult.CORRECTED):
            self.answered.append(follow_up_id)
        return result

    @property
    def site(self) -> Site:
        return Site(self.public or self.url, "Acme Care", "care@acme.example", "hello@acme.example", self.zone)

    def invite(self, metric: str = "csat", language: str = "en", **changes: Any) -> str:
        """Store an invitation (with its decision) and return its survey token."""
        number = len(self.rows(invitation)) + 1
        key = changes.pop("id", f"invitation{number}")
        values = {
            "id": key,
            "decision_id": f"decision-of-{key}",
            "survey": "after-case",
            "connection": "acme",
            "account_id": "account1",
            "contact_id": "contact1",
            "interaction_id": f"interaction{number}",
            "person": "person1",
            "email": "maria@customer.example",
            "name": "Maria Virtanen",
            "language": language,
            "label": "case 00123",
            "owner_ref": "User/005",
            "owner_name": "Jane Doe",
            "questionnaire": questionnaire(metric, language).to_json(),
            "created_at": NOW,
            "due_at": NOW,
            "expires_at": NOW + timedelta(days=14),
            "state": Delivery.SENT,
            "sent_at": NOW,
            "reminder_at": NOW + timedelta(days=4),
        } | changes
        asked = {
            "id": values["decision_id"],
            "survey": "after-case",
            "connection": "acme",
            "interaction_id": values["interaction_id"],
            "contact_id": "contact1",
            "state": "invited",
            "decided_at": NOW,
        }
        with self.store.write() as tx:
            tx.execute(decision.insert(), asked)
            tx.execute(invitation.insert(), values)
        return self.tokens.survey(key)

    def rows(self, table: Table) -> list[Any]:
        with self.store.read() as tx:
            return list(tx.execute(select(table)))

    def responses(self) -> list[Any]:
        return sorted(self.rows(response), key=lambda row: row.revision)

    def ratings(self, response_id: str) -> dict[str, float]:
        return {row.question: row.value for row in self.rows(rating) if row.response_id == response_id}

    def put(self, table: Table, **values: Any) -> None:
        with self.store.write() as tx:
            tx.execute(table.insert(), values)

    def open_follow_up(self, **changes: Any) -> None:
        """Store a follow-up about Maria, opened and due now."""
        values = {
            "id": "follow-up",
            "rule": "low",
            "connection": "acme",
            "account_id": "account1",
            "customer": "customer1",
            "about": "contact1",
            "contact_id": "contact1",
            "owner_ref": "User/005",
            "subject": "Call Maria Virtanen",
            "body": "",
            "priority": "high",
            "state": "open",
            "opened_at": self.clock.at,
            "due_at": self.clock.at,
        } | changes
        self.put(follow_up, **values)

    def told(self, answers: int) -> list[str]:
        """Return for whom `on_answer` was called, once it was called so often: that happens after the page has gone out."""
        wait_until(lambda: len(self.answered) >= answers)
        return self.answered

    def mails(self, count: int) -> list[Message]:
        """Return the sign-in mails, once there are so many, or after a while in which there are not."""
        wait_until(lambda: len(self.mailed) >= count)
        return self.mailed

    def link(self, token: str, rest: str = "") -> str:
        return f"{self.url}/s/{token}{rest}"

    def get(self, token: str, rest: str = "", **options: Any) -> requests.Response:
        return self.http.get(self.link(token, rest), timeout=300, **options)

    def post(self, token: str, fields: Any, rest: str = "", **options: Any) -> requests.Response:
        options.setdefault("allow_redirects", False)
        return self.http.post(self.link(token, rest), data=fields, timeout=300, **options)


def wait_until(done: Callable[[], bool], seconds: float = 2) -> None:
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        time.sleep(0.01)


def _people(world: World) -> None:
    common = {"connection": "acme"}
    world.put(
        account,
        id="account1",
        ref="Account/001",
        customer="customer1",
        name="Virtanen Oy",
        owner_ref="User/005",
        is_customer=True,
        facts={},
        **common,
    )
    world.put(
        contact,
        id="contact1",
        ref="Contact/003",
        account_ref="Account/001",
        name="Maria Virtanen",
        email="maria@customer.example",
        person="person1",
        no_surveys=False,
        facts={},
        **common,
    )
    world.put(
        contact,
        id="contact2",
        ref="contacts/9",
        name="Maria Virtanen",
        email="maria@customer.example",
        person="person1",
        no_surveys=False,
        facts={},
        connection="acme-hub",
    )
    world.put(
        contact,
        id="contact3",
        ref="Contact/004",
        name="Somebody Else",
        email="else@customer.example",
        person="person2",
        no_surveys=False,
        facts={},
        **common,
    )
    world.put(
        owner,
        id="owner1",
        ref="User/005",
        name="Jane Doe",
        email="jane@acme.example",
        active=True,
        standard=True,
        **common,
    )


@contextmanager
def running(address: str, prefix: str = "", zone: tzinfo = UTC, public: str = "", **options: Any) -> Iterator[World]:
    """Serve the application until the block ends, from a database of this version; `options` are uvicorn's."""
    world = World(Store(address), "", zone, public=public)

    def pages(web: str) -> FastAPI:
        world.url = web + prefix
        _people(world)
        return create_app(world.parts())

    with closing(world.store):
        with serving(pages, **options), closing(world.http):
            yield world
        world.sign_in_mails.close()
