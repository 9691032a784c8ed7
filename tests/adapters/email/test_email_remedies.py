"""What is known about a refusal is said with what to do about it."""

import pytest
from mail_servers import SCRIPT, Broken, Sink, broken_server, message, smtp_server

from connector.errors import MailUnavailable


@pytest.mark.parametrize(
    ("reply", "remedy"),
    [
        ("550 5.7.30 Basic authentication is not supported for Client Submission.", "email.oauth"),
        ("550 5.7.30 No more", "Microsoft has switched off"),
        ("530 5.7.57 Client not authenticated to send mail", "email.username"),
        (
            "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
            "send as the address in email.from",
        ),
        ("554 5.2.252 SendAsDenied; crm@acme.example not allowed to send as care@acme.example", "send as the address"),
        ("550 5.7.26 This mail is unauthenticated: SPF did not pass", "SPF, DKIM and DMARC"),
        (
            "550 5.7.515 Access denied, sending domain acme.example does not meet the required level",
            "SPF, DKIM and DMARC",
        ),
        ("550 5.4.5 Daily user sending limit exceeded. - gsmtp", "sending limit"),
        ("550 Domain acme.example has exceeded the max emails per hour (500/500 (100%)) allowed", "sending limit"),
        ("550 5.1.8 Sender address rejected: Domain not found", "email.from"),
        ("554 5.7.1 Relay access denied", "signed in"),
        ("504 5.5.2 <crm01>: Helo command rejected: need fully-qualified hostname", "email.ehlo_name"),
        ("554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", "blocklist"),
        ("451 4.7.1 Greylisted, please try again later", "the next laps do"),
        ("550 5.9.9 something else", "server's log"),
    ],
)
def test_a_refusal_that_is_known_comes_with_its_remedy(make, reply: str, remedy: str) -> None:
    sink = Sink(refuse_rcpt={"maria@customer.example": reply})
    with smtp_server(sink) as port, pytest.raises(MailUnavailable) as refused:
        make(port).prepare(message()).send()
    assert reply in refused.value.what
    assert remedy in refused.value.remedy


@pytest.mark.parametrize(
    ("reply", "remedy"),
    [
        (
            b"535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.",
            "Authenticated SMTP",
        ),
        (b"535 5.7.3 Authentication unsuccessful", "allows Authenticated SMTP"),
        (b"550 5.7.30 Basic authentication is not supported for Client Submission.", "Microsoft has switched off"),
        (b"550 5.7.30 No more", "Microsoft has switched off"),
        (b"535 5.7.8 Username and Password not accepted. - gsmtp", "app password"),
        (b"534 5.7.9 Application-specific password required. - gsmtp", "app password"),
        (b"535 no", "Check email.username"),
    ],
)
def test_a_refused_login_that_is_known_comes_with_its_remedy(make, reply: bytes, remedy: str) -> None:
    script = {**SCRIPT, "EHLO": b"250-test\r\n250 AUTH PLAIN\r\n", "AUTH": reply + b"\r\n"}
    with broken_server(Broken(script)) as port:
        [problem] = make(port, username="care@acme.example", password="x").check()
    assert reply.decode() in problem.what
    assert remedy in problem.remedy
