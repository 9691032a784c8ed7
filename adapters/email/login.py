"""Signing in to the mail server, by password or with an OAuth token (XOAUTH2)."""

import re
import smtplib
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

import requests

from adapters.email.config import EmailConfig, MailOAuth
from connector.errors import UNFORESEEN, MailUnavailable
from connector.ports import Clock

_LONGEST_LIFE = 86_400 * 365
_CODE = re.compile(r"[a-z_]{1,60}")
_EARLIER = timedelta(minutes=2)
"""A token is renewed this long before it ends."""


class Login:
    """How we sign in; keeps the access token while it is good."""

    def __init__(self, config: EmailConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._token: str | None = None
        self._until: datetime | None = None
        self._refresh_token = config.oauth.refresh_token if config.oauth else None

    @property
    def secrets(self) -> tuple[str, ...]:
        """Whatever must never be seen in an error, in the forms in which it is sent."""
        username, password, oauth = self._config.username or "", self._config.password, self._config.oauth
        hidden: list[str | None] = [password, f"\0{username}\0{password}"] if password else []
        if oauth is not None:
            hidden += [oauth.client_secret, oauth.refresh_token, self._refresh_token, self._token]
        if self._token:
            hidden.append(_bearer(username, self._token))
        return tuple(filter(None, hidden))

    def sign_in(self, server: smtplib.SMTP) -> None:
        """Sign in, if a username is set. Raises what smtplib raises, or `MailUnavailable` when there is no token to be had."""
        if self._config.username is None:
            return
        if self._config.oauth is None:
            self._with_password(server, self._config.username, self._config.password or "")
            return
        try:
            self._with_token(server, self._config.username, self._config.oauth)
        except smtplib.SMTPAuthenticationError:
            # The token may have been withdrawn before its time; the next connection gets a new one.
            self._token = None
            raise

    def _with_password(self, server: smtplib.SMTP, username: str, password: str) -> None:
        # Looked at first: what the library says of such a letter would hold the letter.
        if not (username + password).isascii():
            raise MailUnavailable(
                "username or password holds a letter that is not in ASCII, which this way of signing in has no room for.",
                where="config.toml: email",
                remedy="Give the mailbox a password of letters a to z, digits and signs.",
            )
        server.login(username, password)

    def _with_token(self, server: smtplib.SMTP, username: str, oauth: MailOAuth) -> None:
        token = self._fresh_token(oauth)

        def respond(challenge: bytes | None = None) -> str:
            # The server's challenge is its error in JSON; an empty answer makes it say the 535.
            return "" if challenge else _bearer(username, token)

        server.auth("XOAUTH2", respond, initial_response_ok=True)

    def _fresh_token(self, oauth: MailOAuth) -> str:
        if self._token is None or self._until is None or self._clock.now() >= self._until:
            answer = _ask(oauth, self._refresh_token)
            self._token = str(answer["access_token"])
            self._until = self._clock.now() + _life_of(answer.get("expires_in")) - _EARLIER
            self._refresh_token = str(answer.get("refresh_token") or "") or self._refresh_token
        return self._token


def _bearer(username: str, token: str) -> str:
    return f"user={username}\x01auth=Bearer {token}\x01\x01"


def _ask(oauth: MailOAuth, refresh_token: str | None) -> dict[str, Any]:
    form = {"client_id": oauth.client_id, "client_secret": oauth.client_secret, "scope": oauth.scope}
    grant = (
        {"grant_type": "refresh_token", "refresh_token": refresh_token}
        if refresh_token
        else {"grant_type": "client_credentials"}
    )
    sent = {name: value for name, value in {**form, **grant}.items() if value is not None}
    try:
        reply = oauth.session.post(oauth.token_url, data=sent)
        answer = reply.json() if reply.content else {}
    except (requests.RequestException, *UNFORESEEN) as error:
        raise _no_token(oauth, type(error).__name__) from error
    if (
        reply.status_code != HTTPStatus.OK
        or not isinstance(answer, dict)
        or not _is_sendable(answer.get("access_token"))
    ):
        raise _no_token(oauth, _reason(reply.status_code, answer))
    return answer


def _life_of(seconds: Any) -> timedelta:
    """Return how long a token lasts; one that does not say it is used once."""
    is_valid = isinstance(seconds, int | float) and 0 < seconds <= _LONGEST_LIFE
    return timedelta(seconds=seconds) if is_valid else timedelta()


def _is_sendable(token: Any) -> bool:
    return isinstance(token, str) and token.isascii() and token.isprintable() and token != ""


def _reason(status: int, answer: Any) -> str:
    code = answer.get("error") if isinstance(answer, dict) else None
    return f"{status} {code}" if isinstance(code, str) and _CODE.fullmatch(code) else str(status)


def _no_token(oauth: MailOAuth, reason: str) -> MailUnavailable:
    return MailUnavailable(
        f"no token for the mail server was given by {oauth.token_url}: {reason}.",
        where="e-mail",
        remedy="Check email.oauth in config.toml; the refresh token or the client's secret may have ended.",
    )
