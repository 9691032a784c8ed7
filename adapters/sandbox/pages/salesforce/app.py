"""The addresses of the pages: what is asked for, who asks, and the few things that can be done on a record."""

from typing import Any

from adapters.sandbox.pages.salesforce import records
from adapters.sandbox.pages.salesforce.viewing import PAGED, OrgViewer, address, name_of
from adapters.sandbox.pages.shown import Card
from adapters.sandbox.pages.site import Frame, SandboxSite, Tab, page_in, see, style, wanted_in
from adapters.sandbox.salesforce.errors import SalesforceError
from adapters.sandbox.salesforce.org.org import PretendOrg
from adapters.sandbox.salesforce.org.store import Row
from adapters.sandbox.web import Request, Response

_SITE = SandboxSite("Salesforce", "Salesforce, Inc.", "/lightning", "/lightning/o/Account/list")
_TABS = ("Account", "Contact", "Case", "Task", "Opportunity")


class SalesforcePages:
    """The pages of one org: `org.mount_pages(Pages(org))`. Whoever has chosen no user looks as the first one who sells."""

    def __init__(self, org: PretendOrg) -> None:
        self._org = org

    def __call__(self, request: Request) -> Response | None:
        """Answers what lies under /lightning (and sends / there); None for everything else."""
        match (request.method, *request.segments):
            case ("GET",) | ("GET", "lightning"):
                return see(_SITE.home)
            case ("GET", "lightning", "page.css"):
                return style()
            case (_, "lightning", *rest):
                with self._org.lock:
                    self._org.apply_due_commits()
                    return self._answer(request, rest)
        return None

    def _answer(self, request: Request, rest: list[str]) -> Response:
        viewer = self._viewer(request)
        match (request.method, *rest):
            case ("GET", "o", name, "list") if name in PAGED and self._readable(viewer, name):
                table = records.listed(viewer, name, wanted_in(request), page_in(request))
                return _SITE.listing(self._frame(viewer), self._tab(name), request, table=table)
            case ("GET", "r", name, record_id, "view"):
                row = self._visible_row(viewer, name, record_id)
                return self._record(viewer, row, name) if row else self._nothing(viewer)
            case ("POST", "r", name, record_id, action):
                row = self._visible_row(viewer, name, record_id)
                return self._act(viewer, request, name, action, row) if row else self._nothing(viewer)
            case ("POST", "as"):
                chosen = self._org.store.get("User", request.form.get("user"))
                return _SITE.switched(request, chosen["Id"] if chosen else "")
        return self._nothing(viewer)

    def _viewer(self, request: Request) -> OrgViewer:
        chosen = _SITE.chosen(request)
        user = self._org.store.get("User", chosen) if chosen else None
        return OrgViewer(self._org, user["Id"] if user and user.get("IsActive") else self._first_user())

    def _first_user(self) -> str:
        people = self._people()
        selling = [row for row in people if row.get("Department") == "Sales"]
        return str((selling or people)[0]["Id"]) if people else self._org.admin_id

    def _people(self) -> list[dict[str, Any]]:
        return [row for row in self._org.rows("User", IsActive=True) if row["Id"] != self._org.integration_id]

    def _readable(self, viewer: OrgViewer, name: str) -> bool:
        return self._org.readable(self._org.object(name), viewer.access)

    def _visible_row(self, viewer: OrgViewer, name: str, record_id: str) -> Row | None:
        if name not in PAGED or not self._readable(viewer, name):
            return None
        row = self._org.get(name, record_id)
        return None if row is None or row.get("IsDeleted") else row

    def _record(self, viewer: OrgViewer, row: Row, name: str, *, problem: str = "") -> Response:
        object_type = self._org.object(name)
        return _SITE.page(
            "record.html",
            self._frame(viewer),
            status=400 if problem else 200,
            title=name_of(object_type, row),
            tab=name,
            kind=object_type.label,
            problem=problem,
            back=address(name, row["Id"]),
            cards=[Card("Details", viewer.fields(object_type, row, records.DETAILS[name]))],
            panel=records.panel(viewer, object_type, row),
            hidden=records.hidden_fields(viewer, object_type),
            follow_ups=records.follow_ups(viewer, row["Id"]) if name == "Account" else [],
            related=records.related(viewer, name, row["Id"]),
            actions=records.actions(viewer, object_type, row),
        )

    def _act(self, viewer: OrgViewer, request: Request, name: str, action: str, row: Row) -> Response:
        change = _change(name, action, request.form)
        if change is None:
            return self._nothing(viewer)
        object_type = self._org.object(name)
        refused = [field for field in change if not viewer.edits(object_type, field)]
        if refused:
            return self._record(viewer, row, name, problem=f"You may not edit {', '.join(refused)}.")
        try:
            self._org.update(name, row["Id"], change, by=viewer.id)
        except SalesforceError as error:
            return self._record(viewer, row, name, problem=error.message)
        return see(address(name, row["Id"]))

    def _nothing(self, viewer: OrgViewer) -> Response:
        return _SITE.nothing(self._frame(viewer))

    def _tab(self, name: str) -> Tab:
        return Tab(name, self._org.object(name).plural, f"/lightning/o/{name}/list")

    def _frame(self, viewer: OrgViewer) -> Frame:
        people = sorted(self._people(), key=lambda row: row["Name"])
        return Frame(
            user=viewer.id,
            people=[(row["Id"], ", ".join(filter(None, (row["Name"], row.get("Title"))))) for row in people],
            organization=self._org.rows("Organization")[0]["Name"],
            tabs=[self._tab(name) for name in _TABS],
            now=viewer.moment(self._org.now()),
            zone=viewer.zone.key,
        )


def _change(name: str, action: str, form: dict[str, str]) -> dict[str, Any] | None:
    """What a button of a record's page writes; None when there is no such button."""
    match (name, action):
        case ("Task", "complete"):
            outcome = form.get("outcome")
            return {"Status": "Completed"} | ({records.OUTCOME: outcome} if outcome else {})
        case ("Case", "close"):
            return {"Status": "Closed"}
        case ("Case", "reopen"):
            return {"Status": "Working"}
    return None
