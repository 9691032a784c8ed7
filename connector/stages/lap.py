"""One lap: the seven stages in order, over all connections side by side. What fails for one does not stop the others."""

import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from connector.errors import AfterwordError, LeaseLost, SchemaChanged, SettingsError, StoreError
from connector.stages import collect
from connector.stages.alerts import admin_mail
from connector.stages.alerts import stage as alerts
from connector.stages.connection import go_live, marks
from connector.stages.connection.connect import connect
from connector.stages.connection.reach import bare_context as bare_context  # noqa: PLC0414 - given on
from connector.stages.connection.reach import keeper as keeper  # noqa: PLC0414 - given on
from connector.stages.connection.reach import note_problems, reached, side_by_side
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
from connector.stages.order import ASKING, JUDGING
from connector.stages.order import Stage as Stage  # noqa: PLC0414 - given on
from connector.stages.pull import stage as pull
from connector.stages.pull.stage import Pulled
from connector.stages.report import Report as Report  # noqa: PLC0414 - given on
from connector.stages.reports import stage as reports
from connector.stages.score import stage as score
from connector.stages.write_back import desired_values
from connector.stages.write_back import stage as write_back
from connector.store.ops import connections, laps
from connector.store.ops.leases import Lease, held, held_together

BETWEEN: Final[Mapping[str, Sequence[Stage]]] = {"asking": ASKING, "judging": JUDGING}
"""The leases of the stages between `pull` and `write_back`."""
TELLING: Final = "alerts"
"""The lease of telling our own people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LapPart:
    """What else belongs to some stages that are done together."""

    job: str
    """Its name, for the report that is kept."""
    looks: bool = True
    """Whether the installation's marks are looked at first; who neither sends nor writes goes by what was last seen."""
    tells: bool = False
    """Whether our own people are told what they have to hear."""
    reports: bool = False
    """Whether the managers' reports are sent that are due."""
    unread: Collection[str] | None = None
    """The connections that could not be read lately, for the reports; None: those of this lap."""


def _part(stages: Sequence[Stage]) -> LapPart:
    return LapPart(job="sync", tells=Stage.WRITE_BACK in stages, reports=set(stages) == set(ALL))


def read_lease(crm: str) -> str:
    """Return the lease of reading a connection."""
    return f"read:{crm}"


def write_lease(crm: str) -> str:
    """Return the lease of writing back a whole connection."""
    return f"write:{crm}"


def run(
    installation: Installation,
    context: Context | None = None,
    *,
    stages: Sequence[Stage] = ALL,
    may_wait: bool = True,
    customers: Collection[str] | None = None,
    part: LapPart | None = None,
) -> Report:
    """Run one lap, or some of its stages, and keep its report in the store. `part`: it is a job of `run`.

    `may_wait`: mail that is due waits in this lap until it is certain that no other installation sends it; else for a later one.

    `customers`: score, follow_up and write_back of these alone, as after an answer. They take no lease, so that they wait for nobody:
    each customer is done in a transaction, and each record is claimed before it is written.
    """
    began = time.monotonic()
    context = context or bare_context(installation)
    part = part or _part(stages)
    with installation.store.write() as tx:
        number = laps.begin(tx, installation.clock.now(), job=part.job)
    report = Report()
    try:
        chosen = None if customers is None else frozenset(customers)
        mark = keeper(installation, may_wait=may_wait)
        lap_context = replace(context, mark=mark, breaker=Breaker(), customers=chosen)
        _run(installation, lap_context, stages, report, part)
    except BaseException:
        with suppress(StoreError), installation.store.write() as tx:
            laps.cut_off(tx, number, installation.clock.now())
        raise
    report.took_s = time.monotonic() - began
    with installation.store.write() as tx:
        laps.end(tx, number, installation.clock.now(), exit_code=report.exit_code, report=report.as_json())
    return report


def _run(installation: Installation, context: Context, stages: Sequence[Stage], report: Report, part: LapPart) -> None:
    calls = Stage.PULL in stages or Stage.WRITE_BACK in stages
    with reached(installation, context, report, learns=calls) as at_hand:
        for name, problem in recipients.unreachable(at_hand).items():
            report.fail(name, SettingsError([problem]))
        marks.begin(at_hand, looks=part.looks)
        current = _pull(installation, at_hand, report) if Stage.PULL in stages else at_hand
        _between(installation, _still_let_in(current, report), stages, report)
        if Stage.WRITE_BACK in stages:
            _write_back(_still_let_in(current, report), report)
        if part.tells:
            _tell(installation, _still_let_in(current, report), report)
        if part.reports:
            unread = _unread(report) if part.unread is None else part.unread
            _report(installation, _still_let_in(current, report), report, unread)
        report.held = marks.held(at_hand)
        for name, error in marks.errors(at_hand).items():
            if type(error) not in map(
                type, report.failures.get(name, ())
            ):  # what kept the mark unread keeps all unread
                report.fail(name, error)


def _pull(installation: Installation, context: Context, report: Report) -> Context:
    """Read every CRM. Returns the context with those connections whose schema turned out to be another one as they are now."""
    crms = context.connected
    now = side_by_side(crms, lambda name: _pull_one(installation, context, crms[name], report))
    return replace(context, connected={name: crm or crms[name] for name, crm in now.items()})


def _pull_one(installation: Installation, context: Context, crm: Connected, report: Report) -> Connected | None:
    """Read one CRM; returns the connection where its schema turned out to be another one. What is noted is this connection's alone."""
    name, current = crm.name, None
    with held(context.store, read_lease(name)) as lease:
        if lease is None:
            report.note_busy(name)
            return None
        pulled = pull.run(context, crm, lease)
        if _changed(pulled) and pulled.failure is None:
            current = _read_again(installation, context, crm, lease, pulled=pulled, report=report)
    report.pulled[name] = pulled
    for problem in pulled.problems:
        report.fail(name, problem)
    if pulled.failure is not None:
        report.fail(name, pulled.failure)
    if any(isinstance(problem, SchemaChanged) for problem in pulled.problems):
        _forget_schema(context, name)
    _note_unread(context, name, pulled, report)
    return current


def _changed(pulled: Pulled) -> list[str]:
    """Return the objects that do not look as their stored schema says."""
    return [name for name, error in pulled.unread.items() if isinstance(error, SchemaChanged)]


def _read_again(
    installation: Installation, context: Context, crm: Connected, lease: Lease, *, pulled: Pulled, report: Report
) -> Connected | None:
    """Ask for the schema anew, once, and read what changed by it: an optional field that is gone is left out."""
    name = crm.name
    (endpoint,) = (candidate for candidate in installation.endpoints if candidate.name == name)
    before = set(report.mapping_problems.get(name, ()))
    _forget_schema(context, name)
    try:
        again, problems = connect(installation.store, installation.clock, endpoint)
    except AfterwordError as error:
        pulled.failure = error
        return None
    note_problems(report, name, problems)
    report.news[name] = [problem for problem in problems if problem.severity == "warning" and problem not in before]
    changed = _changed(pulled)
    pulled.go_on(pull.run(context, again, lease, only=changed), changed)
    return again


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
    if context.customers is not None:
        for stage in stages:
            _between_one(installation, context, stage, report)
        return
    chosen = {name: [stage for stage in stages if stage in of_lease] for name, of_lease in BETWEEN.items()}
    wanted = [name for name, of_lease in chosen.items() if of_lease]
    if not wanted:
        return
    with held_together(context.store, wanted) as leases:
        for name in wanted:
            if name not in leases:
                report.note_busy(name)
                continue
            try:
                _all_of(installation, replace(context, lease=leases[name]), chosen[name], report)
            except LeaseLost:
                report.note_busy(name)


def _all_of(installation: Installation, context: Context, stages: Sequence[Stage], report: Report) -> None:
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
            if context.customers is None:
                _look_at_time(context)
            report.scored += score.run(context).scored
        case Stage.FOLLOW_UP:
            report.follow_ups += follow_up.run(context).opened
        case _:
            return


def _look_at_time(context: Context) -> None:
    """Have looked at what time alone has changed, or what was read since."""
    follow_up.mark_silent(context)
    end_attention(context)
    note_first_contacts(context)
    desired_values.mark_outdated(context)


def _tell(installation: Installation, context: Context, report: Report) -> None:
    """Tell our own people what they have to hear: by now it stands in the CRM."""
    with held(context.store, TELLING) as lease:
        if lease is None:
            report.note_busy(TELLING)
            return
        try:
            leased_context = replace(context, lease=lease)
            asked = admin_mail.run(leased_context, installation.site)
            result = alerts.run(leased_context, installation.site)
        except LeaseLost:
            report.note_busy(TELLING)
            return
    report.told += asked + result.told
    report.mail_error = report.mail_error or result.error


def _report(installation: Installation, context: Context, report: Report, unread: Collection[str]) -> None:
    """Send the managers the reports that are due; not while another process has a part of the work."""
    if report.busy:
        return
    result = reports.run(context, installation.site, unread=unread)
    report.told += result.sent
    report.mail_error = report.mail_error or result.error


def _unread(report: Report) -> list[str]:
    """Return the connections that could not be read in this lap."""
    return [name for name, pulled in report.pulled.items() if pulled.failure is not None]


def _write_back(context: Context, report: Report) -> None:
    crms = context.connected
    side_by_side(context.live, lambda name: _write_one(context, crms[name], report))


def _write_one(context: Context, crm: Connected, report: Report) -> None:
    """Write back one connection. What is noted is this connection's alone."""
    if context.stop.is_set():
        return
    try:
        if context.customers is not None:
            written = write_back.run(context, crm)
        else:
            with held(context.store, write_lease(crm.name)) as lease:
                if lease is None:
                    report.note_busy(crm.name)
                    return
                written = write_back.run(context, crm, lease)
    except LeaseLost as error:
        report.fail(crm.name, error)
        return
    report.written[crm.name] = written
    if written.failure is not None:
        report.fail(crm.name, written.failure)
