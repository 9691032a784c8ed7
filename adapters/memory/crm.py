"""The CRM in memory: a small Salesforce that people work in, with short ways to do what they do."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from adapters.memory.database import SOMEBODY, Database
from adapters.memory.derive import derive
from adapters.memory.schema import CLOSED_CASE, DONE_TASK, LOST, WON, small_org
from connector.ports import Clock


class MemoryCrm(Database):
    """One CRM: its records, the rights of the integration user, its allowance of calls, and its faults.

    Times are those of `clock`. Builders take any further field by its own name, and return the new record's id.
    """

    def __init__(self, clock: Clock, *, name: str = "Northwind") -> None:
        super().__init__(clock, small_org(), derive=derive)
        self.name = name
        self.hidden: dict[str, set[str]] = {}
        """Fields that the integration user may not see, by object."""
        self.read_only: dict[str, set[str]] = {}
        """Fields that the integration user may see and not write, by object."""
        self.unrelatable: set[tuple[str, str]] = set()
        """Pairs of objects whose records cannot be associated by `Write.related`."""
        self.forbidden: set[str] = set()
        """Objects whose reading is refused outright."""
        self.revoked = False
        """Whether the integration user's credentials are refused."""
        self.allowed_today: int | None = None
        """Calls that all programs together may make in a day (UTC); None: as many as they like."""
        self.test_kind = ""
        """What the vendor calls an org that is kept for tests; empty for a production org."""
        self.most_fields: dict[str, int] = {}
        """By object, how many custom fields its edition allows; as many as they like for others."""
        self.tells_limits = True
        """Whether it says so before it refuses."""
        self.may_customise = True
        """Whether the integration user may make fields."""
        self._withheld: dict[str, frozenset[str]] = {}
        self._token = 1
        self._used: dict[str, int] = {}

    # ── the integration user ─────────────────────────────────────────────────────────────────────────────────────────

    def hide(self, object_name: str, field: str) -> None:
        """Take a field out of the integration user's sight."""
        self.hidden.setdefault(object_name, set()).add(field)

    def show(self, object_name: str, field: str) -> None:
        """Let the integration user see a field."""
        self.hidden.get(object_name, set()).discard(field)

    def protect(self, object_name: str, field: str) -> None:
        """Let the integration user only read a field."""
        self.read_only.setdefault(object_name, set()).add(field)

    def withhold(self, object_name: str, *rights: str) -> None:
        """Take rights to an object from the integration user, as told by its schema: read, create, update."""
        self._withheld[object_name] = frozenset(rights)

    def withheld(self, object_name: str) -> frozenset[str]:
        """Return the rights to an object that the integration user does not have."""
        return self._withheld.get(object_name, frozenset())

    def unseen(self, object_name: str) -> frozenset[str]:
        """Return the fields of an object that the integration user may not see."""
        return frozenset(self.hidden.get(object_name, ()))

    @property
    def token(self) -> int:
        """The access token that is good now."""
        return self._token

    def expire_token(self) -> None:
        """End all sessions: whoever calls next must sign in again."""
        self._token += 1

    @property
    def used_today(self) -> int:
        """Calls made today (UTC), by everybody."""
        return self._used.get(self.now().date().isoformat(), 0)

    def spend(self, calls: int = 1) -> None:
        """Use up calls of the day's allowance, as another program would."""
        today = self.now().date().isoformat()
        self._used[today] = self._used.get(today, 0) + calls

    # ── the CRM's own work ───────────────────────────────────────────────────────────────────────────────────────────────

    def insert(
        self, object_name: str, values: Mapping[str, Any], *, at: datetime | None = None, by: str = SOMEBODY
    ) -> str:
        """Make a record; an activity moves its account's stamp, as in the vendor's CRM (LastActivityDate)."""
        with self.lock:
            record_id = super().insert(object_name, values, at=at, by=by)
            account = self.get(record_id).get("AccountId") if object_name in ("Task", "Event") else None
            if account is not None:
                self.touch(account)
            return record_id

    # ── people's work ────────────────────────────────────────────────────────────────────────────────────────────────

    def user(self, name: str = "Ritva Laine", **values: Any) -> str:
        """Hire a colleague."""
        address = f"{name.replace(' ', '.').lower()}@northwind.example"
        return self.insert("User", {"Name": name, "Email": address, **values})

    def account(self, name: str = "Acme", *, at: datetime | None = None, **values: Any) -> str:
        """Win a customer; `Type="Prospect"` for one to be."""
        return self.insert("Account", {"Name": name, "Type": "Customer - Direct", **values}, at=at)

    def contact(
        self, account: str | None, name: str = "Maria Virtanen", *, at: datetime | None = None, **values: Any
    ) -> str:
        """Meet somebody; the e-mail address is made from the name unless one is given."""
        first, _, last = name.rpartition(" ")
        address = f"{name.replace(' ', '.').lower()}@customer.example"
        names_and_address = {"AccountId": account, "FirstName": first or None, "LastName": last, "Email": address}
        return self.insert("Contact", {**names_and_address, **values}, at=at)

    def case(
        self,
        account: str | None,
        contact: str | None = None,
        *,
        owner: str | None = None,
        at: datetime | None = None,
        **values: Any,
    ) -> str:
        """Open a case."""
        known = {"AccountId": account, "ContactId": contact, "OwnerId": owner, "Subject": "It does not start"}
        return self.insert("Case", {**known, **values}, at=at)

    def close(self, case: str, *, at: datetime | None = None) -> None:
        """Close a case."""
        self.update(case, {"Status": CLOSED_CASE}, at=at)

    def reopen(self, case: str) -> None:
        """Take a closed case up again."""
        self.update(case, {"Status": "Working"})

    def call(
        self,
        account: str | None,
        contact: str | None,
        *,
        owner: str | None = None,
        at: datetime | None = None,
        **values: Any,
    ) -> str:
        """Log a call that was held."""
        known = {"WhatId": account, "WhoId": contact, "OwnerId": owner, "Subject": "Check-in"}
        return self.insert("Task", {**known, "TaskSubtype": "Call", "Status": DONE_TASK, **values}, at=at)

    def meeting(
        self,
        account: str | None,
        contact: str | None,
        *,
        start: datetime,
        length: timedelta = timedelta(hours=1),
        owner: str | None = None,
        **values: Any,
    ) -> str:
        """Put a meeting into the calendar."""
        known = {"WhatId": account, "WhoId": contact, "OwnerId": owner, "Subject": "Review"}
        return self.insert("Event", {**known, "StartDateTime": start, "EndDateTime": start + length, **values})

    def deal(self, account: str | None, *, contact: str | None = None, owner: str | None = None, **values: Any) -> str:
        """Open an opportunity."""
        known = {"AccountId": account, "ContactId": contact, "OwnerId": owner, "Name": "Renewal"}
        dated = {"StageName": "Prospecting", "CloseDate": self.now().date()}
        return self.insert("Opportunity", {**known, **dated, **values})

    def win(self, deal: str) -> None:
        """Win an opportunity."""
        self.update(deal, {"StageName": WON})

    def lose(self, deal: str) -> None:
        """Lose an opportunity."""
        self.update(deal, {"StageName": LOST})

    def finish(self, task: str, **values: Any) -> None:
        """Complete a task."""
        self.update(task, {"Status": DONE_TASK, **values})
