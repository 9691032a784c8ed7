"""One call to Salesforce: its token, its share of the day, its errors, its repetitions."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, BinaryIO, NamedTuple, TypeVar

import requests
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential, wait_random

from adapters.salesforce.config import SalesforceAccess
from adapters.salesforce.errors import DAILY, QueryTimeout, not_data, translated
from adapters.salesforce.http.auth import SalesforceCredentials, SalesforceToken
from adapters.salesforce.http.meter import SalesforceMeter
from adapters.salesforce.http.session import MOST_BYTES_IN_A_FILE, SalesforceSession
from connector.errors import AuthExpired, Bug, NotLetIn, QuotaSpent, RateLimited, Unavailable
from connector.ports import Clock
from connector.wire.limited import bounded
from connector.wire.parsing import parsed, time_of

_ATTEMPTS = 4
_WAIT = wait_exponential(multiplier=0.5, max=20) + wait_random(0, 0.5)
_CHUNK = 1 << 16
_CSV = {"Content-Type": "text/csv", "Accept": "application/json"}
_T = TypeVar("_T")


class SalesforceAnswer(NamedTuple):
    """The parsed body (None: no content), and Salesforce's clock when it answered."""

    data: Any
    server_time: datetime


class SalesforceClient:
    """Calls Salesforce for one connection; may be used by several threads at once."""

    def __init__(self, access: SalesforceAccess, clock: Clock) -> None:
        self.connection = access.connection
        self.clock = clock
        self.meter = SalesforceMeter(access.budget)
        self._access = access
        self._session = SalesforceSession(self.meter, ca_bundle=access.ca_bundle)
        self._credentials = SalesforceCredentials(access, self._session, clock)

    def where(self, call: str) -> str:
        """Return the place that errors of this call name."""
        return f"{self._access.connection}: {call}"

    def read(self, path: str, *, call: str, headers: Mapping[str, str] | None = None) -> SalesforceAnswer:
        """Return what stands at `path`; repeated when that can help."""
        return self._repeat(_worth_reading_again, lambda: self._signed("GET", path, call, headers=headers))

    def peek(self, path: str, *, call: str) -> SalesforceAnswer:
        """Read what a token that is good otherwise may not be let see. `AuthExpired`: it is not; no new token is asked for."""
        return self._repeat(_worth_reading_again, lambda: self._signed("GET", path, call, renew=False))

    def ask(self, path: str, body: Any, *, call: str) -> SalesforceAnswer:
        """POST a question that changes nothing; repeated as a reading is."""
        payload = encode(body)
        return self._repeat(_worth_reading_again, lambda: self._signed("POST", path, call, payload=payload))

    def change(self, method: str, path: str, body: Any = None, *, call: str) -> SalesforceAnswer:
        """Carry out a change; repeated only when it is certain that nothing was done."""
        payload = None if body is None else encode(body)
        return self._repeat(_worth_writing_again, lambda: self._signed(method, path, call, payload=payload))

    def download(self, path: str, into: BinaryIO, *, call: str) -> SalesforceAnswer:
        """Put what stands at `path` into a file, from its beginning; returns the answer's headers. Repeated as a reading is."""

        def save(response: requests.Response, where: str) -> SalesforceAnswer:
            into.seek(0)
            into.truncate()
            with response, translated(where, self.clock.now()):
                for chunk in bounded(response.iter_content(_CHUNK), MOST_BYTES_IN_A_FILE):
                    into.write(chunk)
            into.seek(0)
            return SalesforceAnswer(response.headers, self._time_of(response))

        return self._repeat(
            _worth_reading_again,
            lambda: self._signed("GET", path, call, headers={"Accept": "text/csv"}, finish=save, stream=True),
        )

    def upload(self, path: str, content: BinaryIO, *, call: str) -> SalesforceAnswer:
        """PUT a file of CSV; repeated only when it is certain that nothing came of it."""
        return self._repeat(
            _worth_writing_again, lambda: self._signed("PUT", path, call, payload=content, headers=_CSV)
        )

    def close(self) -> None:
        """Close the pool."""
        self._session.close()

    def _repeat(self, worth: Callable[[BaseException], bool], act: Callable[[], _T]) -> _T:
        retrying = Retrying(
            sleep=self.clock.sleep,
            stop=stop_after_attempt(_ATTEMPTS),
            wait=_wait,
            retry=retry_if_exception(worth),
            reraise=True,
        )
        return retrying(act)

    def _signed(
        self,
        method: str,
        path: str,
        call: str,
        *,
        payload: bytes | BinaryIO | None = None,
        headers: Mapping[str, str] | None = None,
        finish: Callable[[requests.Response, str], SalesforceAnswer] | None = None,
        stream: bool = False,
        renew: bool = True,
    ) -> SalesforceAnswer:
        where = self.where(call)

        def exchange(signed_in: SalesforceToken) -> SalesforceAnswer:
            # Tokens are free; everything below /services/data/ counts against the org's day, answered or not.
            if not path.startswith("/services/oauth2/"):
                self.meter.take(where=where)
            if payload is not None and not isinstance(payload, bytes):
                payload.seek(0)
            secrets = (signed_in.token, *self._credentials.secrets)
            with translated(where, self.clock.now(), secrets):
                # The package's public callers parse into ordered dicts and copy each record; this one hands out the answer.
                response = signed_in.client._call_salesforce(
                    method, _address(signed_in, path), data=payload, headers=headers or {}, stream=stream
                )
            return (finish or self._answer)(response, where)

        try:
            return self._with_token(exchange, where) if renew else exchange(self._credentials.current())
        except QuotaSpent as error:
            if error.quota == DAILY:
                self.meter.refused(error.what)
            raise

    def _with_token(self, exchange: Callable[[SalesforceToken], SalesforceAnswer], where: str) -> SalesforceAnswer:
        """Replay once with a new token what an expired one kept from being done."""
        signed_in = self._credentials.current()
        try:
            return exchange(signed_in)
        except AuthExpired:
            renewed = self._credentials.renew(signed_in)
        try:
            return exchange(renewed)
        except AuthExpired as error:
            # The session of a token can end at once, for reasons of the org's own; only a refused sign-in tells of the credentials.
            remedy = "If this stays, check the app and its user in Salesforce."
            what = "a new access token is refused too."
            raise Unavailable(what, where=where, remedy=remedy, not_sent=True) from error

    def _answer(self, response: requests.Response, where: str) -> SalesforceAnswer:
        body = response.content
        try:
            data = parsed(body) if body else None
        except ValueError as error:
            raise not_data(where) from error
        return SalesforceAnswer(data, self._time_of(response))

    def _time_of(self, response: requests.Response) -> datetime:
        now = self.clock.now()
        return time_of(response.headers.get("Date"), now) or now


def _address(signed_in: SalesforceToken, path: str) -> str:
    """Return the full address: whatever an answer names is looked for on the org's own host, nowhere else."""
    if path.startswith("/"):
        return f"https://{signed_in.instance}{path}"
    return f"{signed_in.client.base_url}{path}"


def encode(body: Any) -> bytes:
    """Return JSON in Salesforce's own forms of times and numbers."""
    try:
        text = json.dumps(body, default=_in_json, allow_nan=False, ensure_ascii=False)
    except ValueError as error:
        raise Bug(f"{error}") from error
    # Half of a surrogate pair, cut off by some other program, must not keep a whole batch from being written.
    return text.encode(errors="replace")


def _in_json(value: object) -> Any:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise Bug("a time without a zone cannot be written")
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03}Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise Bug(f"{type(value).__name__} has no form in JSON")


def _worth_reading_again(error: BaseException) -> bool:
    return isinstance(error, Unavailable | RateLimited) and not isinstance(error, QueryTimeout | NotLetIn)


def _worth_writing_again(error: BaseException) -> bool:
    not_sent = isinstance(error, Unavailable) and error.not_sent and not isinstance(error, NotLetIn)
    return isinstance(error, RateLimited) or not_sent


def _wait(state: RetryCallState) -> float:
    """Wait as long as Salesforce says; without a word of it, longer each time and never in step with others."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, RateLimited) else None
    return asked.total_seconds() if asked else float(_WAIT(state))


def expect_list(answer: SalesforceAnswer, where: str) -> list[Any]:
    """Return the body as a list, or raise `Unavailable`."""
    if not isinstance(answer.data, list):
        raise not_data(where)
    return answer.data


def expect_object(answer: SalesforceAnswer, where: str) -> dict[str, Any]:
    """Return the body as an object, or raise `Unavailable`."""
    if not isinstance(answer.data, dict):
        raise not_data(where)
    return answer.data
