"""One lap: the seven stages in order, over all connections. What fails for one does not stop the others."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import datetime

from connector.errors import (
    AfterwordError,
    AuthRevoked,
    LeaseLost,
    NotLetIn,
    NotPermitted,
    Problem,
    SchemaChanged,
    SettingsError,
    StoreError,
    Unavailable,
)
from connector.stages import collect
from connector.stages.alerts import admin_mail
from connector.stages.alerts import stage as alerts
from connector.stages.connection import go_live, marks
from connector.stages.connection.connect import Endpoint, connect
from connector.stages.connection.mark_keeper import MarkKeeper
from connector.stages.context import Connected, Context
from connector.stages.deliver import recipients
from connector.stages.deliver import stage as deliver
from connector.stages.deliver.breaker import Breaker
from connector.stages.follow_up import stage as follow_up
from connector.stages.follow_up.attention import end_attention
from connector.stages.follow_up.first_contact import note_first_contacts
from connector.stages.installation import Installation
from connector.stages.invite import stage as invite
from connector.stages.order import ALL as ALL  # noqa: PLC0414 - given on
from connector.stages.order import Stage as Stage  # noqa: PLC0414 - given on
from connector.stages.pull import stage as pull
from connector.stages.pull.stage import Pulled
from connector.stages.report import Report as Report  # noqa: PLC0414 - given on
from connector.stages.reports import stage as reports
from connector.stages.score import stage as score
from connector.stages.write_back import desired_values
from connector.stages.write_back import stage as write_back
from connector.store import Transaction
from connector.store.ops import connections, laps, locked_out
from connector.store.ops.connections import ConnectionChange
from connector.store.ops.leases import Lease, held

BETWEEN = "stages"
"""The lease of the stages between `pull` and `write_back`."""
TELLING = "notices"
"""The lease of telling our own people."""


def run(
    installation: Installation, context: Context | None = None, *, stages: Sequence[Stage] = ALL, may_wait: bool = True
) -> Report:
    """Run one lap, or some of its stages, and keep its report in the store.

    `may_wait`: mail that is due waits in this lap until it is certain that no other installation sends it; else for a later one.
    """
    began = time.monotonic()
    context = context or bare_context(installation)
    with installation.store.write() as tx:
        number = laps.begin(tx, installation.clock.now())
    report = Report()
    try:
        lap_context = replace(context, mark=keeper(installation, may_wait=may_wait), breaker=Breaker())
        _run(installation, lap_context, stages, report)
    except BaseException:
        with suppress(StoreError), installation.store.write() as tx:
            laps.cut_off(tx, number, installation.clock.now())
        raise
    report.took_s = time.monotonic() - began
    with installation.store.write() as tx:
        laps.end(tx, number, installation.clock.now(), exit_code=report.exit_code, report=report.as_json())
    return report


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


def _run(installation: Installation, context: Context, stages: Sequence[Stage], report: Report) -> None:
    with at_work(installation, context, report) as (reached, leases):
        for name, problem in recipients.unreachable(reached).items():
            report.fail(name, SettingsError([problem]))
        marks.begin(reached)
        current = _pull(installation, reached, leases, report) if Stage.PULL in stages else reached
        _between(installation, _still_let_in(current, report), stages, report)
        if Stage.WRITE_BACK in stages:
            _write_back(_still_let_in(current, report), leases, report)
            _tell(installation, _still_let_in(current, report), report)
            if set(stages) == set(ALL):
                _report(installation, _still_let_in(current, report), report)
        report.held = marks.held(reached)
        for name, error in marks.errors(reached).items():
            if type(error) not in map(
                type, report.failures.get(name, ())
            ):  # what kept the mark unread keeps all unread
                report.fail(name, error)


def keeper(installation: Installation, *, may_wait: bool) -> MarkKeeper:
    """Return what keeps the installation's marks in the CRMs."""
    return MarkKeeper(
        installation.store,
        installation.clock,
        installation.settings.base,
        installation.stop,
        may_wait=may_wait and installation.acts,
        acts=installation.acts,
    )


@contextmanager
def at_work(
    installation: Installation, context: Context, report: Report
) -> Iterator[tuple[Context, Mapping[str, Lease]]]:
    """Reach the CRMs that nobody else is at work with, and hold their leases; at the end note how each of them did."""
    before = {endpoint.name: endpoint.adapter.usage().calls for endpoint in installation.endpoints}
    with ExitStack() as stack:
        leases = _take_leases(installation, stack, report)
        connected = _connect_all(installation, leases, report)
        try:
            yield replace(context, connected=connected), leases
        finally:
            for endpoint in installation.endpoints:
                report.calls[endpoint.name] = endpoint.adapter.usage().calls - before[endpoint.name]
            _remember(installation, report)


def _take_leases(installation: Installation, stack: ExitStack, report: Report) -> Mapping[str, Lease]:
    leases = {}
    for endpoint in installation.endpoints:
        lease = stack.enter_context(held(installation.store, _lease_of(endpoint)))
        if lease is None:
            report.busy.append(endpoint.name)
        else:
            leases[endpoint.name] = lease
    return leases


def _lease_of(endpoint: Endpoint) -> str:
    return f"crm:{endpoint.name}"


def _connect_all(installation: Installation, leases: Mapping[str, Lease], report: Report) -> dict[str, Connected]:
    connected = {}
    for endpoint in installation.endpoints:
        if endpoint.name not in leases:
            continue
        try:
            connected[endpoint.name], problems = connect(installation.store, installation.clock, endpoint)
        except AfterwordError as error:
            report.fail(endpoint.name, error)
        else:
            _note_problems(report, endpoint.name, problems)
            report.foreign[endpoint.name] = connected[endpoint.name].mapping.foreign
            for right in connected[endpoint.name].lacking:
                what = f"nothing is sent or written, because a right to write is missing: {right.name}."
                report.fail(endpoint.name, NotPermitted(what, where=endpoint.name, remedy=right.remedy))
    return connected


def _pull(installation: Installation, context: Context, leases: Mapping[str, Lease], report: Report) -> Context:
    """Read every CRM. Returns the context with those connections whose schema turned out to be another one as they are now."""
    connected = dict(context.connected)
    for name, crm in context.connected.items():
        if context.stop.is_set():
            break
        pulled = pull.run(context, crm, leases[name])
        if _changed(pulled) and pulled.failure is None:
            connected[name] = _read_again(installation, context, leases[name], pulled, report)
        report.pulled[name] = pulled
        for problem in pulled.problems:
            report.fail(name, problem)
        if pulled.failure is not None:
            report.fail(name, pulled.failure)
        if any(isinstance(problem, SchemaChanged) for problem in pulled.problems):
            _forget_schema(context, name)
        _note_unread(context, name, pulled, report)
    return replace(context, connected=connected)


def _changed(pulled: Pulled) -> list[str]:
    """Return the objects that do not look as their stored schema says."""
    return [name for name, error in pulled.unread.items() if isinstance(error, SchemaChanged)]


def _read_again(
    installation: Installation, context: Context, lease: Lease, pulled: Pulled, report: Report
) -> Connected:
    """Ask for the schema anew, once, and read what changed by it: an optional field that is gone is left out."""
    (endpoint,) = (candidate for candidate in installation.endpoints if lease.name == _lease_of(candidate))
    name = endpoint.name
    before = set(report.mapping_problems.get(name, ()))
    _forget_schema(context, name)
    try:
        crm, problems = connect(installation.store, installation.clock, endpoint)
    except AfterwordError as error:
        pulled.failure = error
        return context.connected[name]
    _note_problems(report, name, problems)
    report.news[name] = [problem for problem in problems if problem.severity == "warning" and problem not in before]
    again = _changed(pulled)
    pulled.go_on(pull.run(context, crm, lease, only=again), again)
    return crm


def _note_problems(report: Report, name: str, problems: Sequence[Problem]) -> None:
    """Keep what the mapping does not fit by; what cannot be done without is a failure, of that part alone."""
    report.mapping_problems[name] = problems
    if errors := [problem for problem in problems if problem.severity == "error"]:
        report.fail(name, SettingsError(errors))


def _note_unread(context: Context, name: str, pulled: Pulled, report: Report) -> None:
    """Keep for `status` what is not read at present."""
    lost = [problem for problem in report.mapping_problems.get(name, ()) if problem.severity == "error"]
    unread = [{"object": problem.where, "what": problem.what, "remedy": problem.remedy} for problem in lost]
    unread += [{"object": key, "what": error.what, "remedy": error.remedy} for key, error in pulled.unread.items()]
    context.store.write_where_needed(lambda tx: connections.note_unread(tx, name, unread))


def _still_let_in(context: Context, report: Report) -> Context:
    """Leave out the connections whose credentials were refused in this lap: every further call would be refused too."""
    connected = {name: crm for name, crm in context.connected.items() if report.kept_out(name) is None}
    return replace(context, connected=connected)


def _forget_schema(context: Context, name: str) -> None:
    with context.store.write() as tx:
        connections.forget_schema(tx, name)


def _between(installation: Installation, context: Context, stages: Sequence[Stage], report: Report) -> None:
    with held(context.store, BETWEEN) as lease:
        if lease is None:
            report.busy.append(BETWEEN)
            return
        try:
            _between_all(installation, replace(context, lease=lease), stages, report)
        except LeaseLost:
            report.busy.append(BETWEEN)


def _between_all(installation: Installation, context: Context, stages: Sequence[Stage], report: Report) -> None:
    for name, problem in go_live.run(context).items():
        report.fail(name, problem)
    if Stage.DELIVER in stages and Stage.COLLECT not in stages:
        # A report of a bounce that has come in already keeps a reminder from going out.
        _between_one(installation, context, Stage.COLLECT, report)
    for stage in stages:
        if context.stop.is_set():
            return
        _between_one(installation, context, stage, report)


def _between_one(installation: Installation, context: Context, stage: Stage, report: Report) -> None:
    match stage:
        case Stage.INVITE:
            invited = invite.run(context)
            report.invited += invited.invited
            report.not_invited = dict(invited.not_invited)
        case Stage.DELIVER:
            delivered = deliver.run(context, installation.site)
            report.sent += delivered.sent
            report.in_doubt += delivered.in_doubt
            report.left_due += delivered.left_due
            report.mail_error = delivered.mail_error
            for name, error in delivered.errors.items():
                report.fail(name, error)
        case Stage.COLLECT:
            report.unmatched += collect.run(context).unmatched
        case Stage.SCORE:
            with context.store.read() as tx:
                report.responses = laps.unconsidered(tx)
            follow_up.mark_silent(context)
            end_attention(context)
            note_first_contacts(context)
            desired_values.mark_outdated(context)
            report.scored += score.run(context).scored
        case Stage.FOLLOW_UP:
            report.follow_ups += follow_up.run(context).opened
        case _:
            return


def _tell(installation: Installation, context: Context, report: Report) -> None:
    """Tell our own people what they have to hear: by now it stands in the CRM."""
    with held(context.store, TELLING) as lease:
        if lease is None:
            report.busy.append(TELLING)
            return
        try:
            leased_context = replace(context, lease=lease)
            asked = admin_mail.run(leased_context, installation.site)
            result = alerts.run(leased_context, installation.site)
        except LeaseLost:
            report.busy.append(TELLING)
            return
    report.told += asked + result.told
    report.mail_error = report.mail_error or result.error


def _report(installation: Installation, context: Context, report: Report) -> None:
    """Send the managers the reports that are due; not while another process has a part of the work."""
    if report.busy:
        return
    result = reports.run(context, installation.site, unread=_unread(report))
    report.told += result.sent
    report.mail_error = report.mail_error or result.error


def _unread(report: Report) -> list[str]:
    """Return the connections that could not be read in this lap."""
    return [name for name, pulled in report.pulled.items() if pulled.failure is not None]


def _write_back(context: Context, leases: Mapping[str, Lease], report: Report) -> None:
    for name in context.live:
        if context.stop.is_set():
            return
        try:
            written = write_back.run(context, context.connected[name], leases[name])
        except LeaseLost as error:
            report.fail(name, error)
            continue
        report.written[name] = written
        if written.failure is not None:
            report.fail(name, written.failure)


def _remember(installation: Installation, report: Report) -> None:
    """Note for `status` how each connection did."""
    now = installation.clock.now()
    for endpoint in installation.endpoints:
        if endpoint.budget is not None:
            endpoint.budget.return_unused()
    with installation.store.write() as tx:
        for endpoint in installation.endpoints:
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
