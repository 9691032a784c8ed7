"""The same installation beside a pretend HubSpot."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from environment import Environment, Task

from adapters.sandbox.hubspot import HubSpot
from connector.commands import setup_crm
from connector.model import MARK_KEY
from connector.ports import CrmAdapter

COMPANIES, CONTACTS = "companies", "contacts"


@dataclass
class HubSpotEnvironment(Environment):
    """An installation whose CRM is HubSpot; people work there with HubSpot's words."""

    ADAPTER = "hubspot"
    CRM = HubSpot
    ACCOUNT = COMPANIES
    CONTACT = CONTACTS

    org: HubSpot  # type: ignore[assignment]  # the verbs that need Salesforce are replaced below

    @property
    def signed_in(self) -> str:
        return f"""adapter = "hubspot"
access_token = "{self.org.access_token}\""""

    def set_up(self) -> None:
        endpoint, store = self.installation.endpoints[0], self.installation.store
        steps = setup_crm.plan(endpoint, endpoint.adapter)
        results = setup_crm.apply(store, endpoint, endpoint.adapter, steps, clock=self.clock)
        assert [result.error for result in results if result.error is not None] == []

    @contextmanager
    def admin(self) -> Iterator[CrmAdapter]:
        yield self.installation.endpoints[0].adapter

    def rep(self, name: str, email: str) -> str:
        return self.org.add_owner(name, email)

    def account(self, name: str, kind: str = "customer", owner: str | None = None) -> str:
        values = {"name": name, "lifecyclestage": kind}
        return self.org.insert(COMPANIES, values | ({"hubspot_owner_id": owner} if owner else {}))

    def contact(self, account: str, name: str, email: str) -> str:
        first, _, last = name.rpartition(" ")
        contact = self.org.insert(CONTACTS, {"firstname": first, "lastname": last, "email": email})
        self.org.associate(CONTACTS, contact, COMPANIES, account)
        return contact

    def case(self, account: str, contact: str, owner: str | None = None, **values: Any) -> str:
        place = {"hs_pipeline": "0", "hs_pipeline_stage": "1"} | ({"hubspot_owner_id": owner} if owner else {})
        case = self.org.insert("tickets", {**place, "subject": "It does not start", **values})
        self.org.associate("tickets", case, COMPANIES, account)
        self.org.associate("tickets", case, CONTACTS, contact)
        return case

    def close_case(self, case: str) -> None:
        self.org.update("tickets", case, {"hs_pipeline_stage": "4"})

    def reopen(self, case: str) -> None:
        self.org.update("tickets", case, {"hs_pipeline_stage": "2"})

    def finish(self, task: dict[str, Any]) -> None:
        self.org.update("tasks", task["id"], {"hs_task_status": "COMPLETED", "afterword_outcome": "Solved"})

    def shows(self, object_name: str, record_id: str) -> dict[str, Any]:
        row = self.record(object_name, record_id)
        return {name.removeprefix("afterword_"): value for name, value in row.items() if name.startswith("afterword_")}

    def tasks(self) -> list[dict[str, Any]]:
        return [row for row in self.org.rows("tasks") if row.get("afterword_key") not in (None, MARK_KEY)]

    def follow_ups(self) -> list[Task]:
        return [
            Task(
                row["afterword_key"],
                row["hs_task_subject"],
                *(next(iter(self.org.associated("tasks", row["id"], end))) for end in (COMPANIES, CONTACTS)),
            )
            for row in self.tasks()
        ]
