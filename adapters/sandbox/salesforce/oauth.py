"""Tokens: the four grants of the token endpoint, sessions that end on the clock, and who a token stands for."""

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import jwt

from adapters.sandbox.salesforce.errors import RequestError
from adapters.sandbox.web import Request, Response, json_response

if TYPE_CHECKING:
    from adapters.sandbox.salesforce.org.org import PretendOrg

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_JWT_LEEWAY_SECONDS = 180


@dataclass
class ConnectedApp:
    """An app that may ask for tokens; `public_key` (PEM) admits signed assertions, `rotates` ends a used refresh token."""

    client_id: str
    client_secret: str
    run_as: str
    public_key: str | None = None
    rotates: bool = False
    gives_refresh_tokens: bool = False


@dataclass(frozen=True)
class OrgSession:
    """A token at work; `ends_at` is a POSIX time on the org's clock, None for one that lasts."""

    token: str
    user_id: str
    client_id: str
    ends_at: float | None


class Refusal(Exception):
    """The token endpoint says no: an object with `error` and `error_description`, unlike the errors of the data API."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.response = json_response({"error": error, "error_description": description}, status)


@dataclass
class OrgOAuth:
    """Clients, sessions and refresh tokens of one org. `lifetime` is how long a new session lasts."""

    org: "PretendOrg"
    lifetime: timedelta = timedelta(hours=2)
    clients: dict[str, ConnectedApp] = field(default_factory=dict)
    sessions: dict[str, OrgSession] = field(default_factory=dict)
    refresh_tokens: dict[str, tuple[str, str]] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)

    def register(self, run_as: str, *, public_key: str | None = None, rotates: bool = False) -> ConnectedApp:
        """Adds an app whose client credentials act as a user."""
        client = ConnectedApp(f"3MVG9{secrets.token_urlsafe(40)}", secrets.token_hex(32), run_as, public_key, rotates)
        self.clients[client.client_id] = client
        return client

    def open(self, user_id: str, client_id: str = "", *, lasting: bool = False) -> OrgSession:
        """A new session of a user."""
        token = f"{self.org.organization_id[:15]}!{secrets.token_urlsafe(48)}"
        ends_at = None if lasting else (self.org.clock.now() + self.lifetime).timestamp()
        self.sessions[token] = OrgSession(token, user_id, client_id, ends_at)
        return self.sessions[token]

    def offer_refresh_token(self, user_id: str, client: ConnectedApp) -> str:
        """A refresh token, as an earlier consent in the browser would have given."""
        token = f"5Aep861{secrets.token_urlsafe(48)}"
        self.refresh_tokens[token] = (user_id, client.client_id)
        return token

    def end(self, token: str) -> None:
        """Ends a session; what is called with it next answers 401."""
        self.sessions.pop(token, None)

    def end_all(self) -> None:
        """Ends every session."""
        self.sessions.clear()

    def session_of(self, request: Request) -> OrgSession:
        """The session of a call; raises RequestError (INVALID_SESSION_ID, 401)."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        session = self.sessions.get(token.strip()) if scheme.lower() in {"bearer", "oauth"} else None
        if session and session.ends_at is not None and session.ends_at <= self.org.clock.now().timestamp():
            self.end(session.token)
            session = None
        if session is None:
            raise RequestError("INVALID_SESSION_ID", "Session expired or invalid", status=401)
        return session

    def token_endpoint(self, request: Request) -> Response:
        """POST /services/oauth2/token."""
        grants: dict[str, Callable[[Request], dict[str, str]]] = {
            "client_credentials": self._client_credentials,
            JWT_GRANT: self._assertion,
            "refresh_token": self._refresh,
            "password": self._password,
        }
        grant = grants.get(request.form.get("grant_type", ""))
        if grant is None:
            return Refusal("unsupported_grant_type", "grant type not supported").response
        try:
            return json_response(grant(request))
        except Refusal as refusal:
            return refusal.response

    def userinfo(self, request: Request) -> Response:
        """GET or POST /services/oauth2/userinfo."""
        try:
            session = self.session_of(request)
        except RequestError:
            return Response(403, b"Bad_OAuth_Token", {"Content-Type": "text/html;charset=UTF-8"})
        user = self.org.store.get("User", session.user_id) or {}
        base = _base(request)
        return json_response(
            {
                "sub": f"{base}/id/{self.org.organization_id}/{session.user_id}",
                "user_id": session.user_id,
                "organization_id": self.org.organization_id,
                "preferred_username": user.get("Username"),
                "name": user.get("Name"),
                "email": user.get("Email"),
                "zoneinfo": user.get("TimeZoneSidKey"),
                "active": user.get("IsActive", False),
                "user_type": "STANDARD",
                "urls": {"rest": f"{base}/services/data/v{{version}}/"},
            }
        )

    def _client_credentials(self, request: Request) -> dict[str, str]:
        client = self._client(request)
        return self._granted(request, self.open(client.run_as, client.client_id))

    def _assertion(self, request: Request) -> dict[str, str]:
        assertion = request.form.get("assertion", "")
        try:
            claimed = jwt.decode(
                assertion, options={"verify_signature": False, "verify_exp": False, "verify_aud": False}
            )
        except jwt.InvalidTokenError:
            raise Refusal("invalid_grant", "invalid assertion") from None
        client = self.clients.get(str(claimed.get("iss")))
        if client is None:
            raise Refusal("invalid_client_id", "client identifier invalid")
        self._verify(assertion, client, claimed)
        user = next(iter(self.org.store.table("User").holding("Username", claimed.get("sub"))), None)
        if user is None or not user.get("IsActive"):
            raise Refusal("invalid_grant", "user hasn't approved this consumer")
        return self._granted(request, self.open(user["Id"], client.client_id))

    def _verify(self, assertion: str, client: ConnectedApp, claimed: dict[str, object]) -> None:
        try:
            jwt.decode(
                assertion,
                client.public_key or "",
                algorithms=["RS256"],
                options={"verify_exp": False, "verify_aud": False, "verify_iat": False, "verify_nbf": False},
            )
            ends_at = float(str(claimed["exp"]))
        except (jwt.InvalidTokenError, jwt.InvalidKeyError, KeyError, ValueError):
            raise Refusal("invalid_grant", "invalid assertion") from None
        if abs(ends_at - self.org.clock.now().timestamp()) > 2 * _JWT_LEEWAY_SECONDS or "aud" not in claimed:
            raise Refusal("invalid_grant", "expired authorization code")

    def _refresh(self, request: Request) -> dict[str, str]:
        client = self._client(request)
        refresh_token = request.form.get("refresh_token", "")
        user_id, owner = self.refresh_tokens.get(refresh_token, ("", ""))
        if owner != client.client_id:
            raise Refusal("invalid_grant", "expired access/refresh token")
        answer = self._granted(request, self.open(user_id, client.client_id))
        if client.rotates:
            del self.refresh_tokens[refresh_token]
            self._end_others(client, answer["access_token"])
            answer["refresh_token"] = self.offer_refresh_token(user_id, client)
        return answer

    def _end_others(self, client: ConnectedApp, kept: str) -> None:
        for session in list(self.sessions.values()):
            if session.client_id == client.client_id and session.token != kept:
                self.end(session.token)

    def _password(self, request: Request) -> dict[str, str]:
        client = self._client(request)
        name = request.form.get("username", "")
        user = next(iter(self.org.store.table("User").holding("Username", name)), None)
        if user is None or self.passwords.get(name) != request.form.get("password"):
            raise Refusal("invalid_grant", "authentication failure")
        return self._granted(request, self.open(user["Id"], client.client_id))

    def _client(self, request: Request) -> ConnectedApp:
        client_id, client_secret = request.form.get("client_id", ""), request.form.get("client_secret", "")
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            client_id, client_secret = _basic(encoded)
        client = self.clients.get(client_id)
        if client is None:
            raise Refusal("invalid_client_id", "client identifier invalid")
        if not secrets.compare_digest(client.client_secret, client_secret):
            raise Refusal("invalid_client", "invalid client credentials")
        return client

    def _granted(self, request: Request, session: OrgSession) -> dict[str, str]:
        base = _base(request)
        return {
            "access_token": session.token,
            "signature": base64.b64encode(secrets.token_bytes(32)).decode(),
            "scope": "api",
            "instance_url": base,
            "id": f"{base}/id/{self.org.organization_id}/{session.user_id}",
            "token_type": "Bearer",
            "issued_at": str(int(self.org.clock.now().timestamp() * 1000)),
        }


def soap_login_is_off() -> Response:
    """SOAP login(): off in new orgs, and gone with API version 65."""
    words = "SOAP API login() is disabled by default in this org."
    fault = (
        '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:sf="urn:fault.partner.soap.sforce.com"><soapenv:Body><soapenv:Fault><faultcode>sf:INVALID_OPERATION</faultcode>'
        f"<faultstring>INVALID_OPERATION: {words}</faultstring><detail><sf:UnexpectedErrorFault>"
        f"<sf:exceptionCode>INVALID_OPERATION</sf:exceptionCode><sf:exceptionMessage>{words}</sf:exceptionMessage>"
        "</sf:UnexpectedErrorFault></detail></soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    )
    return Response(500, fault.encode(), {"Content-Type": "text/xml; charset=utf-8"})


def _basic(encoded: str) -> tuple[str, str]:
    try:
        name, _, secret = base64.b64decode(encoded).decode().partition(":")
    except ValueError:
        return "", ""
    return name, secret


def _base(request: Request) -> str:
    return f"https://{request.headers.get('host', 'localhost')}"
