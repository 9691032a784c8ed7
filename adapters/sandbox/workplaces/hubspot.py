"""The pretend HubSpot, filled with invented companies, and at work."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.hubspot import HubSpot
from adapters.sandbox.hubspot.account import MOST_OWNERS
from adapters.sandbox.hubspot.portal.owners import PortalOwner
from adapters.sandbox.hubspot.portal.seed import KnownCompany
from adapters.sandbox.hubspot.portal.seed import seed as fill
from adapters.sandbox.pages import HubSpotPages
from adapters.sandbox.web import Request, Response
from adapters.sandbox.workplaces.crm import TaskFields, Todo, WorkplaceAccount, WorkplaceCompany, WorkplaceContact
from connector.model import Ref

COMPANIES, CONTACTS = "companies", "contacts"
_CLOSED: Final = "4"
"""The last stage of the first pipeline of tickets."""
_BY_THE_CRM: Final = frozenset({"hs_lastmodifieddate", "hs_updated_by_user_id", "notes_last_updated"})

Row = Mapping[str, Any]


class HubSpotCrm:
    """See `Crm`."""

    name = "hubspot"
    title = "HubSpot"
    case_word = "ticket"
    page_root = "contacts"
    about: Mapping[str, str] = {"account": "associations.companies", "contact": "associations.contacts"}

    def __init__(self, clock: SandboxClock, *, seed: int, accounts: int, shared: Sequence[KnownCompany]) -> None:
        """`shared`: the companies that another CRM knows too."""
        self.portal = HubSpot(clock)
        fill(self.portal, seed=seed, accounts=accounts, now=clock.now(), shared=shared)
        self.portal.mount_pages(HubSpotPages(self.portal))

    def handle(self, request: Request) -> Response:
        """See `Crm.handle`."""
        return self.portal.handle(request)

    def http_date(self) -> str:
        """See `Crm.http_date`."""
        return self.portal.http_date()

    def now(self) -> datetime:
        """See `Crm.now`."""
        return self.portal.clock.now()

    def sign_in(self) -> Mapping[str, str]:
        """See `Crm.sign_in`."""
        return {}

    def secret(self) -> tuple[str, str]:
        """See `Crm.secret`."""
        return "access_token", self.portal.access_token

    def as_admin(self, user: str) -> None:
        """See `Crm.as_admin`: the connection's own token may make properties."""
        del user

    def show_our_fields(self) -> None:
        """See `Crm.show_our_fields`: a property of HubSpot is seen by everybody."""

    def served_at(self, url: str) -> None:
        """See `Crm.served_at`: people open HubSpot elsewhere than programs do, but here it is one place."""
        self.portal.configure(ui_domain=url.removeprefix("https://"))

    def address(self, colleague: str) -> str:
        """See `Crm.address`."""
        return self.portal.owners.named(colleague).email

    def accounts(self) -> list[WorkplaceAccount]:
        """See `Crm.accounts`."""
        return [
            WorkplaceAccount(
                ref=self._ref(COMPANIES, row["id"]),
                name=row["name"],
                domain=row.get("domain", ""),
                owner=row.get("hubspot_owner_id", ""),
                is_customer=row.get("lifecyclestage") == "customer",
                row={name: value for name, value in row.items() if name not in _BY_THE_CRM},
            )
            for row in self._by_id(COMPANIES)
        ]

    def contacts(self) -> list[WorkplaceContact]:
        """See `Crm.contacts`."""
        return [
            WorkplaceContact(
                ref=self._ref(CONTACTS, row["id"]),
                name=" ".join(filter(None, (row.get("firstname"), row.get("lastname")))),
                address=row["email"].lower(),
                account=self._ref(COMPANIES, companies[0]),
                opted_out=row.get("hs_email_optout") == "true",
            )
            for row in self._by_id(CONTACTS)
            if row.get("email")
            for companies in [list(self.portal.associated(CONTACTS, row["id"], COMPANIES))]
            if companies
        ]

    def staff(self) -> list[str]:
        """See `Crm.staff`."""
        return [str(owner.id) for owner in self._owners()]

    def service(self) -> list[str]:
        """See `Crm.service`."""
        return [str(owner.id) for owner in self._owners() if "Service" in (name for _, name, _ in owner.teams)]

    def colleague(self, colleague: str) -> str:
        """See `Crm.colleague`."""
        owner = self.portal.owners.named(colleague)
        return f"{owner.first} {owner.last}".strip()

    def writes(self) -> int:
        """See `Crm.writes`."""
        return self.portal.calls_by_kind().get("write", 0)

    def open_case(
        self, company: WorkplaceCompany, person: WorkplaceContact, subject: str, *, agent: str
    ) -> tuple[str, str]:
        """See `Crm.open_case`."""
        values = {"subject": subject, "hs_pipeline_stage": "3", "source_type": "EMAIL", "hubspot_owner_id": agent}
        ticket = self._made("tickets", values, company, person, by=agent)
        return ticket, ticket

    def close_case(self, case: str, *, agent: str) -> None:
        """See `Crm.close_case`."""
        self.portal.update("tickets", case, {"hs_pipeline_stage": _CLOSED}, by=agent)

    def hold_call(self, company: WorkplaceCompany, person: WorkplaceContact, subject: str, *, agent: str) -> None:
        """See `Crm.hold_call`."""
        values = {"hs_call_title": subject, "hs_call_status": "COMPLETED", "hubspot_owner_id": agent}
        self._made("calls", values | {"hs_timestamp": self.now()}, company, person, by=agent)

    def hold_meeting(self, company: WorkplaceCompany, person: WorkplaceContact, subject: str, *, agent: str) -> None:
        """See `Crm.hold_meeting`."""
        began = self.now() - timedelta(hours=1)
        values = {"hs_meeting_title": subject, "hubspot_owner_id": agent, "hs_timestamp": began}
        times = {"hs_meeting_start_time": began, "hs_meeting_end_time": self.now()}
        self._made("meetings", values | times, company, person, by=agent)

    def offer_deal(self, company: WorkplaceCompany, person: WorkplaceContact, name: str) -> str:
        """See `Crm.offer_deal`."""
        values = {
            "dealname": name,
            "dealstage": "contractsent",
            "amount": 12_000,
            "hubspot_owner_id": company.account.owner,
        }
        return self._made("deals", values | {"closedate": self.now()}, company, person, by=company.account.owner)

    def win_deal(self, deal: str, *, owner: str) -> None:
        """See `Crm.win_deal`."""
        self.portal.update("deals", deal, {"dealstage": "closedwon", "closedate": self.now()}, by=owner)

    def open_tasks(self, fields: TaskFields) -> Iterable[Todo]:
        """See `Crm.open_tasks`."""
        return [
            Todo(
                row["id"],
                row["hs_task_subject"],
                row["hubspot_owner_id"],
                datetime.fromisoformat(row["hs_createdate"]),
                row["hs_timestamp"][:10],
            )
            for row in self.portal.rows("tasks", hs_task_is_completed="0")
            if row.get(fields.key)
        ]

    def complete_task(self, task: Todo, outcome: str, fields: TaskFields) -> None:
        """See `Crm.complete_task`."""
        done = {"hs_task_status": "COMPLETED", fields.outcome: outcome}
        self.portal.update("tasks", task.id, done, by=task.owner)

    def _made(
        self, object_name: str, values: Row, company: WorkplaceCompany, person: WorkplaceContact, *, by: str
    ) -> str:
        """Make a record about a company and a person."""
        record_id = self.portal.insert(object_name, values, by=by)
        self.portal.associate(object_name, record_id, COMPANIES, company.account.ref.id)
        self.portal.associate(object_name, record_id, CONTACTS, person.ref.id)
        return record_id

    def _owners(self) -> list[PortalOwner]:
        return self.portal.owners.page(0, MOST_OWNERS, email=None, archived=False)

    def _by_id(self, object_name: str) -> Iterator[Row]:
        return iter(sorted(self.portal.rows(object_name), key=lambda row: int(row["id"])))

    def _ref(self, object_name: str, record_id: str) -> Ref:
        return Ref(self.name, object_name, record_id)
