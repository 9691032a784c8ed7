"""People at work in an account that speaks HubSpot's protocol over HTTPS."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

from connected import connected
from crm_world import PLANS, Breakage, Names, World

from adapters.hubspot import adapter
from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.hubspot import HubSpot, Option, Property
from adapters.sandbox.server import RunningServer
from adapters.sandbox.web import Request, Response
from connector.ports import CrmAdapter
from connector.runtime.clock import SteppedClock

EMPLOYER = "associations.companies"
FIELDS = (
    Property("note", label="Note"),
    Property("plan", "enumeration", "select", "Plan", options=tuple(Option(plan, plan) for plan in PLANS)),
    Property("score", "number", "number", "Score"),
    Property("ticked", "bool", "booleancheckbox", "Ticked", options=(Option("Yes", "true"), Option("No", "false"))),
    Property("seen", "datetime", "date", "Seen"),
    Property("ext_key", label="Key", unique=True),
)


class PortalClock(SandboxClock):
    """The account's clock is the test's."""

    def __init__(self, clock: SteppedClock) -> None:
        super().__init__(clock.now())
        self._shared = clock

    def now(self):  # type: ignore[no-untyped-def]
        return self._shared.now()


class PortalSwitch:
    """One server for all tests: each plugs in its own account."""

    def __init__(self) -> None:
        self.portal: HubSpot | None = None

    def handle(self, request: Request) -> Response:
        assert self.portal is not None
        return self.portal.handle(request)

    def http_date(self) -> str:
        assert self.portal is not None
        return self.portal.http_date()


class HubSpotWorld(World):
    """An account, and an adapter with a service key that may do everything."""

    names = Names(
        company="companies",
        name="name",
        note="note",
        plan="plan",
        score="score",
        ticked="ticked",
        seen="seen",
        key="ext_key",
        person="contacts",
        surname="lastname",
        employer=EMPLOYER,
        employers_name=f"{EMPLOYER}.name",
    )
    unknown_id = "99999999999"
    longest_note = 65_536
    keeps_names = True

    def __init__(self, clock: SteppedClock, server: RunningServer) -> None:
        self.clock = clock
        self.portal = HubSpot(PortalClock(clock))
        self.portal.configure(merges_make_new_ids=())
        for field in FIELDS:
            self.portal.new_property("companies", field)
        values = {"url": server.url, "access_token": self.portal.access_token, "ca_bundle": str(server.ca_bundle)}
        self._values = values
        self.adapter: CrmAdapter = connected(adapter, "acme", values, clock)

    def insert(self, object_name: str, values: Mapping[str, Any]) -> str:
        own = {name: value for name, value in values.items() if name != EMPLOYER and value is not None}
        record_id = self.portal.insert(object_name, own)
        if values.get(EMPLOYER):
            self.portal.associate(object_name, record_id, "companies", values[EMPLOYER])
        return record_id

    def update(self, object_name: str, record_id: str, values: Mapping[str, Any]) -> None:
        self.portal.update(object_name, record_id, values)

    def delete(self, object_name: str, record_id: str) -> None:
        self.portal.delete(object_name, record_id)

    def merge(self, object_name: str, survivor: str, loser: str) -> None:
        assert self.portal.merge(object_name, survivor, [loser]) == survivor

    def use(self, token: str) -> None:
        """Let the adapter act by another key."""
        self.adapter.close()
        self.adapter = connected(adapter, "acme", self._values | {"access_token": token}, self.clock)

    def value(self, object_name: str, record_id: str, field: str) -> Any:
        row = self.portal.get(object_name, record_id)
        assert row is not None
        return row.get(field)

    def living(self, object_name: str) -> int:
        return self.portal.count(object_name)

    def small_pages(self) -> int:
        return 1_000  # the adapter joins five searches of the largest size that there is

    def commit_late(self, delay: timedelta) -> None:
        self.portal.faults.hide_commits(delay, object_name="companies", times=1)

    def hide(self, object_name: str, field: str) -> None:
        """Archive the property: HubSpot knows no property that one key sees and another does not."""
        self.portal.object(object_name).properties.pop(field)

    def lock(self, record_id: str) -> None:
        self.portal.faults.lock_row(record_id)

    def unlock(self, record_id: str) -> None:
        self.portal.faults.unlock_row(record_id)

    def forbid(self, rule: str, note: str) -> None:
        self.portal.faults.refuse_row(
            "companies", "VALIDATION_ERROR", rule, test=lambda values: note in values.values()
        )

    def lose_next_answer(self) -> None:
        self.portal.faults.drop("after", path="/batch/upsert")

    def break_all(self, how: Breakage) -> None:
        faults = self.portal.faults
        match how:
            case "down":
                faults.fail(500, {"status": "error", "message": "internal error"}, times=None)
            case "page":
                faults.html(200, times=None)
            case "forbidden":
                said = "This app hasn't been granted all required scopes to make this call."
                faults.fail(403, {"status": "error", "message": said, "category": "MISSING_SCOPES"}, times=None)
            case "quota":
                self.portal.limits.daily = 0

    def mend(self) -> None:
        self.portal.faults.clear()

    def expire_token(self) -> None:
        """Service keys do not run out: there is nothing to do, and nothing to be seen of it."""

    def revoke(self) -> None:
        self.portal.oauth.end(self.portal.access_token)

    def calls(self, kind: Literal["read", "write"]) -> int:
        return self.portal.calls_by_kind().get(kind, 0)

    def become_test_org(self) -> None:
        self.portal.account_type = "SANDBOX"

    def has_field(self, object_name: str, field: str) -> bool:
        found = self.portal.object(object_name).properties.get(field)
        return found is not None and found.archived is None

    def limit_fields(self, more: int, object_name: str) -> None:
        held = self.portal.object(object_name)
        self.portal.configure(custom_properties=sum(not one.standard for one in held.properties.values()) + more)
