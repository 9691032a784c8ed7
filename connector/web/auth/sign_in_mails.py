"""The mails with sign-in links, sent off the threads that serve pages, whatever the mail server does meanwhile."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from connector.errors import AfterwordError, MailInDoubt
from connector.ports import Clock
from connector.ports.mail import Message
from connector.store import Store, new_id
from connector.store.ops import sign_ins
from connector.store.ops.sign_ins import SignInRequest
from connector.surveys.survey_mail import Site, sign_in_later_message, sign_in_message
from connector.surveys.tokens import Tokens
from connector.web.auth.user_check import Checked, UserVerdict

MINUTES: Final = int(sign_ins.LINK_LIFE.total_seconds() // 60)
"""How long a link can be used."""
FIRST_WAIT: Final = timedelta(seconds=10)
"""After a mail that could not go out; twice as long after each further one."""
LONGEST_WAIT: Final = timedelta(minutes=5)

log = structlog.get_logger("afterword")


@dataclass(frozen=True, slots=True)
class MailParts:
    """What the mails are made of, and sent with."""

    store: Store
    clock: Clock
    tokens: Tokens
    site: Site
    send: Callable[[Message], None]
    """Hands a mail over; raises as a `Channel` does."""
    check: Callable[[str], Checked] = lambda _email: Checked(UserVerdict.USER)
    """Tells whether an address, which was an active user's when users were last read, still is. It may ask the CRM, in bounded time."""


class SignInMails:
    """Sends what waits in the queue of sign-in mails, one mail after the other."""

    def __init__(self, parts: MailParts) -> None:
        self._parts = parts
        self._sender = _OneAtATime("sign-in-mails", self._send_due)
        # On a thread of its own: while a mail server takes its time, what is nobody's must not fill the queue.
        self._sifter = _OneAtATime("sign-in-queue", self._drop_needless)
        self._ended = threading.Event()

    def wake(self) -> None:
        """Look at the queue; returns at once."""
        self._sifter.ask_for()
        self._sender.ask_for()

    def close(self) -> None:
        """Send nothing more, once the mail under way is gone."""
        self._ended.set()
        self._sifter.close()
        self._sender.close()

    def _drop_needless(self) -> None:
        parts = self._parts
        with parts.store.write() as tx:
            sign_ins.drop_needless(tx, parts.clock.now())

    def _send_due(self) -> None:
        """Send until nothing is due; a mail server that takes nothing ends it."""
        parts = self._parts
        while not self._ended.is_set():
            with parts.store.write() as tx:
                asked = sign_ins.take_next(tx, parts.clock.now())
            if asked is None or not self._answer(asked):
                return

    def _answer(self, asked: SignInRequest) -> bool:
        """Send what somebody gets who has asked for a link; False where no mail can go out now."""
        checked = self._parts.check(asked.email)
        if checked.verdict is UserVerdict.NO_USER:
            with self._parts.store.write() as tx:
                sign_ins.sent(tx, asked.nonce, sign_ins.DROPPED)
            return True
        if checked.verdict is UserVerdict.NOT_ASKED:
            return self._send(asked, self._not_asked(asked, checked), sign_ins.NOT_ASKED)
        return self._send(asked, self._message(asked), sign_ins.SENT)

    def _send(self, asked: SignInRequest, message: Message, state: str) -> bool:
        """Hand one mail over; False where none can go out now."""
        try:
            self._parts.send(message)
        except MailInDoubt:
            state = sign_ins.IN_DOUBT
        except AfterwordError as failure:
            if not failure.permanent:
                self._wait(asked, failure)
                return False
            state = sign_ins.REFUSED
        with self._parts.store.write() as tx:
            sign_ins.sent(tx, asked.nonce, state)
        return True

    def _wait(self, asked: SignInRequest, failure: AfterwordError) -> None:
        log.error("a sign-in mail could not be sent", what=failure.what, remedy=failure.remedy)
        again_at = self._parts.clock.now() + min(FIRST_WAIT * 2**asked.attempts, LONGEST_WAIT)
        with self._parts.store.write() as tx:
            sign_ins.not_sent(tx, asked.nonce, again_at=again_at)

    def _message(self, asked: SignInRequest) -> Message:
        site = self._parts.site
        token = self._parts.tokens.sign_in(asked.nonce)
        link = f"{site.public_url.rstrip('/')}/sign-in/{token}?account={asked.account_id}"
        message_id = site.message_id(f"sign-in-{new_id()}")
        return sign_in_message(asked.email, site=site, link=link, minutes=MINUTES, message_id=message_id)

    def _not_asked(self, asked: SignInRequest, checked: Checked) -> Message:
        site = self._parts.site
        message_id = site.message_id(f"sign-in-{new_id()}")
        return sign_in_later_message(asked.email, site=site, read_at=checked.read_at, message_id=message_id)


class _OneAtATime:
    """Does one thing on a thread of its own, again for what came up meanwhile, and never more than once at a time."""

    def __init__(self, name: str, what: Callable[[], None]) -> None:
        self._what = what
        self._lock = threading.Lock()
        self._waits = False
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._ended = False

    def ask_for(self) -> None:
        with self._lock:
            if self._waits or self._ended:
                return
            self._waits = True
            self._worker.submit(self._begin).add_done_callback(_tell_fault)

    def _begin(self) -> None:
        # Before the store is read: what comes in meanwhile needs one more.
        with self._lock:
            self._waits = False
        self._what()

    def close(self) -> None:
        with self._lock:
            self._ended = True
        self._worker.shutdown(cancel_futures=True)


def _tell_fault(done: Future[None]) -> None:
    if not done.cancelled() and (fault := done.exception()) is not None:
        log.error("sign-in mails came to an end", exc_info=fault)
