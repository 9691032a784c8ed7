"""The pretend Salesforce, filled with invented companies, and at work."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.pages import SalesforcePages, show_to_everybody
from adapters.sandbox.people.companies import KnownCompany
from adapters.sandbox.salesforce import Salesforce
from adapters.sandbox.salesforce.org.seed import known_company
from adapters.sandbox.salesforce.org.seed import seed as fill
from adapters.sandbox.web import Request, Response
from adapters.sandbox.workplaces.crm import TaskFields, Todo, WorkplaceAccount, WorkplaceCompany, WorkplaceContact
from connector.model import Ref
from connector.ports import AdminToken

OURS: Final = "Afterword_"
"""How the fields that the mapping names begin."""
_BY_THE_CRM: Final = frozenset({"SystemModstamp", "LastModifiedDate", "LastModifiedById", "LastActivityDate"})

Row = Mapping[str, Any]


class SalesforceCrm:
    """See `Crm`."""

    name = "salesforce"
    title = "Salesforce"
    case_word = "case"
    page_root = "lightning"
    about: Mapping[str, str] = {"account": "WhatId", "contact": "WhoId"}

    def __init__(self, clock: SandboxClock, *, seed: int, accounts: int) -> None:
        self.org = Salesforce(clock)
        fill(self.org, seed=seed, accounts=accounts, now=clock.now())
        self.org.mount_pages(SalesforcePages(self.org))

    def known(self, account: str) -> KnownCompany:
        """Return what is known of an account, so that another CRM can know it too."""
        return known_company(self.org, account)

    def handle(self, request: Request) -> Response:
        """See `Crm.handle`."""
        return self.org.handle(request)

    def http_date(self) -> str:
        """See `Crm.http_date`."""
        return self.org.http_date()

    def now(self) -> datetime:
        """See `Crm.now`."""
        return self.org.clock.now()

    def sign_in(self) -> Mapping[str, str]:
        """See `Crm.sign_in`."""
        return {"auth": "client_credentials", "client_id": self.org.client.client_id}

    def secret(self) -> tuple[str, str]:
        """See `Crm.secret`."""
        return "client_secret", self.org.client.client_secret

    def as_admin(self, user: str) -> AdminToken:
        """See `Crm.as_admin`."""
        return AdminToken(self.org.admin_token, user)

    def show_our_fields(self) -> None:
        """See `Crm.show_our_fields`."""
        show_to_everybody(self.org, OURS)

    def served_at(self, url: str) -> None:
        """See `Crm.served_at`: pages and API have one address."""

    def accounts(self) -> list[WorkplaceAccount]:
        """See `Crm.accounts`."""
        return [
            WorkplaceAccount(
                ref=self._ref("Account", row["Id"]),
                name=row["Name"],
                domain=_domain(row),
                owner=row["OwnerId"],
                is_customer=str(row.get("Type", "")).startswith("Customer"),
                row={name: value for name, value in row.items() if name not in _BY_THE_CRM},
            )
            for row in self._by_id("Account")
        ]

    def contacts(self) -> list[WorkplaceContact]:
        """See `Crm.contacts`."""
        return [
            WorkplaceContact(
                ref=self._ref("Contact", row["Id"]),
                name=row["Name"],
                address=row["Email"].lower(),
                account=self._ref("Account", row["AccountId"]),
                opted_out=bool(row.get("HasOptedOutOfEmail")),
            )
            for row in self._by_id("Contact")
            if row.get("Email") and row.get("AccountId")
        ]

    def staff(self) -> list[str]:
        """See `Crm.staff`."""
        return sorted(row["Id"] for row in self.org.rows("User", IsActive=True))

    def service(self) -> list[str]:
        """See `Crm.service`."""
        return sorted(row["Id"] for row in self.org.rows("User", IsActive=True, Department="Service"))

    def colleague(self, colleague: str) -> str:
        """See `Crm.colleague`."""
        return str(self._user(colleague)["Name"])

    def address(self, colleague: str) -> str:
        """See `Crm.address`."""
        return str(self._user(colleague)["Email"])

    def writes(self) -> int:
        """See `Crm.writes`."""
        return self.org.calls_by_kind().get("write", 0)

    def open_case(
        self, company: WorkplaceCompany, person: WorkplaceContact, subject: str, *, agent: str
    ) -> tuple[str, str]:
        """See `Crm.open_case`."""
        values = {"AccountId": company.account.ref.id, "ContactId": person.ref.id, "Subject": subject, "OwnerId": agent}
        case = self.org.insert("Case", values | {"Status": "Working", "Origin": "Email"}, by=agent)
        return case, (self.org.get("Case", case) or {})["CaseNumber"]

    def close_case(self, case: str, *, agent: str) -> None:
        """See `Crm.close_case`."""
        self.org.update("Case", case, {"Status": "Closed"}, by=agent)

    def hold_call(self, company: WorkplaceCompany, person: WorkplaceContact, subject: str, *, agent: str) -> None:
        """See `Crm.hold_call`."""
        values = {"TaskSubtype": "Call", "Status": "Completed", "ActivityDate": self.now().date().isoformat()}
        self.org.insert("Task", values | _activity(company, person, subject, agent), by=agent)

    def hold_meeting(self, company: WorkplaceCompany, person: WorkplaceContact, subject: str, *, agent: str) -> None:
        """See `Crm.hold_meeting`."""
        times = {"StartDateTime": self.now() - timedelta(hours=1), "EndDateTime": self.now()}
        self.org.insert("Event", times | _activity(company, person, subject, agent), by=agent)

    def offer_deal(self, company: WorkplaceCompany, person: WorkplaceContact, name: str) -> str:
        """See `Crm.offer_deal`."""
        values = {
            "AccountId": company.account.ref.id,
            "ContactId": person.ref.id,
            "Name": name,
            "OwnerId": company.account.owner,
        }
        stage = {"StageName": "Negotiation/Review", "CloseDate": self.now().date().isoformat(), "Amount": 12_000}
        return self.org.insert("Opportunity", values | stage, by=company.account.owner)

    def win_deal(self, deal: str, *, owner: str) -> None:
        """See `Crm.win_deal`."""
        self.org.update("Opportunity", deal, {"StageName": "Closed Won"}, by=owner)

    def open_tasks(self, fields: TaskFields) -> Iterable[Todo]:
        """See `Crm.open_tasks`."""
        return [
            Todo(
                row["Id"],
                row["Subject"],
                row["OwnerId"],
                datetime.fromisoformat(row["CreatedDate"]),
                row["ActivityDate"],
            )
            for row in self.org.rows("Task", IsClosed=False)
            if row.get(fields.key)
        ]

    def complete_task(self, task: Todo, outcome: str, fields: TaskFields) -> None:
        """See `Crm.complete_task`."""
        self.org.update("Task", task.id, {"Status": "Completed", fields.outcome: outcome}, by=task.owner)

    def _user(self, colleague: str) -> Row:
        return self.org.get("User", colleague) or {}

    def _by_id(self, object_name: str) -> Iterator[Row]:
        return iter(sorted(self.org.rows(object_name), key=lambda row: str(row["Id"])))

    def _ref(self, object_name: str, record_id: str) -> Ref:
        return Ref(self.name, object_name, record_id)


def _domain(account: Row) -> str:
    return (urlsplit(str(account.get("Website") or "")).hostname or "").removeprefix("www.")


def _activity(company: WorkplaceCompany, person: WorkplaceContact, subject: str, agent: str) -> dict[str, Any]:
    return {"WhoId": person.ref.id, "WhatId": company.account.ref.id, "OwnerId": agent, "Subject": subject}
