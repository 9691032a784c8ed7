"""The one place where failures of Salesforce and of the network become errors of ours."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

import requests
from simple_salesforce.exceptions import SalesforceError
from urllib3.exceptions import HTTPError, NewConnectionError

from adapters.salesforce.http.meter import next_midnight
from connector.domain.quoting import quoted, short_name, without
from connector.errors import (
    AGAIN,
    UNFORESEEN,
    AuthExpired,
    CrmError,
    CursorInvalid,
    Locked,
    NotPermitted,
    QuotaSpent,
    RateLimited,
    RecordRejected,
    SchemaChanged,
    Unavailable,
)
from connector.wire.failures import causes, is_untrusted, not_looked_up, reason_of
from connector.wire.limited import TooLarge

_COLUMN = re.compile(r"No such column '([^']+)' on (?:entity|sobject of type) '?(\w+)", re.IGNORECASE)
_RELATION = re.compile(r"Didn't understand relationship '([^']+)'")
_EXTERNAL = re.compile(r"external ID field does not exist or is not accessible: (\w+)")
_TYPE = re.compile(r"sObject type '([^']+)'")

DAILY: Final = "daily"
"""The quota of calls in a day, as Salesforce itself refuses them."""
_CROWDED: Final = timedelta(seconds=5)
"""Until one of too many long calls may have ended. Salesforce names no time."""

MISSING: Final = frozenset({"INVALID_FIELD", "INVALID_TYPE", "INVALID_FIELD_FOR_INSERT_UPDATE"})
FORBIDDEN: Final = frozenset(
    {
        "API_CURRENTLY_DISABLED",
        "API_DISABLED_FOR_ORG",
        "FUNCTIONALITY_NOT_ENABLED",
        "INSUFFICIENT_ACCESS",
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        "OPERATION_NOT_ALLOWED",
    }
)
_LOCK: Final = "UNABLE_TO_LOCK_ROW"
_CHECK_FIELD = "Check the field's name in the mapping, and that the integration user may see it."
_REACH = "Check the url of this connection and the network. If both are right, the next run tries again."
_SEE_ALL = "Salesforce looks less far for an integration user who has the right View All Data."
_GRANT = "Give the integration user this right, or assign the permission set Afterword to it."


class QueryTimeout(Unavailable):
    """Salesforce gave up on a query: a narrower window of time may succeed."""


class TooManyMatches(RecordRejected):
    """Several records have the key that was to name one."""


@contextmanager
def translated(where: str, now: datetime, secrets: Iterable[str] = ()) -> Iterator[None]:
    """Turn whatever a call can fail with into an error of ours, without these secrets. `where` names connection and call."""
    try:
        yield
    except SalesforceError as error:
        raise failure(int(error.status), without(secrets, error.content), where=where, now=now) from error
    except (requests.RequestException, HTTPError, *UNFORESEEN) as error:
        raise no_answer(error, where=where) from error


def no_answer(error: Exception, *, where: str) -> Unavailable:
    """Return the error for a call that was not answered; `not_sent` only if no byte can have reached Salesforce."""
    if is_untrusted(error):
        remedy = "Check the certificate, or name the certificates of your network in ca_bundle."
        return Unavailable("the connection is not trusted.", where=where, remedy=remedy, not_sent=True)
    if what := not_looked_up(error):
        remedy = "Correct the url, or see that this machine can look names up."
        return Unavailable(what, where=where, remedy=remedy, not_sent=True)
    if too_large := next((cause for cause in causes(error) if isinstance(cause, TooLarge)), None):
        return Unavailable(
            str(too_large), where=where, remedy="If this stays, tell Salesforce's support what this says."
        )
    what = "no answer in time." if isinstance(error, requests.Timeout) else f"no answer ({type(error).__name__})."
    return Unavailable(what, where=where, remedy=_REACH, not_sent=_never_connected(error))


def _never_connected(error: Exception) -> bool:
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.ProxyError | requests.exceptions.InvalidURL):
        return True
    return isinstance(reason_of(error), NewConnectionError)


def not_data(where: str) -> Unavailable:
    """Return the error for a success that holds no data: an overload or sign-in page, or half an answer."""
    return Unavailable("the answer was not data.", where=where, remedy="Check the url if this stays.")


def first(content: Any) -> Mapping[str, Any]:
    """Return the first of a list of errors; empty if there is none (a page of HTML, nothing at all)."""
    rows = content if isinstance(content, list) else [content]
    return rows[0] if rows and isinstance(rows[0], Mapping) else {}


def code_of(row: Mapping[str, Any]) -> str:
    """Return the code of an error: a request's ``errorCode``, or a single record's ``statusCode``."""
    return short_name(row.get("errorCode") or row.get("statusCode") or "")


def words(row: Mapping[str, Any]) -> str:
    """Return what Salesforce says, on one line and not too long."""
    return quoted(str(row.get("message") or ""))


def failure(status: int, content: Any, *, where: str, now: datetime) -> CrmError:
    """Return the error for a whole call that was answered with `status` and `content` (parsed, or text)."""
    row = first(content)
    return by_code(row, where=where, now=now) or _by_status(status, row, content, where=where)


def by_code(row: Mapping[str, Any], *, where: str, now: datetime) -> CrmError | None:
    """Return the error that the code alone decides, or None."""
    code, message = code_of(row), words(row)
    if code in MISSING:
        return missing(row, where=where)
    if code in FORBIDDEN:
        return NotPermitted(f"{code}: {message}", where=where, remedy=_GRANT)
    if code == "REQUEST_LIMIT_EXCEEDED":
        return _limit(message, where=where, now=now)
    if code == "INVALID_QUERY_LOCATOR":
        return CursorInvalid("Salesforce no longer knows this listing.", where=where)
    if code == "QUERY_TIMEOUT":
        return QueryTimeout("the query took too long.", where=where)
    if code == "OPERATION_TOO_LARGE":
        return QueryTimeout(f"the query is too large ({message}).", where=where, remedy=_SEE_ALL)
    # A trigger that met with the lock tells of it in words of its own.
    if _LOCK in f"{code} {message}":
        return Locked(f"{code}: {message}", where=where, remedy=AGAIN, code=code, fields=fields_of(row))
    if code == "INVALID_SESSION_ID":
        return AuthExpired("the session is over.", where=where)
    return None


def _limit(message: str, *, where: str, now: datetime) -> CrmError:
    if "concurrent" in message.lower():
        return RateLimited(message, where=where, quota="concurrent", retry_after=_CROWDED)
    remedy = "The rest follows when the org has calls again."
    return QuotaSpent(message, where=where, remedy=remedy, until=next_midnight(now), quota=DAILY)


def missing(row: Mapping[str, Any], *, where: str) -> CrmError:
    """Return what a code about unknown or hidden fields and objects means."""
    code, message = code_of(row), words(row)
    if code == "INVALID_FIELD_FOR_INSERT_UPDATE":
        return NotPermitted(message, where=where, remedy=_GRANT)
    if match := _TYPE.search(message):
        what = f"there is no object {match[1]}, or it is hidden from us."
        return SchemaChanged(what, where=where, remedy=_CHECK_FIELD, object_name=match[1])
    field, object_name = missing_column(message)
    if not field:
        return RecordRejected(f"{code}: {message}", where=where, code=code, fields=fields_of(row))
    what = f"there is no field {field}, or it is hidden from us."
    return SchemaChanged(what, where=where, remedy=_CHECK_FIELD, object_name=object_name, field=field)


def missing_column(message: str) -> tuple[str, str]:
    """Return the field and the object that a message calls unknown; '' for what it does not name."""
    if match := _COLUMN.search(message):
        return match[1], match[2]
    if match := _RELATION.search(message) or _EXTERNAL.search(message):
        return match[1], ""
    return "", ""


def _by_status(status: int, row: Mapping[str, Any], content: Any, *, where: str) -> CrmError:
    code, message = code_of(row), words(row)
    shown = f"{code}: {message}" if code else f"HTTP {status}"
    # What something in between says of a token is no verdict on it.
    if (status == 401 and (code or not content)) or "Bad_OAuth_Token" in str(content):
        return AuthExpired("the access token is not accepted.", where=where)
    if status >= 500 or status == 408:
        return Unavailable(shown, where=where)
    if status == 429:
        return RateLimited(shown, where=where)
    if not row or status == 401:
        return _page(status, where=where)
    if status == 403:
        return NotPermitted(shown, where=where, remedy=_GRANT)
    if status == 404:
        return _absent(shown, message, where=where)
    if status == 410:
        return CrmError(shown, where=where, remedy="Salesforce ended this version of its API: update Afterword.")
    if status == 300:
        return TooManyMatches("several records have this key.", where=where, code="DUPLICATE_EXTERNAL_ID")
    return RecordRejected(shown, where=where, code=code, fields=fields_of(row))


def _absent(shown: str, message: str, *, where: str) -> CrmError:
    field, _ = missing_column(message)
    return SchemaChanged(shown, where=where, remedy=_CHECK_FIELD, field=field)


def _page(status: int, *, where: str) -> CrmError:
    """Errors that are not in Salesforce's own form come from something in front of it."""
    if status in (414, 431):
        return CrmError(f"HTTP {status}: the request's address is too long.", where=where)
    if 300 <= status < 400:
        return Unavailable(
            f"HTTP {status}: the address has moved.", where=where, remedy="Check the url.", not_sent=True
        )
    if status == 403:
        return NotPermitted(f"HTTP {status} without a reason.", where=where, remedy=_GRANT)
    return Unavailable(f"HTTP {status} with a page instead of data.", where=where)


def fields_of(row: Mapping[str, Any]) -> Sequence[str]:
    """Return the fields that an error names."""
    fields = row.get("fields")
    return tuple(map(short_name, fields)) if isinstance(fields, list) else ()
