"""Whatever a library raises, and wherever: until the final dot nothing was sent, after it the message is in doubt, and no error of
somebody else's leaves the channel."""

import smtplib
import ssl

import pytest
import requests
import responses
from mail_servers import SCRIPT, Broken, Sink, broken_server, message, smtp_server

from connector.errors import MailboxRefused, MailError, MailInDoubt, MailUnavailable

ERRORS = [
    ValueError("secret"),
    UnicodeError("secret"),
    TypeError("secret"),
    OverflowError("secret"),
    OSError("no route"),
    RecursionError("secret"),
    AttributeError("secret"),
    KeyError("secret"),
]
BEFORE = {
    "connect": (smtplib.SMTP, "connect"),
    "resolve": ("socket", "getaddrinfo"),
    "greet": (smtplib.SMTP, "ehlo_or_helo_if_needed"),
    "command": (smtplib.SMTP, "putcmd"),
    "answer": (smtplib.SMTP, "getreply"),
    "sign in": (smtplib.SMTP, "login"),
    "date": ("adapters.email.mime", "format_datetime"),
    "base64": ("base64", "encodebytes"),
    "quote": ("binascii", "b2a_qp"),
}
OAUTH = {"token_url": "https://login.example/token", "client_id": "app", "client_secret": "hush"}


def raises(error):
    def call(*args, **kwargs):
        raise error

    return call


def fail(monkeypatch, place, error):
    target, name = place
    if isinstance(target, str):
        monkeypatch.setattr(f"{target}.{name}", raises(error))
    else:
        monkeypatch.setattr(target, name, raises(error))


@pytest.fixture
def login(make):
    def build(port):
        return make(port, username="care", password="right")

    return build


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("place", BEFORE)
def test_until_the_final_dot_every_failure_is_not_sent(login, monkeypatch, place, error):
    sink = Sink()
    with smtp_server(sink, authenticator=sink.authenticate, auth_require_tls=False) as port:
        channel = login(port)
        with monkeypatch.context() as broken:
            fail(broken, BEFORE[place], error)
            with pytest.raises(MailUnavailable) as caught:
                channel.prepare(message()).send()
            list(channel.check())  # tells, and raises nothing
        channel.prepare(message()).send()  # the next message fares better

    assert "secret" not in str(caught.value)
    assert len(sink.arrived) == 1


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_failure_while_the_text_is_handed_over_is_not_sent(make, monkeypatch, error):
    sink = Sink()
    with smtp_server(sink) as port, pytest.raises(MailUnavailable):
        channel = make(port)
        monkeypatch.setattr(type(channel), "_transmit", raises(error))
        channel.prepare(message()).send()

    assert sink.arrived == []


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_tls_that_cannot_be_set_up_is_not_sent(make, monkeypatch, error):
    monkeypatch.setattr(ssl, "create_default_context", raises(error))
    with broken_server(Broken(dict(SCRIPT))) as port:
        for security in ("tls", "starttls"):
            with pytest.raises(MailUnavailable):
                make(port, security=security).prepare(message()).send()


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("call", ["send", "getreply"])
def test_from_the_final_dot_on_every_failure_is_in_doubt(make, monkeypatch, call, error):
    with smtp_server(Sink()) as port:
        channel = make(port)
        transmit = type(channel)._transmit

        def then_fail(self, server, data):
            transmit(self, server, data)
            monkeypatch.setattr(server, call, raises(error))

        monkeypatch.setattr(type(channel), "_transmit", then_fail)
        with pytest.raises(MailInDoubt) as caught:
            channel.prepare(message()).send()
        monkeypatch.setattr(type(channel), "_transmit", transmit)
        channel.prepare(message()).send()

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("name", ["post", "json"])
def test_a_token_that_cannot_be_asked_for_is_not_sent(make, monkeypatch, name, error):
    with responses.RequestsMock(assert_all_requests_are_fired=False) as answers, broken_server(XOAUTH) as port:
        answers.post(OAUTH["token_url"], json={"access_token": "t"})
        target = requests.Session if name == "post" else requests.Response
        monkeypatch.setattr(target, name, raises(error))
        with pytest.raises(MailUnavailable, match="no token"):
            make(port, username="care@acme.example", oauth=OAUTH).prepare(message()).send()


XOAUTH = Broken(SCRIPT | {"EHLO": b"250-test\r\n250 AUTH XOAUTH2\r\n", "AUTH": b"235 welcome\r\n"})


@responses.activate
@pytest.mark.parametrize("expires_in", [None, "soon", "NaN", 1e308, -1, [], {}, "3600"])
def test_whatever_is_said_of_its_end_a_token_is_used(make, expires_in):
    responses.post(OAUTH["token_url"], json={"access_token": "token1", "expires_in": expires_in})
    with broken_server(XOAUTH) as port:
        channel = make(port, username="care@acme.example", oauth=OAUTH)
        channel.prepare(message()).send()
        channel.close()
        channel.prepare(message()).send()


@responses.activate
@pytest.mark.parametrize("token", [None, "", 5, "tökén", "a\r\nb", "a\u200bb", ["x"]])
def test_what_cannot_be_a_token_is_told_as_none(make, token):
    responses.post(OAUTH["token_url"], json={"access_token": token})
    with broken_server(XOAUTH) as port, pytest.raises(MailUnavailable, match="no token"):
        make(port, username="care@acme.example", oauth=OAUTH).prepare(message()).send()


def test_a_letter_outside_ascii_in_the_password_is_told_without_it(make):
    sink = Sink()
    with smtp_server(sink, authenticator=sink.authenticate, auth_require_tls=False) as port:
        channel = make(port, username="care", password="geheimä")
        [problem] = channel.check()
        with pytest.raises(MailUnavailable, match="not in ASCII") as caught:
            channel.prepare(message()).send()

    assert "password" in problem.what
    assert "ä" not in str(caught.value)


@pytest.mark.parametrize("host", ["smtp..acme.example", "x" * 70 + ".example", "größe.example"])
def test_a_host_that_cannot_be_looked_up_is_told(make, host):
    channel = make(25, host=host)
    assert len(list(channel.check())) == 1
    with pytest.raises(MailUnavailable):
        channel.prepare(message()).send()


@pytest.mark.parametrize("to", ["", "@", "a@", "@b", "a@b..c", "a\x00@b.example", "a@\ud800.example", "a@" + "x" * 300])
def test_an_address_of_any_kind_raises_errors_of_ours_alone(make, to):
    with smtp_server(Sink()) as port, pytest.raises((MailboxRefused, MailError)):
        make(port).prepare(message(to=to)).send()


@pytest.mark.parametrize(
    "said",
    ["x" * 480 + " right-5Aep", "right-5Aep", "AGNhcmUAcmlnaHQtNUFlcA==", "cmlnaHQtNUFlcA=="],
    ids=["at the cut", "plain", "as PLAIN sends it", "as LOGIN sends it"],
)
@pytest.mark.parametrize("command", ["AUTH", "MAIL", "RCPT", "."])
def test_no_reply_is_told_with_the_password_or_a_piece_of_it(make, command, said):
    offered = {"EHLO": b"250-test\r\n250 AUTH PLAIN\r\n", "AUTH": b"235 welcome\r\n"}
    refused = {command: f"550 no {said}\r\n".encode()}
    with broken_server(Broken(SCRIPT | offered | refused)) as port, pytest.raises(MailError) as caught:
        make(port, username="care", password="right-5Aep").prepare(message()).send()

    assert not [piece for piece in ("righ", "AGNh", "cmln") if piece in str(caught.value)]


def test_a_reply_without_end_is_told_in_short(make):
    refused = {"MAIL": b"".join(b"550-" + b"x" * 70 + b"\r\n" for _ in range(100)) + b"550 no\r\n"}
    with broken_server(Broken(SCRIPT | refused)) as port, pytest.raises(MailUnavailable) as caught:
        make(port).prepare(message()).send()

    assert len(caught.value.what) < 600
