"""Reaching the CRMs for a lap or a job, and noting afterwards how each of them did."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from connector.errors import (
    AfterwordError,
    AuthRevoked,
    NotLetIn,
    NotPermitted,
    Problem,
    SettingsError,
    Unavailable,
)
from connector.stages.connection.connect import Endpoint, connect
from connector.stages.connection.mark_keeper import MarkKeeper
from connector.stages.context import Connected, Context
from connector.stages.installation import Installation
from connector.stages.report import Report
from connector.store import Transaction
from connector.store.ops import connections, locked_out
from connector.store.ops.connections import ConnectionChange

T = TypeVar("T")


def bare_context(installation: Installation) -> Context:
    """Return the context of a lap before any CRM was reached."""
    return Context(
        store=installation.store,
        settings=installation.settings,
        clock=installation.clock,
        connected={},
        channel=installation.channel,
        tokens=installation.tokens,
        webhook=installation.webhook,
        progress=installation.progress,
        stop=installation.stop,
    )


def keeper(installation: Installation, *, may_wait: bool) -> MarkKeeper:
    """Return what keeps the installation's marks in the CRMs; `may_wait`: see `connector.stages.lap.run`."""
    return MarkKeeper(
        installation.store,
        installation.clock,
        installation.settings.base,
        installation.stop,
        may_wait=may_wait and installation.acts,
        acts=installation.acts,
    )


def side_by_side(names: Iterable[str], work: Callable[[str], T]) -> dict[str, T]:
    """Do some work for several connections at once, so that a slow CRM delays no other; returns what each led to, in order."""
    waiting = list(names)
    if len(waiting) < 2:
        return {name: work(name) for name in waiting}
    with ThreadPoolExecutor(len(waiting), thread_name_prefix="crm") as pool:
        futures = {name: pool.submit(work, name) for name in waiting}
    return {name: future.result() for name, future in futures.items()}


@contextmanager
def reached(installation: Installation, context: Context, report: Report, *, learns: bool = True) -> Iterator[Context]:
    """Reach the CRMs, each by itself; at the end note how each of them did.

    Whoever does not read or write them (`learns`) notes failures alone: the calls that were made meanwhile are others'.
    """
    before = {endpoint.name: endpoint.adapter.usage().calls for endpoint in installation.endpoints}
    try:
        yield replace(context, connected=_connect_all(installation, context, report))
    finally:
        for endpoint in installation.endpoints:
            report.calls[endpoint.name] = endpoint.adapter.usage().calls - before[endpoint.name]
        _remember(installation, report, learns=learns)


def _connect_all(installation: Installation, context: Context, report: Report) -> dict[str, Connected]:
    """Reach every CRM; for some customers, whom an answer is waited for, by the schema that is known, however old it is."""
    for_some = context.customers is not None
    endpoints = {endpoint.name: endpoint for endpoint in installation.endpoints}
    connected = side_by_side(endpoints, lambda name: _connect(installation, endpoints[name], report, by_known=for_some))
    return {name: crm for name, crm in connected.items() if crm is not None}


def _connect(installation: Installation, endpoint: Endpoint, report: Report, *, by_known: bool) -> Connected | None:
    """Reach one CRM; None where that cannot be done. What is noted in the report is this connection's alone."""
    try:
        crm, problems = connect(installation.store, installation.clock, endpoint, by_known=by_known)
    except AfterwordError as error:
        report.fail(endpoint.name, error)
        return None
    note_problems(report, endpoint.name, problems)
    report.foreign[endpoint.name] = crm.mapping.foreign
    for right in crm.lacking:
        what = f"nothing is sent or written, because a right to write is missing: {right.name}."
        report.fail(endpoint.name, NotPermitted(what, where=endpoint.name, remedy=right.remedy))
    return crm


def note_problems(report: Report, name: str, problems: Sequence[Problem]) -> None:
    """Keep what the mapping does not fit by; what cannot be done without is a failure, of that part alone."""
    report.mapping_problems[name] = problems
    if errors := [problem for problem in problems if problem.severity == "error"]:
        report.fail(name, SettingsError(errors))


def _remember(installation: Installation, report: Report, *, learns: bool) -> None:
    """Note for `status` how each connection did."""
    now = installation.clock.now()
    for endpoint in installation.endpoints:
        if endpoint.budget is not None:
            endpoint.budget.return_unused()
    known = [endpoint for endpoint in installation.endpoints if learns or report.failures.get(endpoint.name)]
    if not known:
        return
    with installation.store.write() as tx:
        for endpoint in known:
            _remember_refusal(tx, endpoint, report.refusal(endpoint.name), now)
            _remember_kept_out(tx, endpoint, report, now)
            outcome = _outcome(report.failures.get(endpoint.name, []), report.calls.get(endpoint.name, 0), now)
            if outcome:
                connections.remember(tx, endpoint.name, outcome)


def _remember_refusal(tx: Transaction, endpoint: Endpoint, refusal: AuthRevoked | None, now: datetime) -> None:
    """Note that the CRM has refused us, unless that is why it was not called, or that it lets us in with other credentials."""
    state = connections.state(tx, endpoint.name)
    known = connections.refused(tx, endpoint.name, endpoint.credentials)
    if refusal is not None and known is None:
        connections.refuse(tx, endpoint.name, refusal, credentials=endpoint.credentials, now=now)
    elif refusal is None and known is None and state.refused_at is not None:
        connections.let_in(tx, endpoint.name)


def _remember_kept_out(tx: Transaction, endpoint: Endpoint, report: Report, now: datetime) -> None:
    """Note when to try again with a CRM that gave no token, or that it has let us in."""
    kept_out = report.kept_out(endpoint.name)
    if isinstance(kept_out, NotLetIn) and kept_out.until is None:
        credentials = connections.mark(tx, endpoint.credentials)
        locked_out.note(tx, endpoint.name, kept_out, credentials=credentials, now=now)
    elif report.calls.get(endpoint.name) and not any(
        isinstance(error, Unavailable) for error in report.failures.get(endpoint.name, ())
    ):
        locked_out.forget(tx, endpoint.name)


def _outcome(errors: Sequence[AfterwordError], calls: int, now: datetime) -> ConnectionChange:
    """Return how a connection did; a lap that did not call it has learnt nothing about it."""
    if errors:
        return {"last_error": str(errors[0]), "last_error_at": now}
    return ConnectionChange(last_ok_at=now, last_error=None) if calls else ConnectionChange()
