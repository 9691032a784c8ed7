"""`run`: the lap on a schedule and the web application, in one process.

One worker thread does all laps, so that a scheduled lap and the one after an answer never run at once. SIGTERM ends the lap at its
next page and the web server after the answers under way; a lap that hangs in a call is left, as if the machine had been switched off.
"""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from types import FrameType

import structlog
import uvicorn
from apscheduler.schedulers.background import BackgroundScheduler
from starlette.types import ASGIApp

from connector.commands import reconcile, retention
from connector.domain.durations import format_duration
from connector.domain.nightly import Nightly
from connector.errors import AfterwordError, AuthRevoked, MailUnavailable, NotLetIn
from connector.model import NotedResult
from connector.ports.mail import Message
from connector.settings import Schedule, Web
from connector.stages import lap
from connector.stages.follow_up.outcome_links import note_by_link
from connector.stages.follow_up.states import OutcomeNoted
from connector.stages.installation import Installation
from connector.stages.lap import Report
from connector.stages.order import AFTER_AN_ANSWER
from connector.store.ops import connections
from connector.surveys.tokens import Tokens
from connector.web.app import create_app
from connector.web.auth.sign_in_mails import MailParts, SignInMails
from connector.web.auth.user_check import UserCheck
from connector.web.parts import SubmittedOutcome, WebParts
from connector.web.server import timeouts
from connector.web.server.client import believed
from connector.web.server.file_limit import raise_file_limit

MINUTE = timedelta(minutes=1)
SHORTEST = timedelta(seconds=1)
"""Between two scheduled laps, whatever config.toml says."""
MAILS = timedelta(seconds=10)
"""Between two looks at the queue of sign-in mails that nobody has asked for."""
GRACE_SECONDS = 4
"""For the answers under way, once we are told to end."""
LAP_SECONDS = 4
"""For the lap, after that."""
SILENCE = timedelta(minutes=30)
"""How long a lap may go without a sign of life: longer than a page takes whose calls are all repeated to the last."""

SLICE = timedelta(minutes=1)
"""A comparison of everything takes long: after this time it lets the laps that wait go first."""

Stages = tuple[lap.Stage, ...]

log = structlog.get_logger("afterword")


class Service:
    """The laps of one installation on a schedule."""

    def __init__(
        self,
        installation: Installation,
        on_report: Callable[[Report], None] | None = None,
        mails: SignInMails | None = None,
    ) -> None:
        self.installation = installation
        self._mails = mails
        self._on_report = on_report or (lambda _report: None)
        self._every = max(installation.settings.schedule.sync, SHORTEST)
        self._lock = threading.Lock()
        self._waiting: set[Stages] = set()
        self._kept_out: dict[str, datetime | None] | None = None
        """Connections whose CRM does not let us in: since when it may pass; None where nothing but an admin helps.

        Before the first lap it is what the store has of the laps before.
        """
        self._failing: datetime | None = None
        """Since when every scheduled lap has ended in a failure of its own, not of a connection's."""
        self._answered: dict[str, datetime] = {}
        """When each customer's last answer of this minute was taken in at once."""
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="laps")
        # A job only queues a lap. On a busy machine it may come due again before it has done so: nothing to warn of.
        self._scheduler = BackgroundScheduler(
            timezone=UTC, job_defaults={"misfire_grace_time": None, "max_instances": 10}
        )

    def start(self) -> None:
        """Begin: the first lap at once, then one in every interval."""
        self._scheduler.add_job(
            self._ask_for,
            "interval",
            args=(lap.ALL,),
            seconds=self._every.total_seconds(),
            next_run_time=datetime.now(UTC),
            coalesce=True,
        )
        self._scheduler.add_job(self._compare, night(self.installation.settings.schedule), coalesce=True)
        self._scheduler.add_job(self._prune, night(self.installation.settings.schedule), coalesce=True)
        if self._mails is not None:
            # What is asked for here is sent at once; what another process was asked for, or could not be sent, waits for this.
            self._scheduler.add_job(self._mails.wake, "interval", seconds=MAILS.total_seconds(), coalesce=True)
        self._scheduler.start()

    def stop(self, within: float | None = None) -> bool:
        """End the lap under way at its next page, and begin no other; False when that took longer than so many seconds."""
        with self._lock:
            self.installation.stop.set()
        ending = threading.Thread(target=self._end, name="ending", daemon=True)
        ending.start()
        ending.join(within)
        return not ending.is_alive()

    def trouble(self) -> str:
        """Return why somebody should look after us: laps have ceased, or one hangs. Empty: all is well."""
        silent = timedelta(seconds=self.installation.stop.seconds_since_check)
        if silent > SILENCE + self._every:
            return f"no lap has shown a sign of life for {format_duration(timedelta(minutes=silent // MINUTE))}"
        now = self.installation.clock.now()
        kept_out = self._kept_out if self._kept_out is not None else self._kept_out_before()
        failing = self._failing
        if failing is not None and now - failing > SILENCE + self._every:
            return f"every lap since {failing:%Y-%m-%d %H:%M} UTC has failed; its log says why"
        still = [name for name, since in sorted(kept_out.items()) if since is None or now - since > SILENCE]
        return f"not let in by the CRM: {', '.join(still)}; see `afterword status`" if still else ""

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
        if last == now:
            self._ask_for(AFTER_AN_ANSWER)
            return
        self._scheduler.add_job(
            self._take_in,
            "date",
            args=(customer,),
            run_date=last + MINUTE,
            id=f"answer:{customer}",
            replace_existing=True,
        )

    def _take_in(self, customer: str) -> None:
        """Take in what a customer has answered since a minute ago."""
        with self._lock:
            self._answered[customer] = datetime.now(UTC)
        self._ask_for(AFTER_AN_ANSWER)

    def _ask_for(self, stages: Stages) -> None:
        """Let a lap wait for the worker, unless one like it waits already: laps that take long do not pile up."""
        with self._lock:
            if stages in self._waiting or self.installation.stop.is_requested:
                return
            self._waiting.add(stages)
            self._worker.submit(self._begin, stages).add_done_callback(_tell_fault)

    def _compare(self, since: datetime | None = None) -> None:
        """Let the night's comparison, or the rest of it, wait for the worker."""
        since = since or self.installation.clock.now()
        with self._lock:
            if not self.installation.stop.is_requested:
                self._worker.submit(self._compare_some, since).add_done_callback(_tell_fault)

    def _compare_some(self, since: datetime) -> None:
        try:
            comparison = reconcile.run(self.installation, since=since, within=SLICE)
        except AfterwordError as error:
            log.error("the comparison failed", what=error.what, where=error.where, remedy=error.remedy)
            return
        _log_failures(comparison.lap)
        for name in comparison.lap.busy:
            log.warning("not compared tonight: another process is at it", crm=name)
        log.info("compared", **comparison.as_json())
        if comparison.out_of_time:
            self._compare(since)

    def _prune(self) -> None:
        """Let the taking out of outdated rows, or the rest of it, wait for the worker."""
        with self._lock:
            if not self.installation.stop.is_requested:
                self._worker.submit(self._prune_some).add_done_callback(_tell_fault)

    def _prune_some(self) -> None:
        try:
            pruned = retention.run_if_due(self.installation, within=SLICE)
        except AfterwordError as error:
            log.error("outdated rows could not be taken out", what=error.what, where=error.where, remedy=error.remedy)
            return
        if pruned is None:
            return
        log.info("took out outdated rows", **pruned.removed)
        if not pruned.complete and pruned.removed:
            self._prune()

    def _begin(self, stages: Stages) -> None:
        # Before the lap reads the store: an answer that comes in meanwhile needs one more.
        with self._lock:
            self._waiting.discard(stages)
        if not self.installation.stop.is_requested:
            self._run(stages)

    def _end(self) -> None:
        # APScheduler's thread fails with JobLookupError when it is shut down while it takes out a job that ran for the last time:
        # taking out all jobs waits for what that thread is at.
        self._scheduler.remove_all_jobs()
        self._scheduler.shutdown()
        self._worker.shutdown(cancel_futures=True)
        if self._mails is not None:
            self._mails.close()

    def _run(self, stages: Stages) -> None:
        try:
            report = lap.run(self.installation, stages=stages, may_wait=False)
        except Exception as error:
            if stages == lap.ALL:
                self._failing = self._failing or self.installation.clock.now()
            if not isinstance(error, AfterwordError):
                raise
            log.error("the lap failed", what=error.what, where=error.where, remedy=error.remedy)
            return
        if stages == lap.ALL:
            self._failing = None
        _log_report(report)
        self._note_kept_out(report)
        self._go_on(report)
        self._on_report(report)

    def _note_kept_out(self, report: Report) -> None:
        """Remember which connections stand still, for whoever looks whether all is well."""
        known, now = self._kept_out, self.installation.clock.now()
        if known is None:
            known = self._kept_out_before()
        kept_out: dict[str, datetime | None] = {name: known[name] for name in report.busy if name in known}
        for name in report.failures:
            match report.kept_out(name):
                case AuthRevoked():
                    kept_out[name] = None
                case NotLetIn():
                    kept_out[name] = known.get(name) or now
        self._kept_out = kept_out

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

    def _go_on(self, report: Report) -> None:
        """Send what waits as soon as it is certain that no other installation does, be the next lap hours away."""
        if report.held and not self.installation.stop.is_requested:
            left = max(report.held.values()) - self.installation.clock.now()
            at = datetime.now(UTC) + left + SHORTEST
            self._scheduler.add_job(
                self._ask_for, "date", args=(lap.ALL,), run_date=at, id="held", replace_existing=True
            )


def night(schedule: Schedule) -> Nightly:
    """Return when everything is compared: once a night, at a time of day in the installation's time zone."""
    return Nightly(schedule.reconcile, schedule.timezone)


def web_parts(
    installation: Installation,
    on_answer: Callable[[str], None],
    trouble: Callable[[], str] = lambda: "",
    on_sign_in: Callable[[], None] = lambda: None,
) -> WebParts:
    """Return what the pages need; for `trouble` and `on_sign_in` see `WebParts`: left out, another process sends what is asked for.

    Raises `AfterwordError` while [web] secret is missing.
    """
    return WebParts(
        store=installation.store,
        clock=installation.clock,
        tokens=_tokens(installation),
        site=installation.site,
        on_answer=on_answer,
        trouble=trouble,
        note_outcome=lambda follow_up_id, outcome: _note_outcome(installation, on_answer, follow_up_id, outcome),
        causes=installation.settings.causes,
        language=installation.settings.company.language,
        on_sign_in=on_sign_in,
        crms=frozenset(endpoint.name for endpoint in installation.endpoints),
        surveys=installation.settings.events,
    )


def sign_in_mails(installation: Installation) -> SignInMails:
    """Return what sends the links that users of the CRM ask for. Raises `AfterwordError` while [web] secret is missing."""
    return SignInMails(
        MailParts(
            store=installation.store,
            clock=installation.clock,
            tokens=_tokens(installation),
            site=installation.site,
            send=lambda message: send_sign_in(installation, message),
            check=UserCheck(installation),
        )
    )


def _tokens(installation: Installation) -> Tokens:
    if installation.tokens is None:
        raise AfterwordError(
            "the web application needs a secret to sign its links with.",
            where="config.toml: web.secret",
            remedy='Make one with: python3 -c "import secrets; print(secrets.token_urlsafe(48))"',
        )
    return installation.tokens


def _note_outcome(
    installation: Installation, on_answer: Callable[[str], None], follow_up_id: str, outcome: SubmittedOutcome
) -> NotedResult:
    """Note how a follow-up ended, and bring it to the CRM as soon as an answer."""
    noted = OutcomeNoted(outcome.outcome.value, outcome.cause, outcome.note)
    now = installation.clock.now()
    result = note_by_link(
        installation.store, installation.settings, follow_up_id, noted, attempts=outcome.attempts, now=now
    )
    if result in (NotedResult.TAKEN, NotedResult.CORRECTED):
        on_answer(follow_up_id)
    return result


def serve(installation: Installation, server: socket.socket) -> None:
    """Run until SIGTERM or Ctrl-C, with the web application at a socket that listens already."""
    mails = sign_in_mails(installation)
    service = Service(installation, mails=mails)
    app = create_app(web_parts(installation, service.answered, service.trouble, mails.wake))
    listen = installation.settings.web.listen
    web = _Server(server_config(app, installation.settings.web), installation.stop)
    for number in (signal.SIGTERM, signal.SIGINT):
        # The web server ends on these by itself, and then raises them again: so that what stands below is still done.
        signal.signal(number, lambda _number, _frame: installation.stop.set())
    hang_up = getattr(signal, "SIGHUP", None)  # Windows has none
    if hang_up is not None and signal.getsignal(hang_up) is not signal.SIG_IGN:  # `nohup` wants it ignored
        signal.signal(hang_up, lambda _number, frame: web.handle_exit(signal.SIGTERM, frame))
    service.start()
    log.info("serving", listen=f"{listen.host}:{listen.port}", public_url=installation.settings.web.public_url)
    try:
        web.run(sockets=[server])
    finally:
        ended = service.stop(LAP_SECONDS)
        log.info("stopped")
    if not ended:
        log.warning("a call to the CRM or the mail server did not come back; the next run takes up what it was for")
        sys.stderr.flush()
        os._exit(0)


def server_config(app: ASGIApp, web: Web) -> uvicorn.Config:
    """Return how the web server serves the application."""
    # Of the files that the process may open, half are for connections: what a lap opens must not fail for them.
    files = raise_file_limit()
    return uvicorn.Config(
        app,
        http=timeouts.patient(most_waiting=min(timeouts.MOST_WAITING, files // 8)),
        limit_concurrency=min(timeouts.MOST, files // 4),
        backlog=files // 4,
        log_config=None,
        server_header=False,
        forwarded_allow_ips=believed(web.trusted_proxies),
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


class _Server(uvicorn.Server):
    """A web server that tells the lap to end as soon as it is told itself."""

    def __init__(self, config: uvicorn.Config, stop: threading.Event) -> None:
        super().__init__(config)
        self._stop = stop

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal."""
        self._stop.set()
        super().handle_exit(sig, frame)


def send_sign_in(installation: Installation, message: Message) -> None:
    """Hand over a mail with a link. Raises as a `Channel` does, and where there is none."""
    if installation.channel is None:
        raise MailUnavailable(
            "there is no mail server to send sign-in links with.",
            where="config.toml: email",
            remedy="Write [email] with host and from.",
        )
    installation.channel.prepare(message).send()


def _tell_fault(done: Future[None]) -> None:
    """The worker goes on with the next lap after a fault of ours; somebody has to hear of it."""
    if not done.cancelled() and (fault := done.exception()) is not None:
        log.error("a fault of Afterword itself; please report it with what stands here", exc_info=fault)


def _log_failures(report: Report) -> None:
    for name, errors in report.failures.items():
        for error in errors:
            log.error("a connection failed", crm=name, what=error.what, where=error.where, remedy=error.remedy)


def _log_report(report: Report) -> None:
    _log_failures(report)
    if report.mail_error is not None:
        log.error("mail could not be sent", what=report.mail_error.what, remedy=report.mail_error.remedy)
    written = {
        name: {"created": counts.created, "updated": counts.updated, "refused": counts.refused}
        for name, counts in report.written.items()
    }
    log.info(
        "lap",
        exit=report.exit_code,
        invited=report.invited,
        sent=report.sent,
        left_due=report.left_due,
        responses=report.responses,
        follow_ups=report.follow_ups,
        written=written,
        took_s=round(report.took_s, 2),
    )
