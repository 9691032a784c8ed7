"""Every error the product raises itself, as one tree.

AfterwordError(what, where, remedy)
├─ SettingsError(problems)              everything wrong with config.toml and the mappings, in one run
├─ StoreError                           the database is missing, busy, or newer than this version
│  ├─ TooNew                            it holds what only a later version understands
│  ├─ TransactionLost                   it gave up a change for the sake of another one: tried again, it passes
│  └─ LeaseLost                         another process took over: what was about to be written is not written by us
├─ CrmError
│  ├─ Unavailable                       no answer, 5xx, an HTML page instead of data: passing
│  │  └─ NotLetIn(until)                no token was given, for a reason that can pass: tried again slower and slower
│  ├─ RateLimited(retry_after, quota)   too fast: passing
│  ├─ QuotaSpent(until, quota)          the day's allowance, or our share of it, is used: end early, keep the cursor
│  ├─ AuthExpired                       the token died: the adapter renews it once and replays; outside it is never seen twice
│  ├─ AuthRevoked                       the credentials are refused: pause the connection and tell the admin
│  ├─ NotPermitted                      a scope or permission is missing; never to be read as "there is nothing"
│  ├─ MarkError                         another installation works on the CRM, or nobody could tell: nothing is sent or written
│  ├─ SchemaChanged(field)              a field or object that the mapping names is not there (any more)
│  ├─ CursorInvalid                     the CRM forgot our place in a listing: restart the window
│  └─ RecordRejected(code, fields)      one record was refused for good …
│     ├─ Conflict(existing_id)          … because another has its key
│     ├─ Locked                         … for now: somebody else holds it (passing)
│     ├─ TooLong / BadOption / RuleRefused / NoRoom
│     └─ Gone(merged_into)              … because it is deleted, or merged into another
├─ MailError
│  ├─ MailboxRefused                    this address will not work: permanent
│  ├─ MailUnavailable                   nothing was handed over: try again later
│  │  ├─ MailThrottled                  we were too fast for the server
│  │  └─ MessageRefused                 the server works, and did not take this one message
│  │     └─ MessageTooLarge             … because of its size
│  └─ MailInDoubt                       cut off after the message was handed over: it may have been sent
├─ MappingError(field, value)           one value could not be understood; parks the record, not the lap
├─ ImplausibleLoss(seen, expected)      an empty answer is not "all deleted"
└─ Bug                                  an invariant is broken; never caught

Only the command line, the web application's error pages and the lap (which sets one connection or one record aside and goes
on with the others) catch these.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from pathlib import Path
from traceback import walk_tb
from typing import Final, ParamSpec, Protocol, TypeVar, cast

import structlog

from connector.domain.text_cutting import cut
from connector.model import storable_text, visible

log = structlog.get_logger("afterword")
_T = TypeVar("_T")
_P = ParamSpec("_P")
_R = TypeVar("_R")
_LONGEST_WORDS: Final = 20_000
"""Of an error; those of many problems together are the longest."""


class AfterwordError(Exception):
    """Something an admin can understand: what happened, where, and what to do about it."""

    permanent = True

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        # The words of others may hold what can be neither shown nor stored, and have no end.
        self.what = visible(cut(storable_text(what), _LONGEST_WORDS))
        self.where = visible(where)
        self.remedy = visible(remedy)
        super().__init__(self.what)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        remedy = f" {self.remedy}" if self.remedy else ""
        return f"{place}{self.what}{remedy}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with the settings or a mapping, or that `check` found in a CRM."""

    where: str
    """File and key, for instance ``config.toml: limits.quiet_period``."""
    what: str
    remedy: str
    severity: str = "error"
    """``error`` keeps the lap from running; ``warning`` does not."""

    def __str__(self) -> str:
        return f"{self.where}: {self.what} {self.remedy}".rstrip()

    def as_json(self) -> dict[str, str]:
        """Return it as JSON values."""
        return {"where": self.where, "what": self.what, "remedy": self.remedy, "severity": self.severity}


class SettingsError(AfterwordError):
    """Config and mappings are wrong; carries every problem found, never only the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in problems))


class StoreError(AfterwordError):
    """The database cannot be used as it is."""


class TransactionLost(StoreError):
    """Two transactions changed the same rows at once, and the database gave this one up: tried again, it passes."""


class TooNew(StoreError):
    """A later version of Afterword has stored something that this one does not understand."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"the database holds {what}, which a later version of Afterword has written.",
            where="store.url",
            remedy="Install the version that you had, or a later one; nothing is lost.",
        )


class LeaseLost(StoreError):
    """Another process took over this work; what we were about to write must not be written by us."""

    permanent = False


# ── the CRM ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class CrmError(AfterwordError):
    """The CRM answered with an error, or not at all. `where` names the connection and the call."""


class Unavailable(CrmError):
    """No usable answer: network, timeout, 5xx, an HTML page. For a write the outcome is unknown unless `not_sent`."""

    permanent = False

    def __init__(self, what: str, *, where: str = "", remedy: str = "", not_sent: bool = False) -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.not_sent = not_sent


class NotLetIn(Unavailable):
    """No token was given, for a reason that can pass by itself: an address that is not allowed, hours, a user who is locked.

    `until` is when it is tried again, where that is why nothing was tried now.
    """

    def __init__(self, what: str, *, where: str = "", remedy: str = "", until: datetime | None = None) -> None:
        super().__init__(what, where=where, remedy=remedy, not_sent=True)
        self.until = until


class RateLimited(CrmError):
    """We were too fast for one of the CRM's quotas."""

    permanent = False

    def __init__(
        self, what: str, *, where: str = "", remedy: str = "", retry_after: timedelta | None = None, quota: str = ""
    ) -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.retry_after = retry_after
        self.quota = quota


class QuotaSpent(CrmError):
    """The allowance of the day, or our share of it, is used up. The lap ends early and goes on when it is renewed."""

    permanent = False

    def __init__(
        self, what: str, *, where: str = "", remedy: str = "", until: datetime | None = None, quota: str = "daily"
    ) -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.until = until
        self.quota = quota


class AuthExpired(CrmError):
    """The access token is no longer good."""

    permanent = False


class MarkError(CrmError):
    """The installation's mark is another's (or a copy's), or cannot be kept: nothing is sent or written on the connection."""


class AuthRevoked(CrmError):
    """The credentials themselves are refused."""


class NotPermitted(CrmError):
    """The integration user lacks a right. Absence of data because of it is never evidence that there is none."""


class SchemaChanged(CrmError):
    """A field or an object is not there, or is hidden from us."""

    def __init__(self, what: str, *, where: str = "", remedy: str = "", object_name: str = "", field: str = "") -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.object_name = object_name
        self.field = field


class CursorInvalid(CrmError):
    """The CRM no longer knows our place in a listing. Start the window again from the stored cursor."""

    permanent = False


class RecordRejected(CrmError):
    """One record was refused. `code` is the CRM's own; `fields` are the CRM's field names, if it named any."""

    def __init__(
        self, what: str, *, where: str = "", remedy: str = "", code: str = "", fields: Sequence[str] = ()
    ) -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.code = code
        self.fields = tuple(fields)


class Conflict(RecordRejected):
    """Another record has the same unique key."""

    existing_id: str | None = None


class Locked(RecordRejected):
    """Somebody else is changing the record right now."""

    permanent = False


class NoRoom(RecordRejected):
    """The object has as many custom fields as the CRM's edition allows."""


class TooLong(RecordRejected):
    """Text longer than the field takes."""


class BadOption(RecordRejected):
    """Not one of the field's allowed values."""


class RuleRefused(RecordRejected):
    """A validation, duplicate or automation rule of the org refused the write; `what` holds the rule's own words."""


class Gone(RecordRejected):
    """The record is deleted, or was merged into another (`merged_into`)."""

    merged_into: str | None = None


# ── mail ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class MailError(AfterwordError):
    """A message could not be handed to the mail server."""


class MailboxRefused(MailError):
    """The server refuses this address for good (an SMTP 5xx for the recipient)."""


class MailUnavailable(MailError):
    """Certainly nothing was sent: the server is down, busy, or refused before it had the message."""

    permanent = False


class MailThrottled(MailUnavailable):
    """Nothing was sent, and the server takes no more for a while, because we were too fast for it."""


class MessageRefused(MailUnavailable):
    """Nothing was sent, and the server refuses only this message or its recipient for now, so that others may go through.

    `permanent` is true when the same message will be refused again (an SMTP 5xx after DATA).
    """


class MessageTooLarge(MessageRefused):
    """The server takes no message of this size; a smaller one may go through."""


class MailInDoubt(MailError):
    """The connection broke after the whole message was handed over and before it was acknowledged."""


# ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class MappingError(AfterwordError):
    """A value of a record cannot be understood."""

    def __init__(self, what: str, *, field: str, value: object, where: str = "", remedy: str = "") -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.field = field
        self.value = value


class ImplausibleLoss(AfterwordError):
    """More records are missing than a healthy CRM loses at once; nothing was deleted."""

    permanent = False

    def __init__(self, *, seen: int, expected: int, where: str = "") -> None:
        super().__init__(
            f"only {seen} of {expected} known records are said to be left, so none of the others was taken as deleted.",
            where=where,
            remedy="Check what the integration user may see. If they really are gone: `afterword reconcile --accept-loss`.",
        )
        self.seen = seen
        self.expected = expected


class Bug(AssertionError):
    """An invariant of our own is broken. Never caught: better to stop than to write what nobody meant."""


# ── unforeseen answers ───────────────────────────────────────────────────────────────────────────────────────────────

AGAIN: Final = "It is tried again in the next lap."
"""The remedy of what passes by itself."""
UNFORESEEN: Final = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    OSError,
)
"""What Python raises where something that nobody meant is read, or cannot be sent."""


@contextmanager
def translated_errors(where: str) -> Iterator[None]:
    """Raise `Unavailable` instead of what Python raises on an unforeseen answer: it ends the work with this CRM alone."""
    try:
        yield
    except UNFORESEEN as error:
        *_, last = walk_tb(error.__traceback__)
        place = f"{Path(last[0].f_code.co_filename).name}:{last[1]}"
        log.warning("an answer could not be understood", where=where, error=type(error).__name__, at=place)
        what = f"the answer could not be understood ({type(error).__name__})."
        remedy = "It is tried again in the next lap; if this stays, report it with what the log says."
        raise Unavailable(what, where=where, remedy=remedy) from error


class _Speaker(Protocol):
    """What speaks to a CRM."""

    connection: str


def raises_own_errors(speaker: type[_T]) -> type[_T]:
    """Make the public methods of a class that speaks to a CRM raise our own errors only; they name its `connection`."""
    for name, method in list(vars(speaker).items()):
        if inspect.isfunction(method) and not name.startswith("_"):
            setattr(speaker, name, _bordered(method))
    return speaker


def _bordered(method: Callable[_P, _R]) -> Callable[_P, _R]:
    @wraps(method)
    def call(*args: _P.args, **rest: _P.kwargs) -> _R:
        where = f"{cast(_Speaker, args[0]).connection}: {method.__name__}"
        with translated_errors(where):
            result = method(*args, **rest)
        return cast(_R, _translated_values(result, where)) if inspect.isgenerator(result) else result

    return call


def _translated_values(values: Iterator[_T], where: str) -> Iterator[_T]:
    with translated_errors(where):
        yield from values
