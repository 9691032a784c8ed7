"""The access token: asked for before each call, renewed once for however many calls find that it has ended."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Final

from hubspot.crm.objects.exceptions import ApiException

from adapters.hubspot.config import HubSpotAccess
from adapters.hubspot.errors import all_words, not_data, object_of, translated
from connector.domain.config.credentials import unsendable
from connector.domain.quoting import quoted
from connector.errors import AuthRevoked, CrmError, NotLetIn, Unavailable
from connector.ports import Clock

MARGIN: Final = timedelta(minutes=2)
"""A token is renewed this long before it ends, so that it does not end on its way."""
_LIFE: Final = timedelta(minutes=30)
"""Of a token whose answer does not say."""
_LONGEST_LIFE: Final = 86_400 * 365
_REST: Final = timedelta(minutes=1)
"""Whoever was not let in asks for no token again before: a lap has many calls that need one."""
_REFUSALS: Final = (400, 401, 403)
_KEY: Final = "Make a new service key in HubSpot, and put its token into config.toml."
_APP: Final = "Let HubSpot install the app again and put the new refresh_token into config.toml; check client_id and client_secret."
_VERDICT: Final = re.compile(r"token|client|\bapp\b|grant|authori[sz]", re.IGNORECASE)
"""What is said when a refresh token or an app stays refused. All else, an address that is not allowed for instance, can pass."""
_PASSES: Final = "Check in HubSpot that the account is active, and that it may be reached from this machine's address."

Exchange = Callable[[Mapping[str, str]], Any]
"""Posts a form to the token endpoint and returns the parsed answer; raises what the package raises."""


@dataclass(frozen=True, slots=True)
class HubSpotToken:
    """An access token, and how long it is used (None: it lasts)."""

    token: str = field(repr=False)
    until: datetime | None = None


class HubSpotCredentials:
    """Hands out the connection's token, and gets a new one when it has ended or is about to."""

    def __init__(self, access: HubSpotAccess, exchange: Exchange, clock: Clock) -> None:
        self._access = access
        self._exchange = exchange
        self._clock = clock
        self._lock = Lock()
        self._current: HubSpotToken | None = None
        self._refresh_token = access.refresh_token
        self._kept_out: tuple[NotLetIn, datetime] | None = None
        self._taken_at: datetime | None = None
        self._where = f"{access.connection}: sign in"

    def current(self) -> HubSpotToken:
        """Return the token to use now. `AuthRevoked`, `Unavailable`."""
        token = self._current
        return token if token is not None and self._is_good(token) else self.renew(token)

    def renew(self, dead: HubSpotToken | None) -> HubSpotToken:
        """Return a token that is not `dead`. Of many threads that ask at once, one fetches it for all."""
        with self._lock:
            token = self._current
            if token is not None and token is not dead and self._is_good(token):
                return token
            if self._access.renews:
                self._current = self._let_in(dead)
            elif dead is None:
                self._current = HubSpotToken(self._access.access_token)
            else:
                raise self._judgement()
            return self._current

    def taken(self) -> None:
        """Note that the token was accepted just now."""
        self._taken_at = self._clock.now()

    def _judgement(self) -> CrmError:
        """Return what the refusal of a key means that does not end by itself: in the middle of work it may be HubSpot's own trouble."""
        if self._taken_at is not None and self._clock.now() - self._taken_at < _REST:
            what = "the access token was refused, though it was accepted a moment before."
            return NotLetIn(
                what,
                where=self._where,
                remedy="It is tried again by itself; if the key has ended, the next try says so.",
            )
        return AuthRevoked("the access token is refused.", where=self._where, remedy=_KEY)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Whatever must never be seen in an error, beside the access token."""
        return (*self._access.secrets, self._refresh_token)

    def refused(self) -> Unavailable:
        """Return the error for a new token that is refused too: only a refused sign-in tells of the credentials."""
        return Unavailable("a new access token is refused too.", where=self._where, remedy=_APP, not_sent=True)

    def _is_good(self, access: HubSpotToken) -> bool:
        return access.until is None or self._clock.now() < access.until

    def _let_in(self, dead: HubSpotToken | None) -> HubSpotToken:
        if self._kept_out is not None and self._clock.now() < self._kept_out[1] + _REST:
            raise self._kept_out[0]
        try:
            return self._renewed(dead)
        except NotLetIn as error:
            self._kept_out = error, self._clock.now()
            raise

    def _renewed(self, dead: HubSpotToken | None) -> HubSpotToken:
        """Take over what another process has got, or exchange the refresh token that is kept now, whoever kept it."""
        vault = self._access.vault
        if vault is None:
            return self._exchanged()
        with vault.alone():
            kept = vault.load()
            self._refresh_token = kept.get("refresh_token") or self._access.refresh_token
            kept_token = _kept_access(kept)
            if (
                kept_token is not None
                and (dead is None or kept_token.token != dead.token)
                and self._is_good(kept_token)
            ):
                return kept_token
            return self._exchanged()

    def _exchanged(self) -> HubSpotToken:
        form = {
            "grant_type": "refresh_token",
            "client_id": self._access.client_id,
            "client_secret": self._access.client_secret,
            "refresh_token": self._refresh_token,
        }
        with self._judged():
            answer = self._exchange(form)
        if not isinstance(answer, dict) or not answer.get("access_token"):
            raise Unavailable(not_data(self._where).what, where=self._where, not_sent=True)
        life = life_of(answer.get("expires_in"))
        until = self._clock.now() + life - min(MARGIN, life / 4)
        access = HubSpotToken(str(answer["access_token"]), until)
        if unsendable(access.token):
            raise Unavailable("the token that was given cannot be sent.", where=self._where, not_sent=True)
        self._refresh_token = str(answer.get("refresh_token") or self._refresh_token)
        if self._access.vault is not None:
            # Before anything is done with the new access token: the old refresh token may have ended.
            self._access.vault.save(
                {"refresh_token": self._refresh_token, "access_token": access.token, "until": until.isoformat()}
            )
        return access

    @contextmanager
    def _judged(self) -> Iterator[None]:
        """Tell credentials that are refused from an endpoint that cannot be reached."""
        try:
            with translated(self._where, day_ends=self._clock.now(), secrets=self.secrets):
                yield
        except CrmError as error:
            cause = error.__cause__
            message = all_words(object_of(cause.body)) if isinstance(cause, ApiException) else ""
            shown = quoted(message, self.secrets)
            if message and isinstance(cause, ApiException) and cause.status in _REFUSALS:
                if not _VERDICT.search(message):
                    raise NotLetIn(f"no token was given ({shown}).", where=self._where, remedy=_PASSES) from cause
                raise AuthRevoked(f"the refresh token is refused ({shown}).", where=self._where, remedy=_APP) from cause
            # Whatever was to follow the sign-in has certainly not happened.
            raise Unavailable(shown or error.what, where=self._where, remedy=error.remedy, not_sent=True) from cause


def life_of(seconds: Any) -> timedelta:
    """Return how long a token lasts by the answer that gave it; by itself where that says nothing that can be."""
    plausible = isinstance(seconds, int | float) and 0 < seconds <= _LONGEST_LIFE
    return timedelta(seconds=seconds) if plausible else _LIFE


def _kept_access(kept: Mapping[str, str]) -> HubSpotToken | None:
    if not kept.get("access_token") or not kept.get("until"):
        return None
    return HubSpotToken(kept["access_token"], datetime.fromisoformat(kept["until"]))
