"""The addresses of the pages, which are those of the vendor: what is asked for, who asks, and what can be done on a record."""

from typing import Any

from adapters.sandbox.hubspot.errors import HubSpotError
from adapters.sandbox.hubspot.portal.owners import PortalOwner
from adapters.sandbox.hubspot.portal.portal import Portal
from adapters.sandbox.hubspot.portal.schema import PortalObjectType
from adapters.sandbox.hubspot.portal.store import PortalRecord
from adapters.sandbox.pages.hubspot import records
from adapters.sandbox.pages.hubspot.viewing import PAGED, PortalViewer
from adapters.sandbox.pages.site import Frame, SandboxSite, Tab, page_in, see, style, wanted_in
from adapters.sandbox.web import Request, Response

_TABS = ("companies", "contacts", "tickets", "deals", "tasks")


class HubSpotPages:
    """The pages of one portal: `portal.mount_pages(HubSpotPages(portal))`. Whoever has chosen no user looks as the first one.

    Records lie under /contacts/{portal}/record/{type}/{id}, lists under /contacts/{portal}/objects/{type}/views/all/list.
    """

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        home = PortalViewer(portal, "").list_address(portal.object("companies"))
        self._site = SandboxSite("HubSpot", "HubSpot, Inc.", "/contacts", home)

    def __call__(self, request: Request) -> Response | None:
        """Answers what lies under /contacts (and sends / there); None for everything else."""
        match (request.method, *request.segments):
            case ("GET",) | ("GET", "contacts"):
                return see(self._site.home)
            case ("GET", "contacts", "page.css"):
                return style()
            case (_, "contacts", *rest):
                with self._portal.lock:
                    return self._answer(request, rest)
        return None

    def _answer(self, request: Request, rest: list[str]) -> Response:
        viewer = self._viewer(request)
        match (request.method, *rest):
            case ("POST", "as"):
                user = request.form.get("user", "")
                return self._site.switched(request, user if user in {str(owner.id) for owner in self._people()} else "")
            case ("GET", portal, "objects", name, "views", "all", "list") if object_type := self._object_type(
                portal, name
            ):
                table = records.listed(viewer, object_type, wanted_in(request), page_in(request))
                return self._site.listing(self._frame(viewer), _tab(viewer, object_type), request, table=table)
            case (method, portal, "record", name, record_id, *action) if object_type := self._object_type(portal, name):
                record = self._portal.records.lookup(object_type, record_id)
                if record and (method, action) == ("GET", []):
                    return self._record(viewer, object_type, record)
                if record and method == "POST" and len(action) == 1:
                    return self._act(viewer, request, object_type, record, action=action[0])
        return self._site.nothing(self._frame(viewer))

    def _object_type(self, portal: str, name: str) -> PortalObjectType | None:
        object_type = self._portal.schema.find(name) if portal == str(self._portal.portal_id) else None
        return object_type if object_type and object_type.name in PAGED else None

    def _people(self) -> list[PortalOwner]:
        return self._portal.owners.page(0, 500, email=None, archived=False)

    def _viewer(self, request: Request) -> PortalViewer:
        people = self._people()
        chosen = self._site.chosen(request)
        user = next((owner for owner in people if str(owner.id) == chosen), None)
        selling = [owner for owner in people if any(name == "Sales" for _, name, _ in owner.teams)]
        return PortalViewer(self._portal, str((user or (selling or people)[0]).id))

    def _record(
        self, viewer: PortalViewer, object_type: PortalObjectType, record: PortalRecord, *, problem: str = ""
    ) -> Response:
        return self._site.page(
            "record.html",
            self._frame(viewer),
            status=400 if problem else 200,
            title=viewer.name(object_type, record),
            tab=object_type.name,
            kind=object_type.singular.capitalize(),
            problem=problem,
            back=viewer.address(object_type, record.id),
            cards=records.cards(viewer, object_type, record),
            panel=records.panel(viewer, object_type, record),
            hidden=False,
            follow_ups=records.follow_ups(viewer, object_type, record)
            if object_type.name not in records.ACTIVITIES
            else [],
            related=records.related(viewer, object_type, record),
            actions=records.actions(viewer, object_type, record),
        )

    def _act(
        self,
        viewer: PortalViewer,
        request: Request,
        object_type: PortalObjectType,
        record: PortalRecord,
        *,
        action: str,
    ) -> Response:
        change = _change(object_type, action, request.form)
        if change is None:
            return self._site.nothing(self._frame(viewer))
        try:
            self._portal.update(object_type.name, str(record.id), change, by=viewer.id)
        except HubSpotError as error:
            return self._record(viewer, object_type, record, problem=str(error))
        return see(viewer.address(object_type, record.id))

    def _frame(self, viewer: PortalViewer) -> Frame:
        return Frame(
            user=viewer.id,
            people=[(str(owner.id), f"{owner.first} {owner.last}".strip()) for owner in self._people()],
            organization=f"Account {self._portal.portal_id}",
            tabs=[_tab(viewer, self._portal.object(name)) for name in _TABS],
            now=viewer.moment(self._portal.clock.now()),
            zone=viewer.zone.key,
        )


def _tab(viewer: PortalViewer, object_type: PortalObjectType) -> Tab:
    return Tab(object_type.name, records.title_of(object_type), viewer.list_address(object_type))


def _change(object_type: PortalObjectType, action: str, form: dict[str, str]) -> dict[str, Any] | None:
    """What a button of a record's page writes; None when there is no such button."""
    outcome = form.get("outcome", "")
    match (object_type.name, action):
        case ("tasks", "complete"):
            return {"hs_task_status": "COMPLETED"} | ({records.OUTCOME: outcome} if outcome else {})
        case ("tasks", "outcome"):
            return {records.OUTCOME: outcome}
        case ("tasks", "reopen"):
            return {"hs_task_status": "NOT_STARTED"}
        case ("tickets" | "deals", "stage") if object_type.stage and form.get("stage"):
            return {object_type.stage: form["stage"]}
    return None
