"""The one place where failures of HubSpot and of the network become errors of ours."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from hubspot.crm.objects.exceptions import ApiException, OpenApiException
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ProxyError

from connector.domain.quoting import quoted, short_name, without
from connector.errors import (
    AGAIN,
    UNFORESEEN,
    AuthExpired,
    Conflict,
    CrmError,
    Locked,
    NotPermitted,
    QuotaSpent,
    RateLimited,
    RecordRejected,
    SchemaChanged,
    Unavailable,
)
from connector.wire.failures import causes, is_untrusted, not_looked_up, reason_of
from connector.wire.headers import pause_of
from connector.wire.limited import Unreadable
from connector.wire.parsing import parsed

_CHECK_FIELD: Final = (
    "Correct the mapping, or give the service key the scope that shows it; then run `afterword check`."
)
_UNKNOWN_OBJECT = re.compile(r"Unable to infer object type from: ?(\S+)")
_UNKNOWN_PROPERTY = re.compile(r'Property "?([\w.-]+)"? does not exist')
_EXISTING = re.compile(r"Existing ID: (\d+)")
_PAUSES: Final[Mapping[str, timedelta]] = {
    "SECONDLY": timedelta(seconds=1),
    "TEN_SECONDLY_ROLLING": timedelta(seconds=10),
}
_DAILY: Final = "DAILY"
MISSING_PROPERTY: Final = "PROPERTY_DOESNT_EXIST"


class Absent(RecordRejected):
    """HubSpot knows nothing at this address: a record that is gone, or a property that is not there."""


@contextmanager
def translated(where: str, *, day_ends: datetime, secrets: Iterable[str] = ()) -> Iterator[None]:
    """Turn whatever a call can fail with into an error of ours, without these secrets. `where` names connection and call."""
    try:
        yield
    except ApiException as error:
        status, headers = int(error.status or 0), error.headers or {}
        body = without(secrets, object_of(error.body))
        raise failure(status, body, where=where, headers=headers, day_ends=day_ends) from error
    except UnicodeDecodeError as error:
        raise not_data(where) from error
    except (HTTPError, OpenApiException, *UNFORESEEN) as error:
        raise no_answer(error, where=where) from error


def no_answer(error: Exception, *, where: str) -> Unavailable:
    """Return the error for a call that was not answered; `not_sent` only if no byte can have reached HubSpot."""
    if is_untrusted(error):
        remedy = "Check the certificate, or name the certificates of your network in ca_bundle."
        return Unavailable("the connection is not trusted.", where=where, remedy=remedy, not_sent=True)
    if what := not_looked_up(error):
        remedy = "Correct the url, or see that this machine can look names up."
        return Unavailable(what, where=where, remedy=remedy, not_sent=True)
    if unreadable := next((cause for cause in causes(error) if isinstance(cause, Unreadable)), None):
        remedy = "If this stays, tell HubSpot's support what this says."
        return Unavailable(str(unreadable), where=where, remedy=remedy)
    cause = reason_of(error)
    never = isinstance(cause, NewConnectionError | ConnectTimeoutError | ProxyError)
    return Unavailable(f"no answer ({type(cause).__name__}).", where=where, not_sent=never)


def not_data(where: str) -> Unavailable:
    """Return the error for a success that holds no data: a page of something in between, or half an answer."""
    return Unavailable("the answer was not data.", where=where, remedy="Check the url if this stays.")


def object_of(body: Any) -> Mapping[str, Any]:
    """Return the body of an error as HubSpot's own object; empty for a page of HTML or nothing at all."""
    try:
        data = parsed(body) if isinstance(body, str | bytes) else body
    except ValueError:
        return {}
    return data if isinstance(data, Mapping) else {}


def failure(
    status: int, body: Mapping[str, Any], *, where: str, headers: Mapping[str, str], day_ends: datetime
) -> CrmError:
    """Return the error for a whole call that was answered with `status`; `body` is empty if it was a page."""
    message = words(body) or f"HTTP {status}"
    match status:
        case 401 if _is_hubspots(body):
            return AuthExpired("the access token is not accepted.", where=where)
        case 429:
            return _too_fast(body, message, where=where, day_ends=day_ends, asked=_retry_after(headers))
        case 423:
            return Locked(message, where=where, code="LOCKED", remedy=AGAIN)
        case 477:
            return RateLimited(message, where=where, retry_after=_retry_after(headers), quota="migration")
    if status >= 500 or status in (0, 408):
        return Unavailable(message if body else f"HTTP {status} with a page instead of data.", where=where)
    if status == 403 and body:
        return not_permitted(body, message, where=where)
    if not body or status == 401:
        return _page(status, where=where)
    return of_body(body, status, where=where)


def _is_hubspots(body: Mapping[str, Any]) -> bool:
    """Tell whether an error has HubSpot's own form: what something in between says of a token is no verdict on it."""
    return not {"category", "correlationId"}.isdisjoint(body)


def of_body(body: Mapping[str, Any], status: int, *, where: str) -> CrmError:
    """Return what a refusal in HubSpot's own form means, of a call or of one of its rows."""
    message, code = words(body), code_of(body)
    if match := _UNKNOWN_OBJECT.search(message):
        what = f"there is no object {match[1]}, or it is hidden from us."
        return SchemaChanged(what, where=where, remedy=_CHECK_FIELD, object_name=match[1])
    if code == MISSING_PROPERTY or (status == 400 and _UNKNOWN_PROPERTY.search(message)):
        return missing_property(_named_property(body, message), where=where)
    if code == "LOCKED":
        return Locked(message, where=where, code=code, remedy=AGAIN)
    if status == 409 or code in ("CONFLICT", "CONFLICTING_UNIQUE_VALUE"):
        return _conflict(body, message, where=where)
    if status == 404 or says_absent(body):
        return Absent(message, where=where, code=code or "OBJECT_NOT_FOUND")
    return RecordRejected(message, where=where, code=code or f"HTTP {status}", fields=fields_of(body))


def says_absent(body: Mapping[str, Any]) -> bool:
    """Tell whether an error says that there is no such record; any other is no evidence of it."""
    return not {code_of(body), body.get("category")}.isdisjoint(("OBJECT_NOT_FOUND", "NOT_FOUND"))


def missing_property(name: str, *, where: str, object_name: str = "") -> SchemaChanged:
    """Return the error for a property that is not there, or not shown to us."""
    what = f"there is no property {name or 'of this name'}, or it is hidden from us."
    return SchemaChanged(what, where=where, remedy=_CHECK_FIELD, object_name=object_name, field=name)


def missing_object(name: str, *, where: str) -> SchemaChanged:
    """Return the error for an object that is not there, or not shown to us."""
    what = f"there is no object {name}, or it is hidden from us."
    return SchemaChanged(what, where=where, remedy=_CHECK_FIELD, object_name=name)


def not_permitted(body: Mapping[str, Any], message: str, *, where: str) -> NotPermitted:
    """Return the error for a missing scope, with the scopes' names."""
    scopes = [scope for row in details(body) for scope in _texts(row.get("context"), "requiredGranularScopes")]
    named = quoted(", ".join(dict.fromkeys(scopes)))
    remedy = f"Add the scope {named} to the service key." if named else "Give the service key the scope for this."
    return NotPermitted(message, where=where, remedy=remedy)


def _too_fast(
    body: Mapping[str, Any], message: str, *, where: str, day_ends: datetime, asked: timedelta | None
) -> CrmError:
    policy = str(body.get("policyName") or "").upper()
    if policy == _DAILY or "daily" in message.lower():
        remedy = "The rest follows when the account has calls again."
        return QuotaSpent(message, where=where, remedy=remedy, until=day_ends)
    pause = _PAUSES.get("SECONDLY" if "secondly limit" in message.lower() and not policy else policy)
    pause = asked or pause or _PAUSES["TEN_SECONDLY_ROLLING"]
    return RateLimited(message, where=where, retry_after=pause, quota=policy.lower())


def _retry_after(headers: Mapping[str, str]) -> timedelta | None:
    text = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return pause_of(text)


def _page(status: int, *, where: str) -> CrmError:
    """Errors that are not in HubSpot's own form come from something in front of it, or from an address that is none."""
    if 300 <= status < 400:
        what = f"HTTP {status}: the address has moved."
        return Unavailable(what, where=where, remedy="Check the url.", not_sent=True)
    if status in (404, 410):
        remedy = "Check the url; if it is right, HubSpot may have ended this version of its API: update Afterword."
        return CrmError(f"HTTP {status}: there is no such address.", where=where, remedy=remedy)
    if status in (414, 431):
        return CrmError(f"HTTP {status}: the request's address is too long.", where=where)
    return Unavailable(f"HTTP {status} with a page instead of data.", where=where)


def _conflict(body: Mapping[str, Any], message: str, *, where: str) -> Conflict:
    error = Conflict(message, where=where, code=code_of(body) or "CONFLICT", fields=fields_of(body))
    contexts = [body.get("context"), *(row.get("context") for row in details(body))]
    named = [record_id for context in contexts for record_id in _texts(context, "existingId")]
    match = _EXISTING.search(message)
    error.existing_id = named[0] if named else match[1] if match else None
    return error


# ── parts of an error ────────────────────────────────────────────────────────────────────────────────────────────────


def details(body: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the errors below an error."""
    rows = body.get("errors")
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def words(body: Mapping[str, Any]) -> str:
    """Return what HubSpot says, on one line and not too long."""
    return quoted(all_words(body))


def all_words(body: Mapping[str, Any]) -> str:
    """Return all that HubSpot says, on one line. What is inside says more than the wrapping."""
    inner = [str(row.get("message")) for row in [*details(body), *_quoted(body)] if row.get("message")]
    message = "; ".join(dict.fromkeys(inner)) or str(body.get("message") or "")
    return " ".join(message.split())


def _quoted(body: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the errors that a message holds as JSON text, where they are not given apart."""
    text = str(body.get("message") or "")
    if details(body) or "[{" not in text:
        return []
    try:
        rows = parsed(text[text.index("[{") :])
    except ValueError:
        return []
    return [row for row in rows if isinstance(row, Mapping)]


def code_of(body: Mapping[str, Any]) -> str:
    """Return the most exact code that an error has."""
    inner = [*details(body), *_quoted(body)]
    codes = [row.get("code") or row.get("error") for row in inner] + [body.get("subCategory"), body.get("category")]
    return next((short_name(code) for code in codes if code), "")


def fields_of(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the properties that an error names."""
    names = _texts(body.get("context"), "propertyName", "properties")
    for row in [*details(body), *_quoted(body)]:
        names += _texts(row.get("context"), "propertyName", "properties")
        names += [short_name(row["name"])] if row.get("name") else []
    return tuple(dict.fromkeys(names))


def context_of(body: Mapping[str, Any], *keys: str) -> list[str]:
    """Return what an error's context holds under any of these keys."""
    return _texts(body.get("context"), *keys)


def _texts(context: Any, *keys: str) -> list[str]:
    if not isinstance(context, Mapping):
        return []
    texts: list[str] = []
    for key in keys:
        value = context.get(key)
        texts += map(short_name, value if isinstance(value, list) else [value] if value else [])
    return texts


def _named_property(body: Mapping[str, Any], message: str) -> str:
    named = fields_of(body)
    match = _UNKNOWN_PROPERTY.search(message)
    return named[0] if named else match[1] if match else ""
