"""Access tokens: one for each connection, renewed once for however many calls find it expired."""

import base64
import warnings
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import jwt
import requests
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceAuthenticationFailed
from simple_salesforce.login import token_login

from adapters.salesforce.config import SalesforceAccess
from adapters.salesforce.errors import no_answer, not_data
from adapters.salesforce.http.version import API_VERSION
from connector.domain.config.credentials import unsendable
from connector.domain.quoting import quoted
from connector.errors import UNFORESEEN, AuthRevoked, CrmError, NotLetIn, Unavailable
from connector.ports import Clock
from connector.wire.parsing import parsed

_GRANT_JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ASSERTION_LIFE = timedelta(minutes=3)
_PAGE = (
    "Check the url of this connection: it is the My Domain address alone, for instance https://acme.my.salesforce.com."
)
_PASSING = frozenset({"server_error", "temporarily_unavailable", "unknown_error"})
"""OAuth's codes by which nobody has judged the credentials. Salesforce says unknown_error when one is to try again."""
_VERDICTS = frozenset({"invalid_client", "invalid_client_id", "invalid_client_credentials", "invalid_request"})
"""OAuth's codes that speak of the app's own credentials: they stay wrong until there are others."""
_VERDICTS_ON_A_GRANT = (
    "expired access/refresh token",
    "authentication failure",
    "invalid assertion",
    "hasn't approved",
)
"""What is said beside invalid_grant when it stays so. The same code stands for an address that is not allowed, hours in which the
user may not sign in, a user who is locked, and one who has signed in too often: these pass."""
_PASSES = "Check the user's profile in Salesforce: allowed addresses (IP ranges), login hours, whether it is active or locked."
_OUTDATED = "expired authorization code"
"""Said of a claim that we have just signed for the next minutes: the clocks are not set alike."""
_REST = timedelta(minutes=1)
"""Whoever was not let in asks for no token again before: a lap has many calls that need one."""
_CLOCK = "Set this machine's clock right; nothing is wrong with the credentials."
_REMEDY = "Check the credentials of this connection, and that its app and its user are active in Salesforce."


@dataclass(frozen=True, slots=True)
class SalesforceToken:
    """A token with the client that carries it."""

    client: Any = field(repr=False)
    """A `simple_salesforce.Salesforce` on our session; it never signs in by itself."""

    @property
    def instance(self) -> str:
        """Host (and port) that calls go to."""
        return str(self.client.sf_instance)

    @property
    def token(self) -> str:
        """What the calls carry."""
        return str(self.client.session_id)


class SalesforceCredentials:
    """Hands out the connection's token, and gets a new one when it has died."""

    def __init__(self, access: SalesforceAccess, session: requests.Session, clock: Clock) -> None:
        self._access = access
        self._session = session
        self._clock = clock
        self._lock = Lock()
        self._current: SalesforceToken | None = None
        self._refresh_token = access.refresh_token
        self._kept_out: tuple[NotLetIn, datetime] | None = None
        self._where = f"{access.connection}: sign in"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Whatever must never be seen in an error, beside the access token."""
        return (*self._access.secrets, self._refresh_token)

    def current(self) -> SalesforceToken:
        """Return the token in use; the first call fetches it. `AuthRevoked`, `Unavailable`."""
        return self._current or self.renew(None)

    def renew(self, dead: SalesforceToken | None) -> SalesforceToken:
        """Return a token that is not `dead`. Of many threads that ask at once, one fetches it for all."""
        with self._lock:
            if self._current is not None and self._current is not dead:
                return self._current
            if dead is not None and self._access.auth == "token":
                raise AuthRevoked("the access token is refused.", where=self._where, remedy=_REMEDY)
            self._current = self._sign_in(dead)
            return self._current

    def _sign_in(self, dead: SalesforceToken | None) -> SalesforceToken:
        if self._kept_out is not None and self._clock.now() < self._kept_out[1] + _REST:
            raise self._kept_out[0]
        try:
            return self._let_in(dead)
        except NotLetIn as error:
            self._kept_out = error, self._clock.now()
            raise

    def _let_in(self, dead: SalesforceToken | None) -> SalesforceToken:
        if self._access.auth == "token":
            return self._signed_in(self._access.access_token, self._access.url)
        if self._access.auth == "refresh_token":
            return self._renewed(dead)
        token, instance = self._fetch()
        return self._signed_in(token, f"https://{instance}")

    def _renewed(self, dead: SalesforceToken | None) -> SalesforceToken:
        """Take over what another process has got, or exchange the refresh token that is kept now, whoever kept it."""
        vault = self._access.vault
        if vault is None:
            return self._exchanged()
        with vault.alone():
            kept = vault.load()
            self._refresh_token = kept.get("refresh_token") or self._access.refresh_token
            token, instance = kept.get("access_token"), kept.get("instance_url")
            if token and instance and (dead is None or token != dead.token):
                return self._signed_in(token, instance)
            return self._exchanged()

    def _exchanged(self) -> SalesforceToken:
        answer = self._post({"grant_type": "refresh_token", "refresh_token": self._refresh_token})
        token, instance = str(answer["access_token"]), str(answer["instance_url"]).rstrip("/")
        # An app that rotates its tokens has ended the old one with this answer.
        self._refresh_token = str(answer.get("refresh_token") or self._refresh_token)
        if self._access.vault is not None:
            # Before anything is done with the new access token.
            kept = {"refresh_token": self._refresh_token, "access_token": token, "instance_url": instance}
            self._access.vault.save(kept)
        return self._signed_in(token, instance)

    def _post(self, grant: dict[str, str]) -> dict[str, Any]:
        """Ask for a token: the package keeps the new refresh token of the answer to itself."""
        access = self._access
        app = {"client_id": access.client_id} | (
            {"client_secret": access.client_secret} if access.client_secret else {}
        )
        try:
            response = self._session.post(f"{access.url}/services/oauth2/token", data=app | grant)
        except (requests.RequestException, *UNFORESEEN) as error:
            raise self._not_sent(no_answer(error, where=self._where)) from error
        try:
            answer = parsed(response.content)
        except ValueError as error:
            raise self._not_sent(not_data(self._where)) from error
        if not isinstance(answer, dict):
            raise self._not_sent(not_data(self._where))
        if answer.get("access_token") and answer.get("instance_url"):
            return answer
        raise self._refusal(answer.get("error"), str(answer.get("error_description") or ""))

    def _signed_in(self, token: str, url: str) -> SalesforceToken:
        if unsendable(token):
            raise self._not_sent(Unavailable("the token that was given cannot be sent.", where=self._where))
        client = Salesforce(session_id=token, instance_url=url, version=API_VERSION, session=self._session)
        # The package asks for indented JSON, which makes every answer about half as long again.
        client.headers.pop("X-PrettyPrint", None)
        return SalesforceToken(client)

    def _fetch(self) -> tuple[str, str]:
        access = self._access
        data, headers = token_request(access, self._clock.now())
        try:
            with warnings.catch_warnings():
                # A hint about approving the app that holds its key; our own error says what to do.
                warnings.simplefilter("ignore")
                token, instance = token_login(
                    f"{access.url}/services/oauth2/token", data, "", access.client_id, headers, None, self._session
                )
        except SalesforceAuthenticationFailed as error:
            raise self._refusal(error.code, str(error.auth_message)) from error
        except requests.RequestException as error:
            raise self._not_sent(no_answer(error, where=self._where)) from error
        except UNFORESEEN as error:
            raise self._not_sent(not_data(self._where)) from error
        if not token:
            raise self._not_sent(not_data(self._where))
        return token, str(instance).rstrip("/")

    def _refusal(self, code: object, message: str) -> CrmError:
        # A status in place of OAuth's own code: the answer was a page, so nobody has judged the credentials.
        if not isinstance(code, str):
            return self._not_sent(Unavailable("no usable answer.", where=self._where, remedy=_PAGE))
        reason = quoted(f"{code}: {message}", self.secrets)
        if code in _PASSING:
            return self._not_sent(Unavailable(f"no token was given ({reason}).", where=self._where))
        if self._access.auth == "jwt" and _OUTDATED in message.lower():
            return self._not_sent(Unavailable(f"no token was given ({reason}).", where=self._where, remedy=_CLOCK))
        if code in _VERDICTS or any(verdict in message.lower() for verdict in _VERDICTS_ON_A_GRANT):
            return AuthRevoked(f"the credentials are refused ({reason}).", where=self._where, remedy=_REMEDY)
        return NotLetIn(f"no token was given ({reason}).", where=self._where, remedy=_PASSES)

    @staticmethod
    def _not_sent(error: Unavailable) -> CrmError:
        """Whatever was to follow the sign-in has certainly not happened."""
        error.not_sent = True
        return error


def token_request(access: SalesforceAccess, now: datetime) -> tuple[dict[str, str], dict[str, str] | None]:
    """Return form and headers of the request for a token."""
    if access.auth == "client_credentials":
        pair = base64.b64encode(f"{access.client_id}:{access.client_secret}".encode()).decode()
        return {"grant_type": "client_credentials"}, {"Authorization": f"Basic {pair}"}
    return {"grant_type": _GRANT_JWT, "assertion": assertion(access, now)}, None


def assertion(access: SalesforceAccess, now: datetime) -> str:
    """Return the signed claim that we are the app, acting as the user. It holds for three minutes."""
    expiry = int((now + _ASSERTION_LIFE).timestamp())
    claims = {"iss": access.client_id, "sub": access.username, "aud": audience(access.url), "exp": expiry}
    try:
        return jwt.encode(claims, access.private_key, algorithm="RS256")
    except (ValueError, TypeError, jwt.PyJWTError):
        where = f"{access.connection}: sign in"
        raise AuthRevoked(
            "the private key cannot be read.", where=where, remedy="It must be an RSA key as PEM."
        ) from None


def audience(url: str) -> str:
    """Return the sign-in host that stands in a claim: one for production, one for sandboxes, else the address itself."""
    host = urlsplit(url).hostname or ""
    if not host.endswith(".salesforce.com"):
        return url
    trial = ".sandbox." in host or ".scratch." in host or host.startswith("test.")
    return "https://test.salesforce.com" if trial else "https://login.salesforce.com"
