"""The pretend Salesforce as an application: an org behind OAuth, with its limits, its log and its faults."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.control import Control
from adapters.sandbox.faults import CallFault, after
from adapters.sandbox.log import CallLog
from adapters.sandbox.salesforce import rest
from adapters.sandbox.salesforce.bulk import Jobs
from adapters.sandbox.salesforce.calls import SalesforceCall, SalesforceCallNote, refusal
from adapters.sandbox.salesforce.errors import SalesforceError
from adapters.sandbox.salesforce.limits import OrgLimits
from adapters.sandbox.salesforce.oauth import ConnectedApp, OrgOAuth, soap_login_is_off
from adapters.sandbox.salesforce.org.org import PretendOrg
from adapters.sandbox.salesforce.read_calls import Locators
from adapters.sandbox.web import Request, Response, json_response

PageHandler = Callable[[Request], Response | None]
OAUTH_ROOT = "/services/oauth2/"


class Salesforce(PretendOrg):
    """An org that is called over HTTP.

    `log` keeps every call, `faults` makes it misbehave, `limits` holds the daily allocation, `oauth` the apps and sessions.
    `client` may ask for tokens of the integration user; `access_token` and `admin_token` are sessions that last.
    `jobs.polls` says how long bulk jobs take, `rows_per_page` makes the pages of queries shorter.
    """

    def __init__(self, clock: SandboxClock | None = None) -> None:
        super().__init__(clock)
        self.log = CallLog()
        self.limits = OrgLimits(self.clock)
        self.oauth = OrgOAuth(self)
        self.locators = Locators()
        self.jobs = Jobs()
        self.rows_per_page: int | None = None
        self.client: ConnectedApp = self.oauth.register(self.integration_id)
        self.access_token = self.oauth.open(self.integration_id, self.client.client_id, lasting=True).token
        self.admin_token = self.oauth.open(self.admin_id, lasting=True).token
        self._control = Control(self)
        self._pages: list[PageHandler] = []
        self._schema_seen: tuple[int, ...] = ()
        self._schema_changed = self.clock.now()

    def mount_pages(self, handler: PageHandler) -> None:
        """Adds a handler for paths outside the API; it answers None for what is not its own."""
        self._pages.append(handler)

    def calls_by_kind(self) -> dict[str, int]:
        """How many calls came in, by kind: read, write, auth, page."""
        return self.log.by_kind()

    def configure(
        self,
        *,
        rows_per_page: int | None = None,
        daily_calls: int | None = None,
        crowded_calls: int | None = None,
        bulk_polls: int | None = None,
        session_s: float | None = None,
        custom_fields: int | None = None,
    ) -> None:
        """Changes how the org behaves: the length of pages, the daily allocation, how many next calls are too many at once,
        how long bulk jobs take (in polls) and new sessions last (in seconds), how many custom fields each object may have;
        what is None stays.
        """
        self.rows_per_page = self.rows_per_page if rows_per_page is None else rows_per_page
        self.limits.most = self.limits.most if daily_calls is None else daily_calls
        self.limits.crowded = self.limits.crowded if crowded_calls is None else crowded_calls
        self.jobs.polls = self.jobs.polls if bulk_polls is None else bulk_polls
        self.limit_fields(custom_fields)
        self.oauth.lifetime = self.oauth.lifetime if session_s is None else timedelta(seconds=session_s)

    def http_date(self) -> str:
        """The Date header, from the org's clock."""
        return format_datetime(self.clock.now(), usegmt=True)

    def handle(self, request: Request) -> Response:
        """Answers one call, with whatever faults are set for it."""
        if request.path.startswith("/sandbox/"):
            return self._control.handle(request)
        note = SalesforceCallNote()
        struck = self.faults.for_call(request.method, request.target)
        response = self._before(request, struck) or self._answer(request, note)
        response = after(response, struck)
        self._keep(request, response, note)
        return response

    def schema_changed_at(self) -> datetime:
        """When the fields or who sees them were last found changed, in whole seconds."""
        with self.lock:
            if self._schema_seen != self.permissions.version:
                self._schema_seen = self.permissions.version
                self._schema_changed = self.clock.now()
            return self._schema_changed.astimezone(UTC).replace(microsecond=0)

    def _before(self, request: Request, struck: list[CallFault]) -> Response | None:
        for fault in struck:
            if fault.effect == "drop_before":
                return Response(drop=True)
            if fault.effect == "expire_token":
                self.oauth.end(request.headers.get("authorization", "").partition(" ")[2])
            if fault.effect == "answer" and fault.response:
                return fault.response
        return self.faults.by_chance(request.target)

    def _answer(self, request: Request, note: SalesforceCallNote) -> Response:
        segments = request.segments
        if segments[:2] != ["services", "data"]:
            return self._outside(request, note)
        if len(segments) == 2:
            return rest.versions()
        with self.lock:
            self.apply_due_commits()
            response = self._data(request, segments[2], note)
        return replace(response, headers={**response.headers, "Sforce-Limit-Info": self.limits.header()})

    def _outside(self, request: Request, note: SalesforceCallNote) -> Response:
        if request.path.startswith(OAUTH_ROOT):
            note.kind = "auth"
            with self.lock:
                self.apply_due_commits()
                return self._oauth(request)
        if request.path.startswith("/services/Soap/u/"):
            note.kind = "auth"
            return soap_login_is_off()
        note.kind = "page"
        answers = (handler(request) for handler in self._pages)
        return next(
            (answer for answer in answers if answer is not None),
            Response(404, b"Not Found", {"Content-Type": "text/html"}),
        )

    def _oauth(self, request: Request) -> Response:
        if request.path == f"{OAUTH_ROOT}token" and request.method == "POST":
            return self.oauth.token_endpoint(request)
        if request.path == f"{OAUTH_ROOT}userinfo":
            return self.oauth.userinfo(request)
        return json_response({"error": "invalid_request", "error_description": "not supported"}, 404)

    def _data(self, request: Request, version: str, note: SalesforceCallNote) -> Response:
        try:
            number = rest.checked_version(version)
            session = self.oauth.session_of(request)
            self.limits.check()
            self.limits.count()
        except SalesforceError as error:
            return refusal(error)
        call = SalesforceCall(self, request, session, self.permissions.of(session.user_id), number, note)
        response = rest.answer(call)
        note.kind, note.sobject, note.rows = call.note.kind, call.note.sobject, call.note.rows
        return response

    def _keep(self, request: Request, response: Response, note: SalesforceCallNote) -> None:
        token = request.headers.get("authorization", "").partition(" ")[2]
        session = self.oauth.sessions.get(token)
        self.log.add(
            request.method,
            request.target,
            status=0 if response.drop else response.status,
            kind=note.kind,
            at=self.clock.now(),
            sobject=note.sobject,
            rows=note.rows,
            user=session.user_id if session else None,
        )
