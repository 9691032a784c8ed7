"""The pretend HubSpot as an application: a portal behind tokens, with its limits, its log and its faults."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from zoneinfo import ZoneInfo

from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.control import Control
from adapters.sandbox.faults import CallFault, after
from adapters.sandbox.hubspot import routes
from adapters.sandbox.hubspot.calls import HubSpotCall, HubSpotCallNote
from adapters.sandbox.hubspot.errors import HubSpotError
from adapters.sandbox.hubspot.limits import PortalLimits
from adapters.sandbox.hubspot.oauth import PortalOAuth, PublicApp
from adapters.sandbox.hubspot.portal.portal import Portal
from adapters.sandbox.log import CallLog
from adapters.sandbox.web import Request, Response, json_response

PageHandler = Callable[[Request], Response | None]
APP_SCOPES = (
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.objects.companies.read",
    "crm.objects.companies.write",
    "crm.objects.deals.read",
    "crm.objects.owners.read",
    "crm.schemas.companies.read",
    "crm.schemas.companies.write",
    "crm.schemas.contacts.read",
    "crm.schemas.contacts.write",
    "tickets",
)


class HubSpot(Portal):
    """A portal that is called over HTTP.

    `log` keeps every call, `faults` makes it misbehave, `limits` holds what is allowed, `oauth` the apps and tokens.
    `access_token` is that of a private app that may do everything; `client` is a public app.
    """

    def __init__(self, clock: SandboxClock | None = None) -> None:
        super().__init__(clock)
        self.log = CallLog()
        self.limits = PortalLimits(self.clock, ZoneInfo(self.time_zone))
        self.oauth = PortalOAuth(self)
        self.client: PublicApp = self.oauth.register(APP_SCOPES)
        self.access_token = self.oauth.private_app()
        self._control = Control(self)
        self._pages: list[PageHandler] = []

    def mount_pages(self, handler: PageHandler) -> None:
        """Adds a handler for paths outside the API; it answers None for what is not its own."""
        self._pages.append(handler)

    def calls_by_kind(self) -> dict[str, int]:
        """How many calls came in, by kind: read, write, auth, page."""
        return self.log.by_kind()

    def configure(
        self,
        *,
        search_lag_s: float | None = None,
        burst: int | None = None,
        daily_calls: int | None = None,
        searches_per_s: int | None = None,
        merges_make_new_ids: Iterable[str] | None = None,
        finds_companies: bool | None = None,
        activities_touch: bool | None = None,
        token_s: float | None = None,
        ui_domain: str | None = None,
        custom_properties: int | None = None,
    ) -> None:
        """Changes how the portal behaves; what is None stays.

        `search_lag_s` is how long writes stay hidden from searches, `burst` the calls allowed in ten seconds,
        `searches_per_s` and `daily_calls` the other limits (0 switches any of the three off), `token_s` how long new access
        tokens of public apps last, `ui_domain` the host (with its port) at which the portal says that people open records,
        `custom_properties` how many properties of its own each object may have.
        """
        if search_lag_s is not None:
            self.index.lag = timedelta(seconds=search_lag_s)
        for name, value in (("burst", burst), ("daily", daily_calls), ("searches", searches_per_s)):
            if value is not None:
                setattr(self.limits, name, value or None)
        if merges_make_new_ids is not None:
            self.merges_make_new_ids = {self.object(name).name for name in merges_make_new_ids}
        self.most_properties = self.most_properties if custom_properties is None else custom_properties
        self.ui_domain = ui_domain or self.ui_domain
        self.finds_companies = self.finds_companies if finds_companies is None else finds_companies
        self.activities_touch = self.activities_touch if activities_touch is None else activities_touch
        if token_s is not None:
            self.oauth.lifetime = timedelta(seconds=token_s)

    def http_date(self) -> str:
        """The Date header, from the portal's clock."""
        return format_datetime(self.clock.now(), usegmt=True)

    def handle(self, request: Request) -> Response:
        """Answers one call, with whatever faults are set for it."""
        if request.path.startswith("/sandbox/"):
            return self._control.handle(request)
        note = HubSpotCallNote()
        struck = self.faults.for_call(request.method, request.target)
        response = self._before(request, struck) or self._answer(request, note)
        response = after(response, struck)
        self._keep(request, response, note)
        return response

    def _before(self, request: Request, struck: list[CallFault]) -> Response | None:
        for fault in struck:
            if fault.effect == "drop_before":
                return Response(drop=True)
            if fault.effect == "expire_token":
                self.oauth.end(request.headers.get("authorization", "").partition(" ")[2])
            if fault.effect == "answer" and fault.response:
                return fault.response
        return self.faults.by_chance(request.target)

    def _answer(self, request: Request, note: HubSpotCallNote) -> Response:
        segments = request.segments
        try:
            if segments[:1] == ["oauth"]:
                note.kind = "auth"
                with self.lock:
                    return self.oauth.answer(request)
            address = routes.address(segments)
            if address is None:
                return self._outside(request, note)
            with self.lock:
                return self._called(request, note, address)
        except HubSpotError as error:
            return json_response(error.body(), error.status)

    def _outside(self, request: Request, note: HubSpotCallNote) -> Response:
        note.kind = "page"
        answers = (handler(request) for handler in self._pages)
        return next((answer for answer in answers if answer is not None), routes.page(404))

    def _called(self, request: Request, note: HubSpotCallNote, address: tuple[str, str, list[str]]) -> Response:
        family, version, rest = address
        token = self.oauth.token_of(request)
        search = routes.is_search(request.segments)
        self.limits.take(token.app, private=token.private, search=search)
        try:
            response = routes.route(HubSpotCall(self, request, token, version, note), family, rest)
        except HubSpotError as error:
            response = json_response(error.body(), error.status)
        if search:
            return response
        limit_headers = self.limits.headers(token.app, private=token.private)
        return replace(response, headers={**response.headers, **limit_headers})

    def _keep(self, request: Request, response: Response, note: HubSpotCallNote) -> None:
        token = self.oauth.tokens.get(request.headers.get("authorization", "").partition(" ")[2])
        self.log.add(
            request.method,
            request.target,
            status=0 if response.drop else response.status,
            kind=note.kind,
            at=self.clock.now(),
            sobject=note.sobject,
            rows=note.rows,
            user=str(token.user_id) if token else None,
        )
