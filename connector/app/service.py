"""`run`: the jobs on a schedule and the web application, in one process.

SIGTERM ends the jobs at their next page and the web server after the answers under way; a job that hangs in a call is left, as if the
machine had been switched off.
"""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from types import FrameType

import structlog
import uvicorn
from starlette.types import ASGIApp

from connector.app.jobs import JobEngine
from connector.errors import AfterwordError, MailUnavailable
from connector.model import NotedResult
from connector.ports.mail import Message
from connector.settings import Web
from connector.stages.follow_up.outcome_links import note_by_link
from connector.stages.follow_up.states import OutcomeNoted
from connector.stages.installation import Installation
from connector.store.results import follow_ups
from connector.surveys.tokens import Tokens
from connector.web.app import create_app
from connector.web.auth.sign_in_mails import MailParts, SignInMails
from connector.web.auth.user_check import UserCheck
from connector.web.parts import SubmittedOutcome, WebParts
from connector.web.server import slow_clients
from connector.web.server.client import believed
from connector.web.server.file_limit import raise_file_limit

MAILS = timedelta(seconds=10)
"""Between two looks at the queue of sign-in mails that nobody has asked for."""
GRACE_SECONDS = 4
"""For the answers under way, once we are told to end."""
LAP_SECONDS = 4
"""For the jobs, after that."""
log = structlog.get_logger("afterword")


class Service:
    """The jobs of one installation, and its sign-in mails."""

    def __init__(self, installation: Installation, mails: SignInMails | None = None) -> None:
        self.installation = installation
        self.engine = JobEngine(installation)
        self._mails = mails

    def start(self) -> None:
        """Begin."""
        if self._mails is not None:
            # What is asked for here is sent at once; what another process was asked for, or could not be sent, waits for this.
            self.engine.scheduler.add_job(self._mails.wake, "interval", seconds=MAILS.total_seconds())
        self.engine.start()

    def stop(self, within: float | None = None) -> bool:
        """End the jobs under way at their next page, and begin no other; False when that took longer than so many seconds."""
        self.installation.stop.set()
        ending = threading.Thread(target=self._end, name="ending", daemon=True)
        ending.start()
        ending.join(within)
        return not ending.is_alive()

    def _end(self) -> None:
        self.engine.stop()
        if self._mails is not None:
            self._mails.close()


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
        with installation.store.read() as tx:
            known = follow_ups.find(tx, follow_up_id)
        if known is not None:
            on_answer(known.customer)
    return result


def serve(installation: Installation, server: socket.socket) -> None:
    """Run until SIGTERM or Ctrl-C, with the web application at a socket that listens already."""
    mails = sign_in_mails(installation)
    service = Service(installation, mails=mails)
    app = create_app(web_parts(installation, service.engine.answered, service.engine.trouble, mails.wake))
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
        http=slow_clients.patient(most_waiting=min(slow_clients.MOST_WAITING, files // 8)),
        limit_concurrency=min(slow_clients.MOST, files // 4),
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
