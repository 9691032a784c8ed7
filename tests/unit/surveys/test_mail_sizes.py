"""Mails are no larger than what mail programs show and mail servers take."""

from datetime import UTC, datetime

from adapters.email.config import EmailConfig
from adapters.email.mime import mime
from connector.model import Attachment
from connector.ports.mail import Message
from connector.sentences.catalogue import catalogue
from connector.sentences.content import Link
from connector.stages.alerts.mail import MOST_ITEMS
from connector.stages.reports.stage import LARGEST, XLSX
from connector.surveys.staff_mail import MailItem, MailSection, StaffMail, staff_message
from connector.surveys.survey_mail import Site

SITE = Site("https://feedback.acme.example", "Acme Care", "care@acme.example")
LINK = Link("Reached, not solved yet", f"https://feedback.acme.example/f/{'x' * 80}?outcome=not_solved_yet")
GMAIL_SHOWS = 102 * 1024
POSTFIX_TAKES = 10_240_000


def test_a_full_digest_is_shown_whole_by_gmail() -> None:
    item = MailItem(
        task="Call Maria Virtanen by Tue 17:00",
        headline='Maria Virtanen: 1 of 5, very dissatisfied, case 00123 "It does not start", since 16 Nov 2026',
        account="Northwind",
        quotes=("It has been broken for a week, and nobody calls me back. " * 5,),
        action="Ritva Laine calls by 17 Nov 17:00.",
        phone="+358 40 123",
        links=(LINK,) * 4,
        outcomes=(LINK,) * 4,
    )
    mail = StaffMail(
        "ritva@acme.example", "Ritva", "subject", [MailSection("New answers", (item,) * MOST_ITEMS)], "why"
    )
    message = staff_message(mail, words=catalogue("en"), site=SITE, message_id="m1@acme.example")
    assert len(message.html.encode()) < GMAIL_SHOWS


def test_the_largest_workbook_passes_a_mail_server_that_is_set_up_as_it_comes() -> None:
    config = EmailConfig("localhost", 25, "none", "Acme Care", "care@acme.example")
    workbook = Attachment("afterword-2026-11.xlsx", bytes(LARGEST), XLSX)
    message = Message("cx@acme.example", "Report", "text", "<p>html</p>", "m1@acme.example", attachments=(workbook,))
    mail = mime(message, config=config, now=datetime(2026, 12, 1, tzinfo=UTC))
    assert LARGEST < len(mail.payload) < POSTFIX_TAKES - 2 * GMAIL_SHOWS, "its texts have room too"
