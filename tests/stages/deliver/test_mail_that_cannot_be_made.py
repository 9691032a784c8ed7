"""A message that cannot be made was never tried: nothing is in doubt, and the next lap makes it again."""

from collections.abc import Callable, Iterator

import pytest
from asking import DAY, HOUR, Mailbox, World, attempts, lap, states

from adapters.email import EmailConfig, SmtpChannel
from connector.errors import MailboxRefused, MailUnavailable, MessageRefused

FOR_GOOD = MessageRefused("its header is not what it should be")
FOR_GOOD.permanent = True


class PowerCut(BaseException):
    """The process is gone: nothing catches this."""


@pytest.fixture
def by_smtp(here: World) -> Iterator[World]:
    """Mail goes out by SMTP, to a server that nobody has asked yet."""
    smtp = SmtpChannel(EmailConfig("localhost", 9, "none", "", "care@acme.example"), here.clock)
    here.case("c1")
    here.mailbox = smtp  # type: ignore[assignment]
    yield here
    smtp.close()


@pytest.mark.parametrize("trouble", [ValueError(), MailboxRefused("no address"), MailUnavailable("from is no address")])
def test_a_message_that_cannot_be_made_leaves_no_attempt(
    by_smtp: World, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    monkeypatch.setattr("adapters.email.mime.format_datetime", raises(trouble))
    assert lap(by_smtp).sent == 0
    assert attempts(by_smtp) == []
    assert lap(by_smtp).in_doubt == 0


def test_cut_off_while_the_message_is_made_nothing_is_in_doubt(by_smtp: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as cut:
        cut.setattr("adapters.email.mime.format_datetime", raises(PowerCut()))
        with pytest.raises(PowerCut):
            lap(by_smtp)
    by_smtp.mailbox = Mailbox()
    assert (lap(by_smtp).sent, attempts(by_smtp)) == (1, [("invitation", "sent")])


def test_an_address_that_nobody_can_write_to_is_marked_without_an_attempt(here: World) -> None:
    here.case("c1")
    here.mailbox.unmakeable = MailboxRefused("'maria' is not an e-mail address.")
    assert lap(here).bounced == 1
    assert (states(here), attempts(here)) == (["bounced"], [])


def test_a_message_that_cannot_be_made_is_tried_once_a_day(here: World) -> None:
    here.case("c1")
    here.mailbox.unmakeable = FOR_GOOD
    assert (lap(here).sent, states(here)) == (0, ["due"])
    here.mailbox.unmakeable = None
    here.clock.advance(DAY - HOUR)
    assert lap(here).sent == 0
    here.clock.advance(HOUR)
    assert lap(here).sent == 1


def raises(error: BaseException) -> Callable[..., str]:
    def call(*_: object) -> str:
        raise error

    return call
