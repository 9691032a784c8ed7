"""People at work in an org that speaks Salesforce's protocol over HTTPS."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

from connected import connected
from crm_world import LONGEST_NOTE, PLANS, Breakage, Names, World

from adapters.salesforce import adapter
from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.salesforce import Field, Salesforce
from adapters.sandbox.salesforce.org.ids import to_18
from adapters.sandbox.server import RunningServer
from adapters.sandbox.web import Request, Response
from connector.ports import CrmAdapter
from connector.runtime.clock import SteppedClock

FIELDS = (
    Field("Note__c", "string", "Note", length=LONGEST_NOTE),
    Field("Plan__c", "picklist", "Plan", length=255, values=PLANS, restricted=True),
    Field("Score__c", "double", "Score", precision=3),
    Field("Ticked__c", "boolean", "Ticked"),
    Field("Seen__c", "datetime", "Seen"),
    Field("Ext__c", "string", "Key", length=80, external_id=True, unique=True),
)


class OrgClock(SandboxClock):
    """The org's clock is the test's."""

    def __init__(self, clock: SteppedClock) -> None:
        super().__init__(clock.now())
        self._shared = clock

    def now(self):  # type: ignore[no-untyped-def]
        return self._shared.now()


class Switchboard:
    """One server for all tests: each plugs in its own org."""

    def __init__(self) -> None:
        self.org: Salesforce | None = None

    def handle(self, request: Request) -> Response:
        assert self.org is not None
        return self.org.handle(request)

    def http_date(self) -> str:
        assert self.org is not None
        return self.org.http_date()


class SalesforceWorld(World):
    """An org, and an adapter that signs in by client credentials as somebody who may customise it."""

    names = Names(
        company="Account",
        name="Name",
        note="Note__c",
        plan="Plan__c",
        score="Score__c",
        ticked="Ticked__c",
        seen="Seen__c",
        key="Ext__c",
        person="Contact",
        surname="LastName",
        employer="AccountId",
        employers_name="Account.Name",
    )
    unknown_id = to_18("001Kx0000099999")

    def __init__(self, clock: SteppedClock, server: RunningServer) -> None:
        self.clock = clock
        self.org = Salesforce(OrgClock(clock))
        for field in FIELDS:
            self.org.new_field("Account", field, grant=True)
        self.app = self.org.oauth.register(self.org.admin_id)
        values = {
            "url": server.url,
            "auth": "client_credentials",
            "client_id": self.app.client_id,
            "client_secret": self.app.client_secret,
            "ca_bundle": str(server.ca_bundle),
        }
        self.adapter: CrmAdapter = connected(adapter, "acme", values, clock)
        self._late = timedelta()

    def insert(self, object_name: str, values: Mapping[str, Any]) -> str:
        late, self._late = self._late, timedelta()
        return self.org.insert(object_name, values, visible_after=late or None)

    def update(self, object_name: str, record_id: str, values: Mapping[str, Any]) -> None:
        self.org.update(object_name, record_id, values)

    def delete(self, object_name: str, record_id: str) -> None:
        self.org.delete(object_name, record_id)

    def merge(self, object_name: str, survivor: str, loser: str) -> None:
        self.org.merge(object_name, survivor, [loser])

    def value(self, object_name: str, record_id: str, field: str) -> Any:
        row = self.org.get(object_name, record_id)
        assert row is not None
        return row.get(field)

    def living(self, object_name: str) -> int:
        return self.org.count(object_name)

    def small_pages(self) -> int:
        self.org.rows_per_page = 3
        return 3

    def commit_late(self, delay: timedelta) -> None:
        self._late = delay

    def hide(self, object_name: str, field: str) -> None:
        self.org.hide(object_name, field)

    def lock(self, record_id: str) -> None:
        self.org.faults.lock_row(record_id)

    def unlock(self, record_id: str) -> None:
        self.org.faults.unlock_row(record_id)

    def forbid(self, rule: str, note: str) -> None:
        self.org.faults.refuse_row("Account", "FIELD_CUSTOM_VALIDATION_EXCEPTION", rule, key=note)

    def lose_next_answer(self) -> None:
        self.org.faults.drop("after", path="/composite/sobjects")

    def break_all(self, how: Breakage) -> None:
        faults, data = self.org.faults, "/services/data/"
        match how:
            case "down":
                faults.fail(
                    500, [{"message": "An unexpected error occurred", "errorCode": "UNKNOWN_EXCEPTION"}], times=None
                )
            case "page":
                faults.html(200, path=data, times=None)
            case "forbidden":
                no = [
                    {
                        "message": "The REST API is not enabled for this Organization.",
                        "errorCode": "API_DISABLED_FOR_ORG",
                    }
                ]
                faults.fail(403, no, path=data, times=None)
            case "quota":
                self.org.limits.most = 0

    def mend(self) -> None:
        self.org.faults.clear()

    def expire_token(self) -> None:
        self.org.oauth.end_all()

    def revoke(self) -> None:
        self.org.oauth.end_all()
        del self.org.oauth.clients[self.app.client_id]

    def calls(self, kind: Literal["read", "write"]) -> int:
        return self.org.calls_by_kind().get(kind, 0)

    def become_test_org(self) -> None:
        self.org.become_sandbox()

    def has_field(self, object_name: str, field: str) -> bool:
        return self.org.object(object_name).find(field) is not None

    def limit_fields(self, more: int, object_name: str) -> None:
        self.org.configure(custom_fields=len(self.org.rows("CustomField", TableEnumOrId=object_name)) + more)
