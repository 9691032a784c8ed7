"""Whole laps on the fastest parts: a CRM in memory, a mailbox, a real store and a clock that is moved by hand."""

import shutil
from collections.abc import Sequence
from copy import copy, deepcopy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from asking import Mailbox
from sqlalchemy import Table, select

from adapters.memory import MemoryAdapter, MemoryCrm
from connector.app import wiring
from connector.app.adapter_packages import installed_adapters
from connector.commands import status
from connector.domain.follow_up_rules import SCALES
from connector.model import MARK_KEY, Rating
from connector.runtime import installation_id
from connector.runtime.clock import SteppedClock
from connector.settings import load
from connector.stages import lap
from connector.stages.connection.connect import Endpoint, describe_all
from connector.stages.installation import Installation
from connector.stages.lap import Report
from connector.store import Store, tables
from connector.store.db.location import place_of
from connector.store.ops import marks
from connector.store.surveys import answers

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
CSAT = '[surveys.after-case]\non = "case.closed"\ndelay = "0s"\nreminder_after = "0s"\n'
UNHAPPY = '[follow_up.unhappy]\nwhen = "csat <= 2"\n'
CONFIG = """
[web]
public_url = "https://feedback.acme.example"
secret = "a secret that is only good for this test, long enough"
[email]
host = "localhost"
security = "none"
from = "Acme Care <care@acme.example>"
[crm.acme]
adapter = "salesforce"
mode = "live"
url = "https://acme.my.salesforce.com"
access_token = "x"
[limits]
quiet_period = "0s"
minimum_gap = "0s"
account_cap = "1000 per 0s"
daily_sends = 100000
"""


class LapWorld:
    """An installation that is live on a CRM in memory, and what people do around it."""

    def __init__(self, folder: Path, clock: SteppedClock, store: Store) -> None:
        self.folder = folder
        self.clock = clock
        self.store = store
        self.crm = MemoryCrm(clock)
        self.adapter = MemoryAdapter(self.crm, "acme", page_size=20)
        self.mailbox = Mailbox()
        self.rep = self.crm.user("Ritva Laine")
        self.installation: Installation
        self._configured: dict[str, str] = {}
        self.configure(CSAT + UNHAPPY)
        self._set_up()

    def twin(self, folder: Path, clock: SteppedClock, store: Store) -> Self:
        """Return a world of its own that is at the same point as this one, whose store is closed.

        The other store's file is replaced, and the clock moved on to this world's time.
        """
        twin, own = copy(self), {"folder": folder, "clock": clock, "store": store}
        store.close()
        assert self.store.path is not None
        assert store.path is not None
        shutil.copyfile(self.store.path, store.path)
        clock.set(self.clock.now())
        in_its_place = {id(getattr(self, name)): part for name, part in own.items()}
        # The installation is wired anew below.
        twin.__dict__ = deepcopy(vars(self), {**in_its_place, id(self.installation): self.installation})
        twin.configure(**self._configured)
        twin._has_always_been_here(self.folder)
        return twin

    def _has_always_been_here(self, before: Path) -> None:
        """Take over the installation's id and the place of its store: it was not moved, and is no clone."""
        if (before / installation_id.FILE).exists():
            shutil.copyfile(before / installation_id.FILE, self.folder / installation_id.FILE)
        with self.store.write() as tx:
            for endpoint in self.installation.endpoints:
                own = marks.own_runs(tx, endpoint.name)
                if own.places:
                    marks.keep(tx, endpoint.name, replace(own, places=(place_of(self.store.url),)))

    def configure(self, rules: str, *, config: str = CONFIG, credentials: str = "") -> None:
        """Write other rules into config.toml; other credentials may lead to another org."""
        self._configured = {"rules": rules, "config": config, "credentials": credentials}
        path = self.folder / "config.toml"
        path.write_text(config + rules, encoding="utf-8")
        settings = load(path, environ={}, adapters=installed_adapters())
        mapping = wiring.read_mappings(settings)["acme"]
        endpoint = Endpoint("acme", self.adapter, mapping, mode_live=True, mapping_name="m", credentials=credentials)
        self.installation = wiring.build(
            settings, clock=self.clock, store=self.store, channel=self.mailbox, endpoints=[endpoint]
        )

    def _set_up(self) -> None:
        endpoint = self.installation.endpoints[0]
        mapping, _problems = endpoint.mapping.fit(describe_all(endpoint.adapter, endpoint.mapping))
        steps = self.adapter.plan_setup(mapping.wanted_fields())
        assert all(result.done for result in self.adapter.apply_setup(steps))

    # ── time ──

    def lap(self, after: timedelta = timedelta(minutes=5)) -> Report:
        """Let time pass and run a lap."""
        self.clock.advance(after)
        return lap.run(self.installation)

    # ── people ──

    def account(self, name: str = "Northwind", **values: Any) -> str:
        """Win a customer, who belongs to the rep unless an owner is named."""
        return self.crm.account(name, **{"OwnerId": self.rep} | values)

    def ask(self, account: str, contact: str, owner: str | None = None) -> str:
        """Close a case, let its contact be asked, and return the invitation."""
        case = self.crm.case(account, contact, owner=owner)
        self.clock.advance(timedelta(minutes=1))
        self.crm.close(case)
        before = {row.id for row in self.rows(tables.invitation)}
        self.lap()
        (made,) = {row.id for row in self.rows(tables.invitation)} - before
        return str(made)

    def answer(self, invitation: str, value: float, comment: str = "", *, metric: str = "csat") -> None:
        """Answer an invitation, as its page does."""
        low, high = SCALES[metric]
        self.clock.advance(timedelta(minutes=1))
        with self.store.write() as tx:
            recorded = answers.record(
                tx,
                invitation,
                [Rating(metric, metric, value, low, high)],
                comment=comment,
                now=self.clock.now(),
            )
        assert recorded is not None

    def rated(self, account: str, value: float, *, owner: str | None = None, comment: str = "", who: str = "") -> str:
        """Let somebody new of an account be asked, answer, and the answer be taken in; returns the invitation."""
        contact = self.crm.contact(account, who or f"Person {len(self.crm.all('Contact'))}")
        invitation = self.ask(account, contact, owner)
        self.answer(invitation, value, comment)
        self.lap()
        return invitation

    def ask_people(self, people: Sequence[tuple[str, str]]) -> list[str]:
        """Ask contacts of accounts, whose names differ, about a case each in one lap, and return their invitations in that order."""
        before = {row.id for row in self.rows(tables.invitation)}
        cases = [self.crm.case(account, contact) for account, contact in people]
        self.clock.advance(timedelta(minutes=1))
        for case in cases:
            self.crm.close(case)
        self.lap()
        made = {row.email: str(row.id) for row in self.rows(tables.invitation) if row.id not in before}
        assert len(made) == len(people)
        return [made[self.crm.get(contact)["Email"]] for _, contact in people]

    def rate_all(self, ratings: Sequence[tuple[str, float]]) -> None:
        """Let somebody new of each account give the value beside it, in this order; one lap asks them, and the next takes all in."""
        people = [
            (account, self.crm.contact(account, f"Person {len(self.crm.all('Contact'))}")) for account, _ in ratings
        ]
        for invitation, (_, value) in zip(self.ask_people(people), ratings, strict=True):
            self.answer(invitation, value)
        self.lap()

    def ask_for_reps(self, count: int) -> list[str]:
        """Ask a person of each of so many companies in one lap, and return the invitations.

        Each company has a rep of its own: rep-0@acme.example and so on.
        """
        people = []
        for number in range(count):
            owner = self.crm.user(f"Rep {number}", Email=f"rep-{number}@acme.example")
            account = self.account(f"Company {number}", OwnerId=owner)
            people.append((account, self.crm.contact(account, f"Person {number}")))
        return self.ask_people(people)

    # ── looking ──

    def rows(self, table: Table) -> Sequence[Any]:
        """Return a table's rows."""
        with self.store.read() as tx:
            return tx.execute(select(table)).all()

    def shows(self, record_id: str) -> dict[str, Any]:
        """Return what our fields of a record show, without prefix and suffix, empty ones left out."""
        row = self.crm.get(record_id)
        found = {name[10:-3]: value for name, value in row.items() if name.startswith("Afterword_")}
        return {name: value for name, value in found.items() if value not in (None, "")}

    def tasks(self) -> list[dict[str, Any]]:
        """Return our tasks."""
        return [row for row in self.crm.all("Task") if row.get("Afterword_Key__c") not in (None, MARK_KEY)]

    def refused(self) -> list[dict[str, Any]]:
        """Return what was set aside."""
        refused: list[dict[str, Any]] = status.status(self.installation)["refused"]
        return refused

    def writes(self) -> int:
        """Count the writing calls that reached the CRM, less those that renewed the installation's mark."""
        mark = {row["Id"] for row in self.crm.all("Task") if row.get("Afterword_Key__c") == MARK_KEY}
        return sum(call.kind == "write" and not mark & set(call.records) for call in self.crm.log.calls)
