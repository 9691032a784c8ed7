"""One call to HubSpot: its speed, its share of the day, its errors, its repetitions."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from hubspot import HubSpot
from hubspot.crm.objects.exceptions import ApiException
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential, wait_random
from urllib3 import Retry
from urllib3.util import make_headers, parse_url

from adapters.hubspot.config import HubSpotAccess
from adapters.hubspot.errors import not_data, translated
from adapters.hubspot.http.auth import HubSpotCredentials, HubSpotToken
from adapters.hubspot.http.connection import HubSpotPool
from adapters.hubspot.http.meter import HubSpotMeter
from adapters.hubspot.http.throttle import Throttle
from adapters.hubspot.http.version import TOKEN
from connector.errors import (
    AuthExpired,
    CrmError,
    CursorInvalid,
    Locked,
    NotLetIn,
    QuotaSpent,
    RateLimited,
    Unavailable,
)
from connector.ports import Clock
from connector.wire import deadlines
from connector.wire.parsing import parsed, time_of

_ATTEMPTS = 4
_WAIT = wait_exponential(multiplier=0.5, max=20) + wait_random(0, 0.5)
_LONGEST_WAIT = timedelta(seconds=30)
"""Whoever asks for more is asked again in the next lap; no call is held up for so long."""
_MOST_EMPTY = 100
"""Pages without a record, one after the other, in a listing that says that it goes on."""
LOCK_PAUSE = timedelta(seconds=2)
"""What HubSpot wants between calls about something locked."""


class HubSpotAnswer(NamedTuple):
    """The body (empty: no content), and HubSpot's clock when it answered."""

    data: dict[str, Any]
    server_time: datetime

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The results of a listing or a batch."""
        results = self.data.get("results")
        return [row for row in results if isinstance(row, dict)] if isinstance(results, list) else []

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The refusals of a batch."""
        refusals = self.data.get("errors")
        return [row for row in refusals if isinstance(row, dict)] if isinstance(refusals, list) else []

    @property
    def following(self) -> str:
        """Where a listing goes on, or '' at its end."""
        return next_of(self.data)


class HubSpotClient:
    """Calls HubSpot for one connection; may be used by several threads at once."""

    def __init__(self, access: HubSpotAccess, clock: Clock) -> None:
        self.clock = clock
        self.meter = HubSpotMeter(clock, access.budget)
        self._access = access
        self._throttle = Throttle(clock)
        self._skew = timedelta()
        # Repetitions are ours; a redirected API has moved, or is a sign-in page.
        once = Retry(total=0, raise_on_redirect=False)
        package = HubSpot(
            host=access.url,
            ssl_ca_cert=access.ca_bundle,
            retry=once,
            connection_pool_maxsize=16,
            **_proxy(access.url),
        )
        self._api = package.crm.objects.basic_api.api_client
        # The package by itself would wait for ever.
        self._api.rest_client.pool_manager.pool_classes_by_scheme = {"https": HubSpotPool}
        self._credentials = HubSpotCredentials(access, self._exchange_token, clock)

    def where(self, call: str) -> str:
        """Return the place that errors of this call name."""
        return f"{self._access.connection}: {call}"

    def now(self) -> datetime:
        """Return HubSpot's present time, as far as its answers have told."""
        return self.clock.now() + self._skew

    def read(self, path: str, query: Mapping[str, Any] | None = None, *, call: str) -> HubSpotAnswer:
        """Return what stands at `path`; repeated when that can help."""
        return self._repeat(_worth_reading_again, lambda: self._asked("GET", path, call, query=query))

    def read_list(self, path: str, query: Mapping[str, Any] | None = None, *, call: str) -> HubSpotAnswer:
        """Read what lists something, or nothing. `Unavailable`: it has no list of results, which is no evidence of none."""
        return _expect_rows(self.read(path, query, call=call), self.where(call))

    def pages(self, path: str, query: Mapping[str, Any], *, call: str) -> Iterator[HubSpotAnswer]:
        """Yield all pages of a listing. `Unavailable` as `read_list`."""
        after, seen, empty = "", set[str](), 0
        while True:
            answer = self.read_list(path, {**query, "after": after} if after else query, call=call)
            yield answer
            empty = 0 if answer.rows else empty + 1
            if empty > _MOST_EMPTY:
                raise CursorInvalid("the listing does not end: page after page of it is empty.", where=self.where(call))
            after = answer.following
            if not after:
                return
            if after in seen:
                raise CursorInvalid("the listing goes round: it leads to a page again.", where=self.where(call))
            seen.add(after)

    def ask(self, path: str, body: Mapping[str, Any], *, call: str, search: bool = False) -> HubSpotAnswer:
        """POST a question that changes nothing; repeated as a reading is."""
        return self._repeat(_worth_reading_again, lambda: self._asked("POST", path, call, body=body, search=search))

    def ask_list(self, path: str, body: Mapping[str, Any], *, call: str, search: bool = False) -> HubSpotAnswer:
        """POST a question whose answer lists something, or nothing. `Unavailable` as `read_list`."""
        return _expect_rows(self.ask(path, body, call=call, search=search), self.where(call))

    def change(self, method: str, path: str, body: Mapping[str, Any] | None = None, *, call: str) -> HubSpotAnswer:
        """Carry out a change; repeated only when it is certain that nothing was done."""
        return self._repeat(_worth_writing_again, lambda: self._exchange(method, path, call, body=body))

    def close(self) -> None:
        """Close the pool's connections at once: the package keeps its last answer, and with it one pool."""
        manager = self._api.rest_client.pool_manager
        for key in manager.pools.keys():  # noqa: SIM118 - it cannot be iterated over
            pool = manager.pools.get(key)
            if pool is not None:
                pool.close()
        manager.clear()

    def _repeat(self, worth: Callable[[BaseException], bool], act: Callable[[], HubSpotAnswer]) -> HubSpotAnswer:
        retrying = Retrying(
            sleep=self.clock.sleep,
            stop=stop_after_attempt(_ATTEMPTS),
            wait=_wait,
            retry=retry_if_exception(worth),
            reraise=True,
        )
        return retrying(act)

    def _asked(self, method: str, path: str, call: str, **rest: Any) -> HubSpotAnswer:
        """Make a call that changes nothing. A lock is nothing against what is asked for: it passes."""
        try:
            return self._exchange(method, path, call, **rest)
        except Locked as error:
            raise RateLimited(error.what, where=error.where, retry_after=LOCK_PAUSE, quota="lock") from error

    def _exchange(
        self,
        method: str,
        path: str,
        call: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        search: bool = False,
    ) -> HubSpotAnswer:
        """Make one call; what an ended token kept from being done is replayed once with a new one."""
        exchange = partial(self._exchange_as, method, path, call, query=query, body=body, search=search)
        access = self._credentials.current()
        try:
            return exchange(access)
        except AuthExpired:
            renewed = self._credentials.renew(access)
        try:
            return exchange(renewed)
        except AuthExpired as error:
            raise self._credentials.refused() from error

    def _exchange_as(
        self,
        method: str,
        path: str,
        call: str,
        access: HubSpotToken,
        *,
        query: Mapping[str, Any] | None,
        body: Mapping[str, Any] | None,
        search: bool,
    ) -> HubSpotAnswer:
        where = self.where(call)
        self.meter.take(where=where)
        self._throttle.wait(search=search)
        headers: Mapping[str, str] = {}
        try:
            secrets = (access.token, *self._credentials.secrets)
            with translated(where, day_ends=self.meter.renewed_at(), secrets=secrets):
                data, status, headers = self._send(access, method, path, query=query, body=body)
        except CrmError as error:
            if isinstance(error, QuotaSpent):
                self.meter.refused(error.what)
            if isinstance(error, RateLimited) and _soon(error):
                self._throttle.refused(error.retry_after, search=search)
            cause = error.__cause__
            headers = cause.headers or {} if isinstance(cause, ApiException) else {}
            raise
        finally:
            self._throttle.learn(*self.meter.learn(headers))
        self._credentials.taken()
        return self._answer(data, status, headers, where)

    def _send(
        self,
        access: HubSpotToken,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None,
        body: Mapping[str, Any] | None,
    ) -> tuple[Any, int, Mapping[str, str]]:
        return self._called(
            path,
            method,
            query_params=list((query or {}).items()),
            header_params={
                "Accept": "application/json",
                "Content-Type": "application/json",
                "Authorization": f"Bearer {access.token}",
            },
            body=None if body is None else encodable(dict(body)),
        )

    def _exchange_token(self, form: Mapping[str, str]) -> Any:
        """Post a form to where tokens are given out: such calls are free."""
        data, _status, _headers = self._called(
            TOKEN,
            "POST",
            header_params={"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"},
            post_params=list(form.items()),
        )
        return data

    def _called(self, path: str, method: str, **rest: Any) -> tuple[Any, int, Mapping[str, str]]:
        """Make a call by the package, and parse the answer here: the package does not survive every one."""
        timeout = (deadlines.CONNECT_SECONDS, deadlines.READ_SECONDS)
        response = self._api.call_api(
            path, method, auth_settings=[], _preload_content=False, _request_timeout=timeout, **rest
        )
        body = response.data
        try:
            data = parsed(body) if body else None
        except ValueError:
            data = None
        return data, response.status, response.headers

    def _answer(self, data: Any, status: int, headers: Mapping[str, str], where: str) -> HubSpotAnswer:
        if data is None and status == 204:
            data = {}
        if not isinstance(data, dict):
            raise not_data(where)
        stamp = time_of(headers.get("Date"), self.clock.now())
        if stamp is not None:
            self._skew = stamp - self.clock.now()
        return HubSpotAnswer(data, stamp or self.now())


def _proxy(url: str) -> dict[str, Any]:
    """Return the proxy that the environment names for this address, as programs are used to: the package looks for none.

    It may be named without its scheme, and with whom it is to let through.
    """
    named = "" if proxy_bypass(urlsplit(url).hostname or "") else getproxies().get("https", "")
    if not named:
        return {}
    address = named if "://" in named else f"http://{named}"
    who = parse_url(address).auth
    return {"proxy": address, "proxy_headers": make_headers(proxy_basic_auth=unquote(who)) if who else None}


def _expect_rows(answer: HubSpotAnswer, where: str) -> HubSpotAnswer:
    rows = answer.data.get("results")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise not_data(where)
    return answer


def next_of(data: Mapping[str, Any]) -> str:
    """Return the place in `paging` where a listing goes on; '' at its end."""
    paging = data.get("paging")
    following = paging.get("next") if isinstance(paging, Mapping) else None
    return str(following.get("after") or "") if isinstance(following, Mapping) else ""


def encodable(value: Any) -> Any:
    """Return the value with half surrogate pairs, cut off by some other program, replaced: no encoder takes them."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, dict):
        return {key: encodable(item) for key, item in value.items()}
    return [encodable(item) for item in value] if isinstance(value, list) else value


def _worth_reading_again(error: BaseException) -> bool:
    return (isinstance(error, Unavailable) and not isinstance(error, NotLetIn)) or _soon(error)


def _worth_writing_again(error: BaseException) -> bool:
    return _soon(error) or (isinstance(error, Unavailable) and error.not_sent and not isinstance(error, NotLetIn))


def _soon(error: BaseException) -> bool:
    return isinstance(error, RateLimited) and (error.retry_after is None or error.retry_after <= _LONGEST_WAIT)


def _wait(state: RetryCallState) -> float:
    """Wait as long as HubSpot needs; longer each time, and never in step with others."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, RateLimited) else None
    return (asked.total_seconds() if asked else 0.0) + float(_WAIT(state))
