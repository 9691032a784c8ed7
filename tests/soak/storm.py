"""Faults by chance, as a bad day of a CRM has them: every kind that a call can meet, before or after its work was done."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from environment import Environment

from adapters.sandbox.faults import HTML_ERROR, CallFault, Faults
from adapters.sandbox.hubspot import HubSpot
from adapters.sandbox.web import Response, json_response

LOCKED = 0.03
"""The share of writes that find their record locked."""
_CROWDED = {"status": "error", "errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING", "message": "too fast"}


@contextmanager
def storm(env: Environment, *, rate: float, seed: int) -> Iterator[list[int]]:
    """Let this share of all calls, 0 to 1, meet a fault for as long as the block runs; yields a list with how many did."""
    faults: Faults = env.org.faults
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    kinds, hits = _kinds(env), [0]

    def for_call(method: str, target: str) -> list[CallFault]:
        if dice.random() >= rate:
            return []
        hits[0] += 1
        return [dice.choice(kinds)]

    def locks(_record_id: str) -> bool:
        return dice.random() < LOCKED

    faults.for_call = for_call  # type: ignore[method-assign]
    faults.locks = locks  # type: ignore[method-assign]
    try:
        yield hits
    finally:
        del faults.for_call, faults.locks


def _kinds(env: Environment) -> Sequence[CallFault]:
    answers = [
        json_response({"message": "down", "status": "error"}, 500),
        json_response([], 502),
        json_response({"message": "busy"}, 503, {"Retry-After": "1"}),
        Response(503, HTML_ERROR, {"Content-Type": "text/html"}),
        Response(200, HTML_ERROR, {"Content-Type": "text/html"}),
    ]
    if isinstance(env.org, HubSpot):
        answers.append(json_response(_CROWDED, 429))
    kinds = [CallFault(response=answer) for answer in answers]
    kinds += [CallFault(effect="drop_before"), CallFault(effect="drop_after"), CallFault(effect="truncate", size=40)]
    if not isinstance(env.org, HubSpot):  # there the key does not end
        kinds.append(CallFault(effect="expire_token"))
    return kinds
