"""Whom a refusal is about. The words are those of real servers; addresses and names in them are invented."""

import pytest
from mail_servers import Sink, message, smtp_server

from adapters.email.refused_party import is_about_mailbox
from connector.errors import MailboxRefused, MessageRefused

US = "care@acme.example"
TO = "maria@customer.example"

ABOUT_THE_MAILBOX = [
    # Postfix
    "550 5.1.1 <maria@customer.example>: Recipient address rejected: User unknown in local recipient table",
    "550 5.1.1 <maria@customer.example>: Recipient address rejected: User unknown in relay recipient table",
    "550 5.1.1 <maria@customer.example>: Recipient address rejected: User unknown in virtual mailbox table",
    "550 5.1.1 <maria@customer.example>: Recipient address rejected: undeliverable address: unknown user: maria",
    "550 5.1.2 <maria@customer.example>: Recipient address rejected: Domain not found",
    "556 5.1.10 <maria@customer.example>: Recipient address rejected: Domain customer.example does not accept mail (nullMX)",
    "501 5.1.3 Bad recipient address syntax",
    # Exchange and Exchange Online
    "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient maria@customer.example not found by SMTP address lookup",
    "550 5.1.1 RESOLVER.ADR.ExRecipNotFound; not found",
    "550 5.1.1 User unknown",
    "550 5.2.1 Mailbox cannot be accessed [AM0PR01.eurprd01.prod.exchangelabs.com]",
    # Google
    "550 5.1.1 The email account that you tried to reach does not exist. Please try double-checking the recipient's email "
    "address for typos or unnecessary spaces. For more information, go to https://support.google.com/mail/?p=NoSuchUser "
    "ffacd0b85a97d-38a1b3e5fa3si1234567f8f.123 - gsmtp",
    "550 5.2.1 The email account that you tried to reach is inactive. For more information, go to "
    "https://support.google.com/mail/?p=DisabledUser d2e1a72fcca58-724eb6a1c2fsi1.2 - gsmtp",
    # others
    "554 delivery error: dd This user doesn't have a yahoo.com account (maria@yahoo.com) [0] - mta1234.mail.bf1.yahoo.com",
    "550 sorry, no mailbox here by that name (#5.1.1)",
    "550 5.1.0 Address rejected: no such user",
    "550 5.0.0 <maria@customer.example>... User unknown",
    "550 5.1.6 Recipient no longer on server: maria@customer.example",
    "550 No such user here",
    "550 Unknown user",
    '550 unknown local-part "maria" in domain "customer.example"',
    "551 User not local",
    "550 Invalid recipient maria@customer.example",
    "550 The mailbox is disabled",
]
ABOUT_US = [
    # Postfix, at RCPT, against the sender
    "550 5.1.8 <care@acme.example>: Sender address rejected: Domain not found",
    "550 5.1.8 Sender address rejected: Domain not found",
    "550 5.1.7 <care@acme.example>: Sender address rejected: undeliverable address: no such user",
    "550 5.1.0 <care@acme.example>: Sender address rejected: User unknown in virtual mailbox table",
    "550 5.1.1 <care@acme.example>: Sender address rejected: User unknown in relay recipient table",
    "553 5.7.1 <care@acme.example>: Sender address rejected: not owned by user acme",
    "554 5.7.1 <maria@customer.example>: Relay access denied",
    "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
    "504 5.5.2 <crm01>: Helo command rejected: need fully-qualified hostname",
    "550 5.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]",
    # Exim and cPanel
    "550 Domain acme.example has exceeded the max emails per hour (500/500 (100%)) allowed. Message discarded.",
    "550-Verification failed for <care@acme.example>\r\n550-No Such User Here\r\n550 Sender verify failed",
    "550 Verification failed for <office@acme.example> No Such User Here Sender verify failed",
    "550 relay not permitted",
    "550 Please turn on SMTP Authentication in your mail client",
    "550 Administrative prohibition",
    "550 Unrouteable address",
    # Exchange Online
    "550 5.7.30 Basic authentication is not supported for Client Submission.",
    "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
    "554 5.2.252 SendAsDenied; crm@acme.example not allowed to send as care@acme.example",
    "550 5.7.708 Access denied, traffic not accepted from this IP",
    "550 5.7.705 Access denied, tenant has exceeded threshold",
    "550 5.7.515 Access denied, sending domain acme.example does not meet the required authentication level",
    "550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients",
    "550 5.7.511 Access denied, banned sender[192.0.2.1]",
    "550 5.4.1 Recipient address rejected: Access denied [AM7EUR06FT012.eop-eur06.prod.protection.outlook.com]",
    "530 5.7.57 Client not authenticated to send mail",
    # Google
    "550 5.4.5 Daily user sending limit exceeded. For more information on Gmail sending limits go to "
    "https://support.google.com/a/answer/166852 a640c23a62f3a-aa5e2c0d1f6sm1.2 - gsmtp",
    "550 5.7.26 Your email has been blocked because the sender is unauthenticated. - gsmtp",
    "550 5.7.1 Our system has detected that this message is likely unsolicited mail. - gsmtp",
    "550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages from being "
    "delivered. - gsmtp",
    "552 5.2.2 The email account that you tried to reach is over quota. - gsmtp",
    # and what is not clear
    "552 5.2.2 Mailbox full",
    "552 5.3.4 Message size exceeds fixed limit",
    "550 Requested action not taken: mailbox unavailable",
    "554 Transaction failed",
    "550 no",
    "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
    "550 4.2.1 mailbox is busy",
    "550 5.0.0 rejected",
    "550 host 5.1.1.2 is not wanted",
]


@pytest.mark.parametrize("words", ABOUT_THE_MAILBOX)
def test_a_reason_that_names_the_mailbox(words: str) -> None:
    assert is_about_mailbox(words, sender=US)


@pytest.mark.parametrize("words", ABOUT_US)
def test_any_other_reason_is_about_us(words: str) -> None:
    assert not is_about_mailbox(words, sender=US)


def test_what_names_our_own_address_is_about_it() -> None:
    assert not is_about_mailbox("550 5.1.1 <care@acme.example>: user unknown", sender=US)


@pytest.mark.parametrize("words", ABOUT_US)
def test_whoever_is_refused_for_a_reason_of_ours_is_tried_again(make, words: str) -> None:
    with smtp_server(Sink(refuse_rcpt={TO: words})) as port, pytest.raises(MessageRefused) as refused:
        make(port).prepare(message()).send()
    assert not refused.value.permanent
    assert refused.value.remedy


def test_a_mailbox_that_is_refused_after_the_message_was_read(make) -> None:
    words = "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup"
    with smtp_server(Sink(refuse_data=words)) as port, pytest.raises(MailboxRefused, match="RecipientNotFound"):
        make(port).prepare(message()).send()


@pytest.mark.parametrize("reply", ["450 5.1.1 unknown user", "450 4.2.0 Greylisted, please try again in 300 seconds"])
def test_what_passes_is_no_verdict(make, reply: str) -> None:
    with smtp_server(Sink(refuse_rcpt={TO: reply})) as port, pytest.raises(MessageRefused):
        make(port).prepare(message()).send()


@pytest.mark.parametrize("to", ["info@acme-limited.example", "policy@customer.example"])
def test_words_in_the_persons_own_address_say_nothing_about_us(make, to: str) -> None:
    words = f"550 5.1.1 <{to}>: Recipient address rejected: User unknown in local recipient table"
    with smtp_server(Sink(refuse_rcpt={to: words})) as port, pytest.raises(MailboxRefused):
        make(port).prepare(message(to=to)).send()


def test_our_own_address_is_known_though_the_persons_is_its_end() -> None:
    assert not is_about_mailbox("550 5.1.1 <care@acme.example>: user unknown", sender=US, recipient="are@acme.example")
