"""`plan`: a whole lap on a throw-away copy of the store, with adapters and a channel that read, and only note what they would do."""

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

from connector.commands import owed_follow_ups
from connector.commands.check.customer_coverage import left_out
from connector.commands.dry_run import Noted, NotingChannel, NotingWriter
from connector.commands.owed_follow_ups import Owed
from connector.commands.status import paused
from connector.errors import AfterwordError, Problem
from connector.model import Decision, ForeignField
from connector.model.documents import JsonDict
from connector.ports import (
    Write,
)
from connector.runtime.clock import SteppedClock
from connector.settings import SendingWindow
from connector.stages import lap
from connector.stages.connection import go_live, ownership
from connector.stages.connection.connect import Endpoint, connect
from connector.stages.connection.ownership import Filled
from connector.stages.context import Connected
from connector.stages.installation import Installation
from connector.stages.invite import stage as invite
from connector.stages.lap import Report
from connector.stages.order import Stage
from connector.store import Transaction
from connector.store.crm import record_names
from connector.store.crm.refs import Address
from connector.store.db.copy import copy_store
from connector.store.ops import connections
from connector.store.surveys import backtest
from connector.store.surveys import cancelled_decisions as cancelled

EXAMPLES = 10
"""How many invitations are told one by one."""
_MOST_CANCELLED = 1_000
"""Of how many a plan tells that they would not be asked any more."""


@dataclass(frozen=True, slots=True)
class Names:
    """How people know what a plan is about."""

    records: Mapping[Address, str] = field(default_factory=dict)
    """Names of accounts and contacts, by connection and ref."""
    subjects: Mapping[str, str] = field(default_factory=dict)
    """Subjects of tasks, by the key of their write."""
    labels: Mapping[tuple[str, str, str], str] = field(default_factory=dict)
    """Labels of fields, by (connection, object, API name)."""

    def of(self, crm: str, write: Write) -> str:
        """Return the name of the record that is written; empty when it has none."""
        name = self.records.get((crm, f"{write.object}/{write.id}")) if write.id else None
        return name or self.subjects.get(write.key, "")

    def label(self, crm: str, object_name: str, field_name: str) -> str:
        """Return what the CRM calls a field; empty when that is not known."""
        return self.labels.get((crm, object_name, field_name), "")


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """A field that the mapping names for writing, and that is not ours."""

    crm: str
    field: ForeignField
    filled: Filled

    def as_json(self) -> dict[str, object]:
        """Return it as JSON values."""
        foreign_field = self.field
        return {
            "crm": self.crm,
            "object": foreign_field.object,
            "field": foreign_field.field,
            "where": foreign_field.where,
            "what": foreign_field.what,
            "remedy": foreign_field.remedy,
            "holds": self.filled.holds,
            "of": self.filled.of,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """What the next sync would do, and what each record shows before it."""

    noted: Noted
    report: Report
    before: Mapping[tuple[str, str, str], Mapping[str, object]]
    """By (connection, object, id): the present values of the fields that would change."""
    names: Names
    paused: Mapping[str, str] = field(default_factory=dict)
    """The connections that are paused, with the reasons."""
    foreign: Sequence["LeftAlone"] = ()
    """Fields that are not ours, and that the lap would not write."""
    left_out: Sequence[Problem] = ()
    """Where `is_customer` leaves out most accounts."""
    cancelled: Sequence[Mapping[str, str]] = ()
    """Whom the lap would keep from being asked who was to be asked until now: crm, survey, contact, account, about, reason."""

    owed: Owed = Owed()  # noqa: RUF009 - a frozen value
    """Whose answer is in somebody else's follow-up."""

    @property
    def creates(self) -> int:
        """How many records would be created."""
        return sum(write.id is None for _, write in self.noted.writes)

    @property
    def updates(self) -> int:
        """How many records would be changed."""
        return len({(crm, write.object, write.id) for crm, write in self.noted.writes if write.id is not None})

    def as_json(self) -> dict[str, object]:
        """Return the plan as JSON values: writes with before and after, mails, and the lap's counts."""
        return {
            "left_out": [problem.as_json() for problem in self.left_out],
            "owed_follow_ups": {"people": self.owed.people},
            "writes": [self._write(crm, write) for crm, write in self.owed.first(self.noted.writes)],
            "refused": [left_alone.as_json() for left_alone in self.foreign],
            "cancelled": [dict(decision) for decision in self.cancelled],
            "mails": [{"to": message.to, "subject": message.subject} for message in self.noted.messages],
            "lap": self.report.as_json(),
        }

    def _write(self, crm: str, write: Write) -> dict[str, object]:
        shown = self.before.get((crm, write.object, write.id or ""), {})
        changes = {
            name: {
                "before": shown.get(name),
                "after": _plain(value),
                "label": self.names.label(crm, write.object, name),
            }
            for name, value in write.fields.items()
        }
        return {
            "crm": crm,
            "action": "update" if write.id else "create",
            "object": write.object,
            "id": write.id,
            "key": write.key,
            "record": self.names.of(crm, write),
            "fields": changes,
        }


@dataclass(frozen=True, slots=True)
class Hindsight:
    """What the survey rules would have done to past interactions."""

    since: datetime
    ended: dict[str, int]
    """Interactions that ended in the time, by survey."""
    would_ask: dict[str, int]
    reasons: dict[str, dict[str, int]]
    """Why the others would not have been asked, by survey."""
    by_week: dict[str, int]
    """Invitations by the Monday of their week."""
    examples: list[dict[str, str]]
    left_out: Sequence[Problem] = ()
    """Where `is_customer` leaves out most accounts."""
    unreached: Mapping[str, AfterwordError] = field(default_factory=dict)
    """The CRMs that could not be read, with the reasons: nothing is said of theirs."""

    @property
    def exit_code(self) -> int:
        """0 all were read, 3 a CRM could not be."""
        return 3 if self.unreached else 0

    def as_json(self) -> JsonDict:
        """Return it as JSON values."""
        surveys = {
            name: {
                "ended": self.ended.get(name, 0),
                "would_ask": self.would_ask.get(name, 0),
                "not_asked": self.reasons.get(name, {}),
            }
            for name in sorted({*self.ended, *self.would_ask, *self.reasons})
        }
        return {
            "since": self.since.isoformat(),
            "left_out": [problem.as_json() for problem in self.left_out],
            "surveys": surveys,
            "by_week": self.by_week,
            "examples": self.examples,
            "unreached": {name: str(error) for name, error in self.unreached.items()},
        }


def next_lap(installation: Installation) -> Plan:
    """Return what the next lap would send and write, were nothing paused. Sends and writes nothing anywhere."""
    with throw_away(installation) as (copy, noted):
        held = paused(copy)
        with copy.store.write() as tx:
            connections.end_pauses(tx)
            line = cancelled.last_move(tx)
            owed = owed_follow_ups.owed(tx)
        report = lap.run(copy)
        dropped = _cancelled(copy, line)
        return Plan(
            noted,
            report,
            _before(installation, noted),
            _names(copy, noted),
            held,
            foreign=_left_alone(installation, report),
            left_out=left_out(copy),
            cancelled=dropped,
            owed=owed_follow_ups.opened(copy, owed),
        )


def look_back(installation: Installation, span: timedelta) -> Hindsight:
    """Return what the rules would have done in the time before now, day by day, as if everything had been live then.

    A CRM that cannot be read is left out and named. Raises its `AfterwordError` when there is no other.
    """
    now = installation.clock.now()
    with throw_away(installation) as (copy, _noted):
        report = lap.run(copy, stages=(Stage.PULL,))
        unreached = {name: errors[0] for name, errors in report.failures.items() if errors}
        reached = [endpoint for endpoint in copy.endpoints if endpoint.name not in unreached]
        if unreached and not reached:
            raise next(iter(unreached.values()))
        return replace(_replay(replace(copy, endpoints=reached), now - span, now), unreached=unreached)


@contextmanager
def throw_away(installation: Installation) -> Iterator[tuple[Installation, Noted]]:
    """Give an installation on a copy of the store, whose adapters and channel only note what they are asked to do."""
    noted = Noted()
    with tempfile.TemporaryDirectory(prefix="afterword-plan-") as folder:
        store = copy_store(installation.store, Path(folder) / "plan.db")
        try:
            endpoints = [
                replace(endpoint, recorder=NotingWriter(endpoint.adapter, noted)) for endpoint in installation.endpoints
            ]
            channel = NotingChannel(installation.channel, noted) if installation.channel is not None else None
            yield (
                replace(
                    installation,
                    store=store,
                    endpoints=endpoints,
                    channel=channel,
                    webhook=lambda _url, _post: True,
                    acts=False,
                ),
                noted,
            )
        finally:
            store.close()


# ── the present values ───────────────────────────────────────────────────────────────────────────────────────────────


def _before(installation: Installation, noted: Noted) -> dict[tuple[str, str, str], Mapping[str, object]]:
    """Read what the records that would change show now, as the CRM has it."""
    adapters = {endpoint.name: endpoint.adapter for endpoint in installation.endpoints}
    wanted: dict[tuple[str, str], dict[str, Write]] = {}
    for crm, write in noted.writes:
        if write.id is not None:
            wanted.setdefault((crm, write.object), {})[write.id] = write
    values: dict[tuple[str, str, str], Mapping[str, object]] = {}
    for (crm, object_name), writes in wanted.items():
        fields = sorted({name for write in writes.values() for name in write.fields})
        for crm_id, record in adapters[crm].fetch(object_name, list(writes), fields).items():
            values[crm, object_name, crm_id] = record.fields
    return values


def _cancelled(copy: Installation, line: int) -> list[dict[str, str]]:
    with copy.store.read() as tx:
        rows = cancelled.since(tx, line, _MOST_CANCELLED)
    return [
        {
            "crm": row.connection,
            "survey": row.survey,
            "contact": row.contact or "",
            "account": row.account or "",
            "about": row.label,
            "reason": row.reason or "",
        }
        for row in rows
    ]


def _left_alone(installation: Installation, report: Report) -> list[LeftAlone]:
    adapters = {endpoint.name: endpoint.adapter for endpoint in installation.endpoints}
    return [
        LeftAlone(crm, field, ownership.filled(adapters[crm], field.object, field.field))
        for crm, fields in report.foreign.items()
        for field in fields
    ]


def _names(copy: Installation, noted: Noted) -> Names:
    """Ask the copy of the store, which knows what the lap has just read and decided."""
    crms = dict.fromkeys(crm for crm, _ in noted.writes)
    with copy.store.read() as tx:
        return Names(
            record_names.record_names(
                tx, [(crm, f"{write.object}/{write.id}") for crm, write in noted.writes if write.id]
            ),
            record_names.task_subjects(tx, [write.key for _, write in noted.writes]),
            {(crm, *of): label for crm in crms for of, label in record_names.field_labels(tx, crm).items()},
        )


# ── looking back ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _replay(copy: Installation, since: datetime, until: datetime) -> Hindsight:
    """Let the days go by on the copy, with the real rules and limits, and count what they decide.

    Each day is looked at once, at the hour that it is now, which may be one at which no mail goes out. Such hours put mail off and
    keep nobody from being asked, so they are left out.
    """
    connected = _connected(copy)
    clock = SteppedClock(since)
    limits = copy.settings.limits.model_copy(update={"sending_window": SendingWindow()})
    settings = copy.settings.model_copy(update={"limits": limits})
    context = replace(lap.bare_context(copy), settings=settings, clock=clock, connected=connected)
    with copy.store.write() as tx:
        backtest.begin(tx, go_live.live_subjects(copy.settings), list(connected), since)
    while clock.now() < until:
        clock.set(min(clock.now() + timedelta(days=1), until))
        invite.run(context)
        with copy.store.write() as tx:
            backtest.pretend_sent(tx, clock.now())
    with copy.store.read() as tx:
        return _told(copy, tx, since, until)


def _connected(copy: Installation) -> dict[str, Connected]:
    connected = {}
    for endpoint in copy.endpoints:
        crm, _problems = _as_live(copy, endpoint)
        connected[endpoint.name] = crm
    return connected


def _as_live(copy: Installation, endpoint: Endpoint) -> tuple[Connected, Sequence[Problem]]:
    crm, problems = connect(copy.store, copy.clock, endpoint)
    return replace(crm, live=True), problems


def _told(copy: Installation, tx: Transaction, since: datetime, until: datetime) -> Hindsight:
    crms = [endpoint.name for endpoint in copy.endpoints]
    ended = backtest.ended(tx, crms, since, until)
    would_ask: Counter[str] = Counter()
    reasons: dict[str, Counter[str]] = {}
    for outcome in backtest.outcomes(tx):
        if outcome.state is Decision.INVITED:
            would_ask[outcome.survey] += outcome.count
        else:
            reasons.setdefault(outcome.survey, Counter())[outcome.reason or outcome.state.value] += outcome.count
    tz = copy.settings.company.timezone
    weeks: Counter[str] = Counter()
    for at, count in backtest.asked_at(tx):
        day = at.astimezone(tz).date()
        weeks[(day - timedelta(days=day.weekday())).isoformat()] += count
    return Hindsight(
        since=since.astimezone(tz),
        left_out=left_out(copy, since),
        ended={name: ended.get(survey.on, 0) for name, survey in copy.settings.surveys.items()},
        would_ask=dict(would_ask),
        reasons={name: dict(counts) for name, counts in reasons.items()},
        by_week=dict(sorted(weeks.items())),
        examples=[
            {
                "survey": row.survey,
                "about": row.label,
                "account": row.account or "",
                "contact": row.contact or "",
                "on": row.decided_at.astimezone(tz).date().isoformat(),
            }
            for row in backtest.examples(tx, EXAMPLES)
        ],
    )


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date | time) else value
