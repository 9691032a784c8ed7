"""The embedded engine: each piece of work is a job of the scheduler in a thread of this process, and none waits for another.

Each connection is read, and written back, by jobs of its own; so a CRM that is slow, or being read for the first time, delays neither
another one nor an answer. An answer takes two short jobs: one makes its figures and follow-ups in the store, and one for each
connection writes that customer's records. A job is never run twice at once; asked for while it runs, it runs once more.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from connector.commands import reconcile, retention
from connector.domain.durations import format_duration
from connector.domain.nightly import Nightly
from connector.errors import AfterwordError, AuthRevoked, NotLetIn, TransactionLost
from connector.runtime.cancellation import CancellationToken
from connector.settings import Schedule
from connector.stages import lap
from connector.stages.installation import Installation
from connector.stages.lap import LapPart
from connector.stages.order import ASKING, JUDGING, Stage
from connector.stages.report import Report
from connector.store.ops import connections
from connector.store.outbox.customer_records import connections_of

MINUTE = timedelta(minutes=1)
SHORTEST = timedelta(seconds=1)
"""Between two scheduled readings, whatever config.toml says."""
SILENCE = timedelta(minutes=30)
"""How long a job may go without a sign of life: longer than a page takes whose calls are all repeated to the last."""
SLICE = timedelta(minutes=1)
"""A comparison of everything takes long: after this time it lets the reading of what changed go first."""

log = structlog.get_logger("afterword")


class JobKind(StrEnum):
    """The kinds of work that are done by themselves."""

    PULL = "pull"
    ASKING = "asking"
    """collect, invite and deliver."""
    JUDGING = "judging"
    """score and follow_up."""
    WRITE_BACK = "write_back"
    TELLING = "telling"
    """What our own people have to hear, and the managers' reports."""
    ANSWERS = "answers"
    """score and follow_up of the customers who have just answered."""
    ANSWERS_BACK = "answers_back"
    """write_back of their records."""
    RECONCILE = "reconcile"
    RETENTION = "retention"


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work, and the connection that it is about; "": the whole installation."""

    kind: JobKind
    crm: str = ""

    def __str__(self) -> str:
        """Return its name, as reports and logs have it."""
        return f"{self.kind} {self.crm}".rstrip()


_STAGES: Mapping[JobKind, Sequence[Stage]] = {
    JobKind.PULL: (Stage.PULL,),
    JobKind.ASKING: ASKING,
    JobKind.JUDGING: JUDGING,
    JobKind.WRITE_BACK: (Stage.WRITE_BACK,),
    JobKind.TELLING: (),
    JobKind.ANSWERS: JUDGING,
    JobKind.ANSWERS_BACK: (Stage.WRITE_BACK,),
}


def _rival(job: Job) -> Job | None:
    """Return the job that needs the same lease: a comparison and a reading of one CRM take turns."""
    match job.kind:
        case JobKind.PULL:
            return Job(JobKind.RECONCILE, job.crm)
        case JobKind.RECONCILE:
            return Job(JobKind.PULL, job.crm)
        case _:
            return None


@dataclass(frozen=True, slots=True)
class _Failures:
    """Since when every run of a job has failed, and how many runs that were."""

    since: datetime
    times: int


class JobEngine:
    """The jobs of one installation, on a schedule and after answers."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self._every = max(installation.settings.schedule.sync, SHORTEST)
        self._crms = [endpoint.name for endpoint in installation.endpoints]
        self._lock = threading.Lock()
        self._asked: set[Job] = set()
        """Jobs that are to begin; asked for again meanwhile, they run once."""
        self._running: dict[Job, CancellationToken] = {}
        self._again: set[Job] = set()
        """Jobs that were asked for while they ran."""
        self._customers: dict[Job, set[str]] = {}
        """The customers whom the next run of a job is about."""
        self._answered: dict[str, datetime] = {}
        """When each customer's last answer of this minute was taken in at once."""
        self._comparing: dict[str, datetime] = {}
        """By connection, since when what was not compared is to be compared."""
        self._kept_out: dict[str, datetime | None] = self._kept_out_before()
        """Connections whose CRM does not let us in: since when it may pass; None where nothing but an admin helps."""
        self._failing: dict[Job, _Failures] = {}
        """What every run of a job has ended in lately: a failure of its own, not of a connection's."""
        self._behind: dict[Job, set[Job]] = {}
        """Jobs that wait for the end of another one, which needs the same lease."""
        self._unread: set[str] = set()
        """Connections whose last reading failed."""
        self._ended = time.monotonic()
        """When a job last ended."""
        threads = len(JobKind) + 4 * len(self._crms) + 4  # more than there are jobs
        self.scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(threads)},
            # What the schedule calls only asks for a job. On a busy machine it may come due again before it has: nothing to warn of.
            job_defaults={"misfire_grace_time": None, "max_instances": 10, "coalesce": True},
        )

    def start(self) -> None:
        """Begin: every CRM is read at once, then in every interval."""
        every = self._every.total_seconds()
        self.scheduler.add_job(self._begin_round, "interval", seconds=every, next_run_time=datetime.now(UTC))
        nightly = night(self.installation.settings.schedule)
        self.scheduler.add_job(self._compare, nightly)
        self.scheduler.add_job(self.ask, nightly, args=(Job(JobKind.RETENTION),))
        self.scheduler.start()

    def stop(self) -> None:
        """End the jobs under way at their next page, and begin no other; returns when they have ended."""
        with self._lock:
            self.installation.stop.set()
        # APScheduler's thread fails with JobLookupError when it is shut down while it takes out a job that ran for the last time:
        # taking out all jobs waits for what that thread is at.
        self.scheduler.remove_all_jobs()
        self.scheduler.shutdown()

    # ── what is to be done ───────────────────────────────────────────────────────────────────────────────────────────

    def ask(self, job: Job) -> None:
        """Have a job run as soon as may be: at once, or, while it runs, once more after that."""
        with self._lock:
            self._ask(job)

    def _ask(self, job: Job) -> None:
        """Do it under the lock."""
        if self.installation.stop.is_requested or job in self._asked:
            return
        if job in self._running:
            self._again.add(job)
            return
        rival = _rival(job)
        if rival is not None and (rival in self._running or rival in self._asked):
            self._behind.setdefault(rival, set()).add(job)
            return
        self._asked.add(job)
        self.scheduler.add_job(self._perform, args=(job,))

    def answered(self, customer: str) -> None:
        """Bring an answer to the CRM at once. Several answers that wait are taken in together.

        Further ones about the same customer within a minute are taken in at its end: whoever corrects an answer again and again buys
        no calls to the CRM.
        """
        log.info("an answer came in", customer=customer)
        now = datetime.now(UTC)
        with self._lock:
            self._answered = {customer_id: at for customer_id, at in self._answered.items() if now - at < MINUTE}
            last = self._answered.setdefault(customer, now)
            if last != now and not self.installation.stop.is_requested:
                self.scheduler.add_job(
                    self._take_in,
                    "date",
                    args=(customer,),
                    run_date=last + MINUTE,
                    id=f"answer:{customer}",
                    replace_existing=True,
                )
        if last == now:
            self._ask_about({customer}, Job(JobKind.ANSWERS))

    def _take_in(self, customer: str) -> None:
        """Take in what a customer has answered since a minute ago."""
        with self._lock:
            self._answered[customer] = datetime.now(UTC)
        self._ask_about({customer}, Job(JobKind.ANSWERS))

    def _ask_about(self, customers: set[str], job: Job) -> None:
        with self._lock:
            self._customers.setdefault(job, set()).update(customers)
            self._ask(job)

    def _begin_round(self) -> None:
        """Read every CRM. What comes after that does not wait for a reading that still goes on from an earlier round."""
        for name in self._crms:
            job = Job(JobKind.PULL, name)
            with self._lock:
                is_running = job in self._running
            if is_running:
                self._go_on_after_reading()
            else:
                self.ask(job)

    def _go_on_after_reading(self) -> None:
        self.ask(Job(JobKind.ASKING))
        self.ask(Job(JobKind.JUDGING))

    def _compare(self) -> None:
        """Have everything compared with the CRMs, each for itself."""
        now = self.installation.clock.now()
        for name in self._crms:
            with self._lock:
                self._comparing.setdefault(name, now)
            self.ask(Job(JobKind.RECONCILE, name))

    # ── doing it ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _perform(self, job: Job) -> None:
        token = self.installation.stop.dependent()
        with self._lock:
            # Before it reads the store: whatever comes in meanwhile needs one more run.
            self._asked.discard(job)
            customers = self._customers.pop(job, None)
            if self.installation.stop.is_requested:
                return
            self._running[job] = token
        try:
            self._run(job, token, customers)
            self._failing.pop(job, None)
        except TransactionLost as lost:
            self._try_again(job, customers, lost)
        except Exception as error:
            self._note_failure(job)
            _log_failure(job, error)
        finally:
            with self._lock:
                del self._running[job]
                self._ended = time.monotonic()
                if job in self._again:
                    self._again.discard(job)
                    self._ask(job)
                for waiting in self._behind.pop(job, set()):
                    self._ask(waiting)

    def _note_failure(self, job: Job) -> None:
        known = self._failing.get(job)
        now = self.installation.clock.now()
        self._failing[job] = _Failures(now, 1) if known is None else _Failures(known.since, known.times + 1)

    def _try_again(self, job: Job, customers: set[str] | None, lost: TransactionLost) -> None:
        """Let a job run once more that has given way to another one in the database; not for ever."""
        has_failed_before = job in self._failing
        self._note_failure(job)
        if has_failed_before:
            _log_failure(job, lost)
            return
        with self._lock:
            self._again.add(job)
            if customers:
                self._customers.setdefault(job, set()).update(customers)

    def _run(self, job: Job, token: CancellationToken, customers: set[str] | None) -> None:
        match job.kind:
            case JobKind.ANSWERS | JobKind.ANSWERS_BACK if not customers:
                return  # they were taken in by the run before
            case JobKind.RECONCILE:
                self._compare_some(job.crm, token)
            case JobKind.RETENTION:
                self._prune_some(token)
            case _:
                report = lap.run(
                    self._share_of(job, token),
                    stages=_STAGES[job.kind],
                    may_wait=False,
                    customers=customers,
                    part=LapPart(
                        job=str(job),
                        looks=job.crm != "",
                        tells=job.kind is JobKind.TELLING,
                        reports=job.kind is JobKind.TELLING,
                        unread=frozenset(self._unread),
                    ),
                )
                log_report(job, report)
                self._note(job, report)
                self._go_on(job, customers, report)

    def _share_of(self, job: Job, token: CancellationToken) -> Installation:
        """Return the installation as one job sees it: with its own connection, or all, and a token of its own."""
        endpoints = [endpoint for endpoint in self.installation.endpoints if job.crm in ("", endpoint.name)]
        return replace(self.installation, endpoints=endpoints, stop=token)

    def _go_on(self, job: Job, customers: set[str] | None, report: Report) -> None:
        """Ask for what follows a job."""
        match job.kind:
            case JobKind.PULL:
                if job.crm in self._comparing and job.crm not in report.busy:
                    self.ask(Job(JobKind.RECONCILE, job.crm))
                self._go_on_after_reading()
            case JobKind.JUDGING:
                for name in self._crms:
                    self.ask(Job(JobKind.WRITE_BACK, name))
            case JobKind.WRITE_BACK | JobKind.ANSWERS_BACK:
                self.ask(Job(JobKind.TELLING))
            case JobKind.ANSWERS if customers:
                with self.installation.store.read() as tx:
                    names = connections_of(tx, customers)
                for name in names.intersection(self._crms):
                    self._ask_about(customers, Job(JobKind.ANSWERS_BACK, name))

    def _compare_some(self, crm: str, token: CancellationToken) -> None:
        """Compare for a while; then the changes of that CRM are read, and after them it goes on."""
        with self._lock:
            since = self._comparing.get(crm)
        if since is None:
            return
        comparison = reconcile.run(replace(self.installation, stop=token), since=since, crm=crm, within=SLICE)
        _log_failures(comparison.lap)
        log.info("compared", **comparison.as_json())
        if comparison.lap.busy:
            log.warning("not compared now: another process is at it; it is tried again after the next reading", crm=crm)
            return
        if comparison.out_of_time:
            self.ask(Job(JobKind.PULL, crm))
            return
        with self._lock:
            self._comparing.pop(crm, None)

    def _prune_some(self, token: CancellationToken) -> None:
        pruned = retention.run_if_due(replace(self.installation, stop=token), within=SLICE)
        if pruned is None:
            return
        log.info("took out outdated rows", **pruned.removed)
        if not pruned.complete and pruned.removed:
            self.ask(Job(JobKind.RETENTION))

    # ── how it goes ──────────────────────────────────────────────────────────────────────────────────────────────────

    def trouble(self) -> str:
        """Return why somebody should look after us: jobs have ceased, or one hangs. Empty: all is well."""
        with self._lock:
            silent = {job: timedelta(seconds=token.seconds_since_check) for job, token in self._running.items()}
            idle = timedelta(seconds=time.monotonic() - self._ended)
            failing = dict(self._failing)
            kept_out = sorted(self._kept_out.items())
        longest = max(silent, key=lambda job: silent[job], default=None)
        patience = SILENCE + self._every
        if longest is not None and silent[longest] > patience:
            return f"{longest} has shown no sign of life for {format_duration(timedelta(minutes=silent[longest] // MINUTE))}"
        if longest is None and idle > patience:
            return f"nothing has been done for {format_duration(timedelta(minutes=idle // MINUTE))}"
        now = self.installation.clock.now()
        for job, failures in failing.items():
            if failures.times > 1 and now - failures.since > patience:
                return f"every run of {job} since {failures.since:%Y-%m-%d %H:%M} UTC has failed; its log says why"
        still = [name for name, since in kept_out if since is None or now - since > SILENCE]
        return f"not let in by the CRM: {', '.join(still)}; see `afterword status`" if still else ""

    def _note(self, job: Job, report: Report) -> None:
        """Remember how a job went, for whoever looks whether all is well, and when what it left waiting may go on."""
        now = self.installation.clock.now()
        with self._lock:
            for name in self._crms:
                kept_out = report.kept_out(name)
                # Who has not called a CRM has learnt nothing of it, unless that was kept from calling.
                if name in report.busy or (kept_out is None and name != job.crm):
                    continue
                match kept_out:
                    case AuthRevoked():
                        self._kept_out[name] = None
                    case NotLetIn():
                        self._kept_out[name] = self._kept_out.get(name) or now
                    case None:
                        self._kept_out.pop(name, None)
            if job.kind is JobKind.PULL and job.crm in report.pulled:
                has_failed = report.pulled[job.crm].failure is not None
                (self._unread.add if has_failed else self._unread.discard)(job.crm)
        self._send_held(report)

    def _kept_out_before(self) -> dict[str, datetime | None]:
        """Return which connections have stood still since before this process began: a restart is no end of it."""
        kept_out: dict[str, datetime | None] = {}
        for endpoint in self.installation.endpoints:
            named = (endpoint.name, endpoint.credentials)
            with self.installation.store.read() as tx:
                if connections.refused(tx, *named) is not None:
                    kept_out[endpoint.name] = None
                elif (since := connections.not_let_in_since(tx, *named)) is not None:
                    kept_out[endpoint.name] = since
        return kept_out

    def _send_held(self, report: Report) -> None:
        """Send what waits as soon as it is certain that no other installation does, be the next round hours away."""
        if not report.held:
            return
        left = max(report.held.values()) - self.installation.clock.now()
        at, asking = datetime.now(UTC) + left + SHORTEST, (Job(JobKind.ASKING),)
        with self._lock:
            if not self.installation.stop.is_requested:
                self.scheduler.add_job(self.ask, "date", args=asking, run_date=at, id="held", replace_existing=True)


def night(schedule: Schedule) -> Nightly:
    """Return when everything is compared: once a night, at a time of day in the installation's time zone."""
    return Nightly(schedule.reconcile, schedule.timezone)


def _log_failure(job: Job, error: Exception) -> None:
    """The engine goes on after a fault of ours; somebody has to hear of it."""
    if isinstance(error, AfterwordError):
        log.error("a job failed", job=str(job), what=error.what, where=error.where, remedy=error.remedy)
    else:
        log.error("a fault of Afterword itself; please report it with what stands here", job=str(job), exc_info=error)


def _log_failures(report: Report) -> None:
    for name, errors in report.failures.items():
        for error in errors:
            log.error("a connection failed", crm=name, what=error.what, where=error.where, remedy=error.remedy)


def log_report(job: Job, report: Report) -> None:
    """Write down what a job led to."""
    _log_failures(report)
    if report.mail_error is not None:
        log.error("mail could not be sent", what=report.mail_error.what, remedy=report.mail_error.remedy)
    read = {name: sum(counts.changed for counts in pulled.counts.values()) for name, pulled in report.pulled.items()}
    written = {
        name: {"created": counts.created, "updated": counts.updated, "refused": counts.refused}
        for name, counts in report.written.items()
    }
    figures: dict[str, object] = {
        "changed": read,
        "invited": report.invited,
        "sent": report.sent,
        "left_due": report.left_due,
        "scored": report.scored,
        "follow_ups": report.follow_ups,
        "written": written,
    }
    log.info(
        "job",
        job=str(job),
        exit=report.exit_code,
        **{name: value for name, value in figures.items() if value},
        took_s=round(report.took_s, 2),
    )
