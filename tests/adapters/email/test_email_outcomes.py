"""How an attempt ended is known exactly: refused, certainly not sent, or in doubt."""

from dataclasses import replace

import pytest
from mail_servers import SCRIPT, Broken, Sink, broken_server, message, smtp_server

from adapters.email.timeouts import PATIENT, Timeouts
from connector.errors import (
    MailboxRefused,
    MailInDoubt,
    MailThrottled,
    MailUnavailable,
    MessageRefused,
    MessageTooLarge,
)

TO = "maria@customer.example"


def broken(**changes):
    return Broken(SCRIPT | {name.replace("dot", "."): reply for name, reply in changes.items()})


@pytest.mark.parametrize(
    "reply",
    [
        "550 5.1.1 No such user",
        "550 No such user here",
        "551 User not local",
        "553 5.1.3 Bad syntax",
        "554 5.1.1 unknown",
    ],
)
def test_an_address_that_the_server_refuses_for_good(make, reply):
    sink = Sink(refuse_rcpt={TO: reply})
    with smtp_server(sink) as port:
        channel = make(port)
        with pytest.raises(MailboxRefused) as refused:
            channel.prepare(message()).send()
        channel.prepare(message(to="other@customer.example")).send()

    assert refused.value.permanent
    assert reply in str(refused.value)
    assert len(sink.arrived) == 1


@pytest.mark.parametrize(
    "reply",
    [
        "550 5.7.1 Relaying denied",
        "554 relay access denied",
        "530 5.7.0 Authentication required",
        "503 bad",
        "552 5.2.2 Mailbox full",
    ],
)
def test_a_refusal_because_of_us_never_marks_the_persons_address(make, reply):
    with smtp_server(Sink(refuse_rcpt={TO: reply})) as port, pytest.raises(MailUnavailable) as error:
        make(port).prepare(message()).send()

    assert not error.value.permanent


@pytest.mark.parametrize(
    ("reply", "of_one"), [("450 4.2.0 Greylisted", True), ("451 try later", True), ("421 4.3.2 closing", False)]
)
def test_a_passing_refusal_of_the_recipient_was_certainly_not_sent(make, reply, of_one):
    with smtp_server(Sink(refuse_rcpt={TO: reply})) as port, pytest.raises(MailUnavailable) as error:
        make(port).prepare(message()).send()

    assert not error.value.permanent
    assert isinstance(error.value, MessageRefused) is of_one


@pytest.mark.parametrize(("reply", "permanent"), [("554 5.7.1 spam", True), ("550 no", True), ("452 full", False)])
def test_a_message_that_is_refused_after_it_was_read_was_not_sent(make, reply, permanent):
    with smtp_server(Sink(refuse_data=reply)) as port, pytest.raises(MailUnavailable) as error:
        make(port).prepare(message()).send()

    assert error.value.permanent is permanent
    assert reply in error.value.what


@pytest.mark.parametrize(
    ("reply", "is_too_large"),
    [
        ("552 5.3.4 Message size exceeds fixed limit", True),
        ("552 5.2.3 Your message exceeded Google's message size limits.", True),
        ("523 the message length exceeds administrative limit 5.2.3", True),
        ("552 Error: message too large", True),
        ("550 5.7.1 spam", False),
        ("552 5.2.2 Mailbox full", False),
    ],
)
def test_a_message_that_is_too_large_is_told_from_others(make, reply, is_too_large):
    with smtp_server(Sink(refuse_data=reply)) as port, pytest.raises(MessageRefused) as error:
        make(port).prepare(message()).send()

    assert isinstance(error.value, MessageTooLarge) is is_too_large


def test_nobody_listens(make):
    with smtp_server(Sink()) as port:
        pass
    with pytest.raises(MailUnavailable):
        make(port).prepare(message()).send()


@pytest.mark.parametrize("stage", ["EHLO", "MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("reply", [None, b"421 closing\r\n", b"451 later\r\n"])
def test_before_the_data_nothing_was_sent(make, stage, reply):
    server = broken(**{stage: reply} | ({"HELO": reply} if stage == "EHLO" else {}))
    with broken_server(server) as port, pytest.raises(MailUnavailable):
        make(port).prepare(message()).send()

    assert server.dots == 0


def test_hanging_up_instead_of_a_greeting(make):
    with broken_server(Broken(dict(SCRIPT), greeting=None)) as port, pytest.raises(MailUnavailable):
        make(port).prepare(message()).send()


def test_hanging_up_in_the_middle_of_the_message_was_certainly_not_sent(make):
    server = broken(body=b"")
    with broken_server(server) as port, pytest.raises(MailUnavailable):
        # More than the buffers between us hold, so that the server is gone before the end is written.
        make(port).prepare(message(text="a long line of text\n" * 1_500_000)).send()

    assert server.dots == 0


def test_hanging_up_after_the_final_dot_is_in_doubt(make):
    server = broken(dot=None)
    with broken_server(server) as port, pytest.raises(MailInDoubt):
        make(port).prepare(message()).send()

    assert server.dots == 1


def test_an_answer_that_cannot_be_read_after_the_final_dot_is_in_doubt(make):
    server = broken(dot=b"\x00" * 9000)
    with broken_server(server) as port, pytest.raises(MailInDoubt):
        make(port).prepare(message()).send()


@pytest.mark.parametrize("reply", [b"hello there\r\n", b"354 go on\r\n"])
def test_words_after_the_final_dot_that_are_no_answer_to_it_are_in_doubt(make, reply):
    with broken_server(broken(dot=reply)) as port, pytest.raises(MailInDoubt):
        make(port).prepare(message()).send()


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "dot"])
def test_after_a_failure_the_next_message_gets_a_connection_of_its_own(make, stage):
    server = broken(**{stage: None})
    with broken_server(server) as port:
        channel = make(port)
        with pytest.raises((MailUnavailable, MailInDoubt)):
            channel.prepare(message()).send()
        server.script = dict(SCRIPT)
        channel.prepare(message(message_id="m2@acme.example")).send()

    assert server.seen.count("EHLO") == 2
    assert server.seen[-2:] == ["DATA", "QUIT"] or server.seen[-1] == "DATA"


SHORT = Timeouts(connection=1, greeting=0.2, command=0.2, data=0.2, block=0.2, final_dot=0.2)


@pytest.fixture
def impatient():
    """Make channels that wait as long as they are told."""

    def build(make, port, **seconds):
        channel = make(port)
        channel.timeouts = replace(SHORT, **seconds)
        return channel

    return build


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
def test_a_server_that_goes_silent_is_given_up(make, impatient, stage):
    with broken_server(broken(**{stage: b""})) as port, pytest.raises(MailUnavailable, match="timed out"):
        impatient(make, port).prepare(message()).send()


def test_a_server_that_is_silent_from_the_start_is_given_up(make, impatient):
    with broken_server(Broken(dict(SCRIPT), greeting=b"")) as port, pytest.raises(MailUnavailable, match="timed out"):
        impatient(make, port).prepare(message()).send()


def test_a_server_that_goes_silent_after_the_final_dot_leaves_the_message_in_doubt(make, impatient):
    with broken_server(broken(dot=b"")) as port, pytest.raises(MailInDoubt, match="timed out"):
        impatient(make, port).prepare(message()).send()


@pytest.mark.parametrize(("stage", "step"), [("MAIL", "command"), ("DATA", "data"), (".", "final_dot")])
def test_each_step_has_a_patience_of_its_own(make, impatient, stage, step):
    server = broken()
    server.slow = {stage: 0.5}
    with broken_server(server) as port:
        impatient(make, port, **{step: 10}).prepare(message()).send()

    assert server.dots == 1


def test_a_server_may_take_ten_minutes_over_the_final_dot():
    """RFC 5321 §4.5.3.2."""
    assert Timeouts(connection=20, greeting=300, command=300, data=120, block=180, final_dot=600) == PATIENT


def test_check_does_not_keep_anybody_waiting(make, monkeypatch):
    monkeypatch.setattr("adapters.email.smtp.PROMPT", SHORT)
    with broken_server(broken(MAIL=b"")) as port:
        channel = make(port)
        (problem,) = channel.check()

    assert "timed out" in problem.what
    assert channel.timeouts == PATIENT


TOO_FAST = b"432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded\r\n"


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "dot"])
@pytest.mark.parametrize(
    "reply",
    [TOO_FAST, b"421 4.3.2 Service not active, too many connections\r\n", b"421 4.7.28 unusual rate of mail\r\n"],
)
def test_a_server_that_asks_us_to_be_slower(make, stage, reply):
    with broken_server(broken(**{stage: reply})) as port, pytest.raises(MailThrottled) as error:
        make(port).prepare(message()).send()

    assert "next lap" in error.value.remedy


def test_a_greeting_that_asks_us_to_be_slower(make):
    server = Broken(dict(SCRIPT), greeting=b"421 4.3.2 Too many concurrent connections\r\n")
    with broken_server(server) as port, pytest.raises(MailThrottled):
        make(port).prepare(message()).send()


def test_a_recipient_who_gets_too_much_mail_is_not_our_haste(make):
    words = "450 4.2.1 The user you are trying to contact is receiving mail too quickly"
    with smtp_server(Sink(refuse_rcpt={TO: words})) as port, pytest.raises(MessageRefused):
        make(port).prepare(message()).send()
