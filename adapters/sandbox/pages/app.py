"""The addresses of the pages: what is asked for, who asks, and the few things that can be done on a record."""

from functools import cache
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from adapters.sandbox.pages import records
from adapters.sandbox.pages.viewing import PAGED, Viewer, address, name_of
from adapters.sandbox.salesforce.errors import SalesforceError
from adapters.sandbox.salesforce.org import Org
from adapters.sandbox.salesforce.store import Row
from adapters.sandbox.web import Request, Response

_HERE = Path(__file__).parent
_COOKIE = "sandbox_user"
_HTML = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_TABS = ("Account", "Contact", "Case", "Task", "Opportunity")


class Pages:
    """The pages of one org: `org.mount_pages(Pages(org))`. Whoever has chosen no user looks as the first one who sells."""

    def __init__(self, org: Org) -> None:
        self._org = org

    def __call__(self, request: Request) -> Response | None:
        """Answers what lies under /lightning (and sends / there); None for everything else."""
        match (request.method, *request.segments):
            case ("GET",) | ("GET", "lightning"):
                return _see("/lightning/o/Account/list")
            case ("GET", "lightning", "page.css"):
                return Response(200, _style(), {"Content-Type": "text/css; charset=utf-8"})
            case (_, "lightning", *rest):
                with self._org.lock:
                    self._org.settle()
                    return self._answer(request, rest)
        return None

    def _answer(self, request: Request, rest: list[str]) -> Response:
        viewer = self._viewer(request)
        match (request.method, *rest):
            case ("GET", "o", name, "list") if name in PAGED and self._readable(viewer, name):
                return self._list(viewer, request, name)
            case ("GET", "r", name, record_id, "view"):
                row = self._found(viewer, name, record_id)
                return self._record(viewer, row, name) if row else self._nothing(viewer)
            case ("POST", "r", name, record_id, action):
                row = self._found(viewer, name, record_id)
                return self._act(viewer, request, name, action, row) if row else self._nothing(viewer)
            case ("POST", "as"):
                return self._switch(request)
        return self._nothing(viewer)

    def _viewer(self, request: Request) -> Viewer:
        try:
            chosen = SimpleCookie(request.headers.get("cookie", "")).get(_COOKIE)
        except CookieError:
            chosen = None
        user = self._org.store.get("User", chosen.value) if chosen else None
        return Viewer(self._org, user["Id"] if user and user.get("IsActive") else self._first_user())

    def _first_user(self) -> str:
        people = self._people()
        selling = [row for row in people if row.get("Department") == "Sales"]
        return str((selling or people)[0]["Id"]) if people else self._org.admin_id

    def _people(self) -> list[dict[str, Any]]:
        return [row for row in self._org.rows("User", IsActive=True) if row["Id"] != self._org.integration_id]

    def _readable(self, viewer: Viewer, name: str) -> bool:
        return self._org.readable(self._org.object(name), viewer.access)

    def _found(self, viewer: Viewer, name: str, record_id: str) -> Row | None:
        if name not in PAGED or not self._readable(viewer, name):
            return None
        row = self._org.get(name, record_id)
        return None if row is None or row.get("IsDeleted") else row

    def _list(self, viewer: Viewer, request: Request, name: str) -> Response:
        wanted = request.query.get("q", "").strip()
        text = request.query.get("page", "1")
        page = max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1
        table = records.listed(viewer, name, wanted, page)
        pages = max(1, -(-table.total // records.PER_PAGE))
        here = f"/lightning/o/{name}/list?{urlencode({'q': wanted})}&page="
        return self._page(
            viewer,
            "list.html",
            title=table.title,
            tab=name,
            table=table,
            wanted=wanted,
            page=page,
            pages=pages,
            here=here,
        )

    def _record(self, viewer: Viewer, row: Row, name: str, *, problem: str = "") -> Response:
        held = self._org.object(name)
        outcome = held.find(records.OUTCOME)
        return self._page(
            viewer,
            "record.html",
            status=400 if problem else 200,
            title=name_of(held, row),
            tab=name,
            row=row,
            kind=held.label,
            problem=problem,
            here=f"/lightning/r/{name}/{row['Id']}",
            details=viewer.fields(held, row, records.DETAILS[name]),
            panel=records.panel(viewer, held, row),
            hidden=records.hidden_fields(viewer, held),
            follow_ups=records.follow_ups(viewer, row["Id"]) if name == "Account" else [],
            related=records.related(viewer, name, row["Id"]),
            outcomes=outcome.values if outcome and viewer.edits(held, records.OUTCOME) else (),
        )

    def _act(self, viewer: Viewer, request: Request, name: str, action: str, row: Row) -> Response:
        change = _change(name, action, request.form)
        if change is None:
            return self._nothing(viewer)
        held = self._org.object(name)
        refused = [field for field in change if not viewer.edits(held, field)]
        if refused:
            return self._record(viewer, row, name, problem=f"You may not edit {', '.join(refused)}.")
        try:
            self._org.update(name, row["Id"], change, by=viewer.id)
        except SalesforceError as error:
            return self._record(viewer, row, name, problem=error.message)
        return _see(address(name, row["Id"]))

    def _switch(self, request: Request) -> Response:
        chosen = self._org.store.get("User", request.form.get("user"))
        back = request.form.get("back", "")
        # Only to our own pages: the address came with the form, and anybody can send one.
        target = back if back.startswith("/lightning/") else "/lightning/o/Account/list"
        response = _see(quote(target, safe="/?=&%"))
        if chosen is None:
            return response
        cookie = f"{_COOKIE}={chosen['Id']}; Path=/lightning; HttpOnly; SameSite=Strict"
        return Response(303, b"", {**response.headers, "Set-Cookie": cookie})

    def _nothing(self, viewer: Viewer) -> Response:
        return self._page(viewer, "nothing.html", status=404, title="Nothing here", tab="")

    def _page(self, viewer: Viewer, template: str, *, status: int = 200, **values: Any) -> Response:
        organization = self._org.rows("Organization")[0]
        shown = {
            "viewer": viewer,
            "people": sorted(self._people(), key=lambda row: row["Name"]),
            "organization": organization["Name"],
            "now": viewer.moment(self._org.now()),
            "tabs": [(name, self._org.object(name).plural) for name in _TABS],
            "wanted": "",
            "here": "",
        }
        text = _templates().get_template(template).render(shown | values)
        return Response(status, text.encode(), _HTML)


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


def _see(target: str) -> Response:
    return Response(303, b"", {"Location": target, "Cache-Control": "no-store"})


@cache
def _style() -> bytes:
    return (_HERE / "static" / "page.css").read_bytes()


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
