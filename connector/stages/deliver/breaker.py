"""The breaker of mail: what holds back everything that is sent in a lap, to customers and to our own people alike."""

from datetime import datetime, timedelta
from typing import Final

from connector.errors import MailInDoubt, MailThrottled, MailUnavailable, MessageRefused
from connector.model import storable_text
from connector.store import Transaction
from connector.store.surveys import mail_trouble

IN_A_ROW: Final = 3
"""So many messages refused or in doubt one after the other, and the server means us, not them."""
LAST_MESSAGES: Final = 20
"""So many messages tell whether mailboxes are refused more often than customers can be gone."""
MARKS_OF: Final = timedelta(days=2)
"""Reports that mail has come back are compared with the mail of this while: most come within minutes, some after a day of trying."""
_FEWEST_MESSAGES: Final = 5


class Breaker:
    """Counts messages that did not go through one after the other, and stops the sending of one lap.

    What it knows outlives the lap in the store, so that `check` and `status` can tell it; the next lap tries again.
    """

    def __init__(self) -> None:
        self.error: MailUnavailable | MailInDoubt | None = None
        """Why nothing more is sent in this lap."""
        self.only_slow = False
        """Whether the sending ended because the server, after it had taken some, asked us to be slower: nothing is wrong then."""
        self.went_through = False
        """Whether a message was sent in this lap."""
        self._row: list[MailUnavailable | MailInDoubt] = []

    @property
    def server_is_away(self) -> bool:
        """Whether nothing can go out to anybody. Where one message after the other was refused, mail to others may still be taken."""
        return self.error is not None and not isinstance(self.error, MessageRefused)

    @property
    def trouble(self) -> MailUnavailable | MailInDoubt | None:
        """Why the lap sent nothing, or stopped sending, where somebody should look after it."""
        if self.only_slow:
            return None
        return self.error or (None if self.went_through else self.last)

    @property
    def last(self) -> MailUnavailable | MailInDoubt | None:
        """What the last message met, if no message went through after it."""
        return self._row[-1] if self._row else None

    def sent(self, tx: Transaction) -> None:
        """A message went through: the server takes our mail."""
        self._row.clear()
        self.went_through = True
        mail_trouble.forget(tx)

    def failed(self, tx: Transaction, error: MailUnavailable | MailInDoubt, now: datetime) -> None:
        """A message did not go through, for a reason that is about us or about the server."""
        self._row.append(error)
        # A server that is down is not asked again in this lap; one that refuses one message may take the next.
        of_one = isinstance(error, MessageRefused | MailInDoubt)
        if not of_one or len(self._row) >= IN_A_ROW:
            self.error = error
        # To be asked for patience after some were taken is how a server with a limit works: the next laps go on.
        self.only_slow = isinstance(error, MailThrottled) and self.went_through
        mail_trouble.note(tx, error, now, stops=self.error is not None and not self.only_slow)


def doubtful(refused: int, of: int) -> bool:
    """Whether so many of the last messages were refused for the sake of their mailbox that it is more likely our fault."""
    return of >= _FEWEST_MESSAGES and 2 * refused > of


def frequent(marked: int, taken: int) -> bool:
    """Whether so many people were marked in a while that the mail of that while does not explain it.

    Of a first mail to old addresses one in twenty may well come back, and within minutes. Providers stop a sender at one in ten:
    https://docs.aws.amazon.com/ses/latest/dg/reputationdashboard-bounce.html
    """
    return 10 * marked > taken


def too_many(refused: int, of: int, last: str, now: datetime) -> mail_trouble.Stopped:
    """Return why nothing is sent to customers any more; `last` is what was said of the last address."""
    what = (
        f"{refused} of the last {of} addresses were refused as if their mailbox did not exist, so nobody else is marked and "
        f"nothing more is sent to customers until you have looked. The last one: {last}"
    )
    remedy = (
        "`afterword bounces list` shows them. Where the addresses are wrong, correct them in the CRM, then `afterword resume`. Where "
        "they are right, the mail server is at fault: mend it, then take the marks off with `afterword bounces lift --since TIME`."
    )
    return mail_trouble.Stopped(storable_text(what), remedy, now, refused, of, storable_text(last))
