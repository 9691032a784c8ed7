"""People at work in the CRM in memory."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

from crm_world import Breakage, Names, World, field_specs

from adapters.memory import MemoryAdapter, MemoryCrm
from connector.errors import NotPermitted, RuleRefused, Unavailable
from connector.ports import CrmAdapter
from connector.runtime.clock import SteppedClock


class MemoryWorld(World):
    """A CRM in memory."""

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
    unknown_id = "001999999999999AAA"

    def __init__(self, clock: SteppedClock) -> None:
        self.clock = clock
        self.crm = MemoryCrm(clock)
        self.memory = MemoryAdapter(self.crm, "acme", page_size=1000)
        self.adapter: CrmAdapter = self.memory
        made = list(self.adapter.apply_setup(self.adapter.plan_setup(field_specs(self.names))))
        assert all(result.done for result in made)

    def insert(self, object_name: str, values: Mapping[str, Any]) -> str:
        made = self.crm.insert(object_name, values)
        self.crm.commit_delay = timedelta()
        return made

    def update(self, object_name: str, record_id: str, values: Mapping[str, Any]) -> None:
        self.crm.update(record_id, values)

    def delete(self, object_name: str, record_id: str) -> None:
        self.crm.delete(record_id)

    def merge(self, object_name: str, survivor: str, loser: str) -> None:
        self.crm.merge(survivor, loser)

    def value(self, object_name: str, record_id: str, field: str) -> Any:
        return self.crm.get(record_id)[field]

    def living(self, object_name: str) -> int:
        return len(self.crm.all(object_name))

    def small_pages(self) -> int:
        self.memory.page_size = 3
        return 3

    def commit_late(self, delay: timedelta) -> None:
        self.crm.commit_delay = delay

    def hide(self, object_name: str, field: str) -> None:
        self.crm.hide(object_name, field)

    def lock(self, record_id: str) -> None:
        self.crm.faults.lock(record_id)

    def unlock(self, record_id: str) -> None:
        self.crm.faults.unlock(record_id)

    def forbid(self, rule: str, note: str) -> None:
        self.crm.faults.refuse(RuleRefused(rule), lambda _id, values: values.get(self.names.note) == note)

    def lose_next_answer(self) -> None:
        self.crm.faults.drop_after()

    def break_all(self, how: Breakage) -> None:
        if how == "quota":
            self.crm.allowed_today = 0
            return
        error = NotPermitted("no access.") if how == "forbidden" else Unavailable("no answer.")
        self.crm.faults.fail(error, times=None)

    def mend(self) -> None:
        self.crm.faults.clear()
        self.crm.allowed_today = None

    def expire_token(self) -> None:
        self.crm.expire_token()

    def revoke(self) -> None:
        self.crm.revoked = True

    def calls(self, kind: Literal["read", "write"]) -> int:
        return len(self.crm.log.of(kind))

    def become_test_org(self) -> None:
        self.crm.test_kind = "a copy for tests"

    def has_field(self, object_name: str, field: str) -> bool:
        return field in self.crm.definition(object_name).fields

    def limit_fields(self, more: int, object_name: str) -> None:
        there = sum(name.lower().endswith("__c") for name in self.crm.definition(object_name).fields)
        self.crm.most_fields[object_name] = there + more
