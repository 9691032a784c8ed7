"""Tokens: those of private apps, which last, and those of public apps, which a refresh token renews."""

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from adapters.sandbox.hubspot.errors import HubSpotError, expired, not_found, unauthenticated
from adapters.sandbox.web import Request, Response, json_response

if TYPE_CHECKING:
    from adapters.sandbox.hubspot.portal.portal import Portal

LIFETIME = timedelta(minutes=30)
EVERYTHING = frozenset(
    [
        f"crm.objects.{name}.{right}"
        for name in ("companies", "contacts", "deals", "tickets")
        for right in ("read", "write")
    ]
    + [f"crm.schemas.{name}.{right}" for name in ("companies", "contacts", "deals") for right in ("read", "write")]
    + ["crm.objects.owners.read", "sales-email-read", "tickets"]
)


@dataclass
class PublicApp:
    """A public app; `rotates` gives a new refresh token with each refresh and ends the old one."""

    client_id: str
    client_secret: str
    app_id: int
    scopes: frozenset[str]
    rotates: bool = False


@dataclass(frozen=True)
class Token:
    """An access token; `scopes` None allows everything, `ends` (milliseconds since 1970) None never ends."""

    value: str
    app: str
    user_id: int
    scopes: frozenset[str] | None
    ends: int | None
    private: bool
    tells: bool = True
    """Whether an address tells what it may do: of a service key none does."""

    def may(self, scopes: Sequence[str]) -> bool:
        """Whether it has one of the scopes."""
        return self.scopes is None or not self.scopes.isdisjoint(scopes)


@dataclass
class PortalOAuth:
    """The apps, access tokens and refresh tokens of one portal. `lifetime` is how long a new access token lasts."""

    portal: "Portal"
    lifetime: timedelta = LIFETIME
    clients: dict[str, PublicApp] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    refresh_tokens: dict[str, str] = field(default_factory=dict)

    def private_app(self, scopes: Iterable[str] | None = None) -> str:
        """The token of a new private app; with None it may do everything."""
        value = f"pat-na1-{secrets.token_hex(4)}-{secrets.token_hex(14)}"
        allowed = None if scopes is None else frozenset(scopes)
        self.tokens[value] = Token(value, value, self.portal.admin.user_id, allowed, None, private=True)
        return value

    def service_key(self, scopes: Iterable[str] | None = None) -> str:
        """The token of a new service key: it is used like that of a private app, but its scopes are told at no address."""
        value = self.private_app(scopes)
        self.tokens[value] = replace(self.tokens[value], tells=False)
        return value

    def register(self, scopes: Iterable[str], *, rotates: bool = False) -> PublicApp:
        """Adds a public app with the scopes that the portal granted it."""
        app_id = 2_100_001 + len(self.clients)
        client = PublicApp(secrets.token_hex(16), secrets.token_hex(16), app_id, frozenset(scopes), rotates)
        self.clients[client.client_id] = client
        return client

    def offer_refresh_token(self, client: PublicApp) -> str:
        """A refresh token, as an earlier consent in the browser would have given."""
        token = f"na1-{secrets.token_hex(16)}"
        self.refresh_tokens[token] = client.client_id
        return token

    def end(self, token: str) -> None:
        """Ends an access token; what is called with it next answers 401."""
        self.tokens.pop(token, None)

    def token_of(self, request: Request) -> Token:
        """The token of a call; raises HubSpotError (401)."""
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        token = self.tokens.get(value.strip()) if scheme.lower() == "bearer" else None
        if token is None:
            raise unauthenticated()
        if token.ends is not None and token.ends <= self.portal.now():
            raise expired((self.portal.now() - token.ends) // 1000)
        return token

    def answer(self, request: Request) -> Response:
        """Everything under /oauth/; raises HubSpotError."""
        match (request.method, *request.segments[1:]):
            case ("POST", "v1" | "v3" | "2026-03", "token"):
                return json_response(self._grant(request.form))
            case ("GET", "v1", "access-tokens", value):
                return json_response(self._about(self._access(value)))
            case ("GET", "v1", "refresh-tokens", value):
                return json_response(self._about_refresh(value))
            case ("DELETE", "v1", "refresh-tokens", value):
                self.refresh_tokens.pop(value, None)
                return Response(204)
            case ("POST", "v2", "private-apps", "get", "access-token-info"):
                return json_response(self._about_private(request))
            case ("POST", "v3" | "2026-03", "token", "introspect"):
                return json_response(self._introspect(request.form))
            case ("POST", "v3" | "2026-03", "token", "revoke"):
                self._client(request.form)
                self.refresh_tokens.pop(request.form.get("token", ""), None)
                self.end(request.form.get("token", ""))
                return Response(204)
        raise not_found()

    def _grant(self, form: Mapping[str, str]) -> dict[str, Any]:
        if form.get("grant_type") != "refresh_token":
            raise HubSpotError(f"grant_type '{form.get('grant_type', '')}' is not supported")
        client = self._client(form)
        refresh_token = form.get("refresh_token", "")
        if self.refresh_tokens.get(refresh_token) != client.client_id:
            raise BadRefreshToken
        renewed = refresh_token
        if client.rotates:
            del self.refresh_tokens[refresh_token]
            renewed = self.offer_refresh_token(client)
        token = self._open(client)
        return {
            "token_type": "bearer",
            "token_use": "access_token",
            "refresh_token": renewed,
            "access_token": token.value,
            "expires_in": int(self.lifetime.total_seconds()),
            "hub_id": self.portal.portal_id,
            "scopes": sorted(client.scopes),
            "user_id": token.user_id,
        }

    def _open(self, client: PublicApp) -> Token:
        value = f"C{secrets.token_urlsafe(60)}"
        ends = self.portal.now() + self.lifetime // timedelta(milliseconds=1)
        self.tokens[value] = Token(
            value, client.client_id, self.portal.admin.user_id, client.scopes, ends, private=False
        )
        return self.tokens[value]

    def _client(self, form: Mapping[str, str]) -> PublicApp:
        client = self.clients.get(form.get("client_id", ""))
        if client is None or not secrets.compare_digest(client.client_secret, form.get("client_secret", "")):
            raise HubSpotError("missing or invalid client id or client secret", status=400, category="BAD_CLIENT")
        return client

    def _access(self, value: str) -> Token:
        token = self.tokens.get(value)
        if token is None or token.private:
            raise not_found("The access token is not known")
        return token

    def _about(self, token: Token) -> dict[str, Any]:
        client = self.clients[token.app]
        left = max(0, (token.ends or 0) - self.portal.now()) // 1000
        facts = {"token": token.value, "app_id": client.app_id, "expires_in": left, "token_type": "access"}
        return facts | self._hub(client) | {"is_private_distribution": False}

    def _about_private(self, request: Request) -> dict[str, Any]:
        """What a private app's token may do; the caller shows it in the body and in the header."""
        self.token_of(request)
        body = json.loads(request.body or b"{}")
        token = self.tokens.get(str(body.get("tokenKey", "")))
        if token is None or not token.private or not token.tells:
            raise not_found("The access token is not known")
        scopes = EVERYTHING if token.scopes is None else token.scopes
        return {"userId": token.user_id, "hubId": self.portal.portal_id, "appId": 0, "scopes": sorted(scopes)}

    def _about_refresh(self, value: str) -> dict[str, Any]:
        if value not in self.refresh_tokens:
            raise BadRefreshToken
        client = self.clients[self.refresh_tokens[value]]
        return {"token": value, "client_id": client.client_id, "token_type": "refresh"} | self._hub(client)

    def _introspect(self, form: Mapping[str, str]) -> dict[str, Any]:
        client, value = self._client(form), form.get("token", "")
        token = self.tokens.get(value)
        if token and token.app == client.client_id:
            active = token.ends is None or token.ends > self.portal.now()
            facts = self._about(token) | {"active": active, "token_use": "access_token"}
            return facts | {"client_id": client.client_id, "signed_access_token": self._signed(client, token)}
        if self.refresh_tokens.get(value) == client.client_id:
            facts = self._about_refresh(value) | {"active": True, "token_use": "refresh_token"}
            return facts | {"app_id": client.app_id}
        return {"active": False}

    def _hub(self, client: PublicApp) -> dict[str, Any]:
        return {
            "hub_id": self.portal.portal_id,
            "hub_domain": "portal.example",
            "scopes": sorted(client.scopes),
            "user": self.portal.admin.email,
            "user_id": self.portal.admin.user_id,
        }

    def _signed(self, client: PublicApp, token: Token) -> dict[str, Any]:
        texts = ("appInstallId", "audience", "newSignature", "scopeToScopeGroupPks", "scopes", "signature")
        facts: dict[str, Any] = dict.fromkeys((*texts, "trialScopeToScopeGroupPks", "trialScopes"), "")
        facts |= dict.fromkeys(("isPrivateDistribution", "isServiceAccount", "isUserLevel"), False)
        facts |= {"appId": client.app_id, "hubId": self.portal.portal_id, "hublet": "na1"}
        return facts | {"expiresAt": token.ends, "userId": token.user_id, "installingUserId": token.user_id}


class BadRefreshToken(HubSpotError):
    """The refresh token is unknown, revoked, or was already exchanged."""

    def __init__(self) -> None:
        super().__init__("missing or invalid refresh token", category=None)

    def body(self) -> dict[str, Any]:
        """The answer; its `status` is the vendor's code."""
        return super().body() | {"status": "BAD_REFRESH_TOKEN"}
