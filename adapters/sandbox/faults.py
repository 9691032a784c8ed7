"""Switches that make a pretend CRM misbehave on purpose, as real ones do: whole calls, single records, late commits."""

import random
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Literal

from adapters.sandbox.web import Response, json_response

HTML_ERROR = b"<html><head><title>Error</title></head><body><h1>We are down for maintenance.</h1></body></html>"
Effect = Literal["answer", "drop_before", "drop_after", "slow", "truncate", "expire_token"]
RowTest = Callable[[Mapping[str, Any]], bool]


@dataclass
class CountedFault:
    """Something that strikes from the `nth` match on, `times` times (None: for ever)."""

    nth: int = 1
    times: int | None = 1
    seen: int = 0
    hits: int = 0

    def strikes(self) -> bool:
        """Counts one match and says whether this one is hit."""
        self.seen += 1
        if self.seen < self.nth or (self.times is not None and self.seen >= self.nth + self.times):
            return False
        self.hits += 1
        return True


@dataclass
class CallFault(CountedFault):
    """A fault of whole calls. `path` is a regular expression searched in the target; None matches every call."""

    effect: Effect = "answer"
    method: str | None = None
    path: str | None = None
    response: Response | None = None
    seconds: float = 0.0
    size: int = 0

    def matches(self, method: str, target: str) -> bool:
        """Whether the call is one of those this fault is about."""
        return self.method in (None, method) and (self.path is None or re.search(self.path, target) is not None)


@dataclass
class RowFault(CountedFault):
    """A refusal of single records: `key` is the record's id or any value written to it."""

    code: str = ""
    message: str = ""
    fields: tuple[str, ...] = ()
    object: str | None = None
    operation: str | None = None
    key: str | None = None
    test: RowTest | None = None

    def matches(self, object_name: str, operation: str, values: Mapping[str, Any]) -> bool:
        """Whether the record is one of those this fault is about."""
        if self.object not in (None, object_name) or self.operation not in (None, operation):
            return False
        if self.key is not None and self.key not in values.values():
            return False
        return self.test is None or self.test(values)


@dataclass
class HiddenCommit(CountedFault):
    """Writes that become visible only `delay` (clock time) after the statement that stamped them."""

    delay: timedelta = timedelta()
    object: str | None = None


@dataclass
class RandomFault:
    """Each call fails with the chance `rate` (0 to 1), with one of `responses`."""

    rate: float
    responses: Sequence[Response]
    source: random.Random
    path: str | None = None
    hits: int = 0

    def strikes(self, target: str) -> Response | None:
        """The failure for this call, if chance has it."""
        if (self.path is not None and not re.search(self.path, target)) or self.source.random() >= self.rate:
            return None
        self.hits += 1
        return self.source.choice(self.responses)


@dataclass
class Faults:
    """All switches of one pretend CRM; every method that sets one returns it, so that its `hits` can be read."""

    calls: list[CallFault] = field(default_factory=list)
    rows: list[RowFault] = field(default_factory=list)
    commits: list[HiddenCommit] = field(default_factory=list)
    chance: RandomFault | None = None
    locked: dict[str, int | None] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fail(
        self, status: int, body: object = None, *, headers: Mapping[str, str] | None = None, **when: Any
    ) -> CallFault:
        """Answers with `status` and a JSON `body` instead of doing the work; `when` is method, path, nth, times."""
        return self._call(CallFault(response=json_response(body, status, headers or {}), **when))

    def html(self, status: int = 503, body: bytes = HTML_ERROR, **when: Any) -> CallFault:
        """Answers with a page of HTML, as overloaded front ends do."""
        return self._call(CallFault(response=Response(status, body, {"Content-Type": "text/html"}), **when))

    def drop(self, moment: Literal["before", "after"] = "before", **when: Any) -> CallFault:
        """Closes the connection without an answer, before or after the work is done."""
        return self._call(CallFault(effect="drop_before" if moment == "before" else "drop_after", **when))

    def slow(self, seconds: float, **when: Any) -> CallFault:
        """Waits `seconds` of real time before the answer."""
        return self._call(CallFault(effect="slow", seconds=seconds, **when))

    def truncate(self, size: int, **when: Any) -> CallFault:
        """Sends only the first `size` bytes of the body and closes the connection."""
        return self._call(CallFault(effect="truncate", size=size, **when))

    def expire_token(self, **when: Any) -> CallFault:
        """Ends the session of the call that is hit, so that it and the next ones answer 401."""
        return self._call(CallFault(effect="expire_token", **when))

    def at_random(
        self, rate: float, *, seed: int, responses: Sequence[Response] = (), path: str | None = None
    ) -> RandomFault:
        """Fails calls by chance, the same ones for the same seed; without `responses`, with 503 and HTML."""
        pages = responses or (Response(503, HTML_ERROR, {"Content-Type": "text/html"}),)
        self.chance = RandomFault(rate, pages, random.Random(seed), path)  # noqa: S311 - repeatable, not secret
        return self.chance

    def refuse_row(self, object_name: str | None, code: str, message: str, **when: Any) -> RowFault:
        """Refuses single records; `when` is key, test, operation, fields, nth, times (by default: always)."""
        fault = RowFault(code=code, message=message, object=object_name, **({"times": None} | when))
        with self._lock:
            self.rows.append(fault)
        return fault

    def lock_row(self, record_id: str, *, times: int | None = None) -> None:
        """Holds a lock on a record: the next `times` writes that need it fail (None: until `unlock_row`)."""
        self.locked[record_id] = times

    def unlock_row(self, record_id: str) -> None:
        """Lets go of a record."""
        self.locked.pop(record_id, None)

    def hide_commits(
        self, delay: timedelta, *, object_name: str | None = None, times: int | None = None
    ) -> HiddenCommit:
        """Makes the next writes visible only `delay` of clock time after their stamp."""
        hidden = HiddenCommit(delay=delay, object=object_name, times=times)
        with self._lock:
            self.commits.append(hidden)
        return hidden

    def clear(self) -> None:
        """Ends all faults."""
        with self._lock:
            self.calls.clear()
            self.rows.clear()
            self.commits.clear()
            self.locked.clear()
            self.chance = None

    def for_call(self, method: str, target: str) -> list[CallFault]:
        """The faults that hit this call, in the order in which they were set; each match is counted once."""
        with self._lock:
            return [fault for fault in self.calls if fault.matches(method, target) and fault.strikes()]

    def by_chance(self, target: str) -> Response | None:
        """The failure that chance has for this call."""
        with self._lock:
            return self.chance.strikes(target) if self.chance else None

    def for_row(self, object_name: str, operation: str, values: Mapping[str, Any]) -> RowFault | None:
        """The refusal that hits this record."""
        with self._lock:
            return next(
                (fault for fault in self.rows if fault.matches(object_name, operation, values) and fault.strikes()),
                None,
            )

    def locks(self, record_id: str) -> bool:
        """Whether a lock on the record is in the way; counts one try."""
        with self._lock:
            if record_id not in self.locked:
                return False
            left = self.locked[record_id]
            if left is None:
                return True
            self.locked[record_id] = left - 1
            if left <= 1:
                del self.locked[record_id]
            return left > 0

    def hidden_for(self, object_name: str) -> timedelta | None:
        """How long the commit of a write to the object stays hidden."""
        with self._lock:
            fault = next(
                (
                    candidate
                    for candidate in self.commits
                    if candidate.object in (None, object_name) and candidate.strikes()
                ),
                None,
            )
            return fault.delay if fault else None

    def _call(self, fault: CallFault) -> CallFault:
        with self._lock:
            self.calls.append(fault)
        return fault


def after(response: Response, struck: Sequence[CallFault]) -> Response:
    """An answer as the faults that struck its call let it through."""
    for fault in struck:
        if fault.effect == "drop_after":
            response = replace(response, drop=True)
        if fault.effect == "slow":
            response = replace(response, wait=response.wait + fault.seconds)
        if fault.effect == "truncate":
            response = replace(response, cut=min(fault.size, len(response.body)))
    return response
