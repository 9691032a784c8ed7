"""The same installation beside a pretend HubSpot."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from house import LIMITS, RULES, SECRET, House, Mailbox, OrgClock, _mail_server, _web

from adapters.sandbox.hubspot import HubSpot
from adapters.sandbox.server import running
from connector import setting_up
from connector.clock import SteppedClock

COMPANIES, CONTACTS = "companies", "contacts"


@dataclass
class HubSpotHouse(House):
    """An installation whose CRM is HubSpot; people work there with HubSpot's words."""

    org: HubSpot  # type: ignore[assignment]  # the verbs that need Salesforce are replaced below

    def configure(self, rules: str = RULES, *, mode: str = "live", limits: str = LIMITS, extra: str = "") -> None:
        self.write_config(f"""
[web]
public_url = "{self.web}"
secret = "{SECRET}"
[email]
host = "127.0.0.1"
port = {self.mail_port}
security = "none"
from = "Acme Care <care@acme.example>"
[crm.acme]
adapter = "hubspot"
mode = "{mode}"
url = "{self.crm["url"]}"
ca_bundle = "{self.crm["ca_bundle"]}"
access_token = "{self.org.access_token}"
{extra}
[limits]
{limits}
{rules}""")
        self.restart()

    def set_up(self) -> None:
        endpoint, store = self.installation.endpoints[0], self.installation.store
        steps = setting_up.plan(endpoint, endpoint.adapter)
        results = setting_up.apply(store, endpoint, endpoint.adapter, steps, clock=self.clock)
        assert [result.error for result in results if result.error is not None] == []

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

    def shows(self, object_name: str, record_id: str) -> dict[str, Any]:
        row = self.record(object_name, record_id)
        return {name.removeprefix("afterword_"): value for name, value in row.items() if name.startswith("afterword_")}

    def tasks(self) -> list[dict[str, Any]]:
        return [row for row in self.org.rows("tasks") if row.get("afterword_key")]


@contextmanager
def standing_beside_hubspot(folder: Path, template: Path, clock: SteppedClock) -> Iterator[HubSpotHouse]:
    """Build everything up, for as long as the block runs."""
    shutil.copyfile(template, folder / "afterword.db")
    mailbox = Mailbox()
    portal = HubSpot(OrgClock(clock))
    with ExitStack() as stack:
        server = stack.enter_context(running(portal, cert_dir=folder / "certificates"))
        port = stack.enter_context(_mail_server(mailbox))
        crm = {"url": server.url, "ca_bundle": str(server.ca_bundle)}
        house = HubSpotHouse(folder, clock, portal, crm, mailbox, port)
        stack.callback(house.close)
        stack.enter_context(_web(house))
        house.set_up()
        yield house
