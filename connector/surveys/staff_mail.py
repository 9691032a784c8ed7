"""The mails to our own people about follow-ups: an alert about new answers, and a digest of a day."""

from collections.abc import Sequence
from dataclasses import dataclass

from connector.domain.greeting_names import without_links
from connector.ports.mail import Message
from connector.sentences.catalogue import Catalogue
from connector.sentences.content import Link
from connector.surveys.survey_mail import Site, html_of, one_line_subject, text_of


@dataclass(frozen=True, slots=True)
class Other:
    """Another answer of the same person, shown in a mail beside the worst one."""

    headline: str
    quotes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MailItem:
    """One follow-up as a mail shows it."""

    task: str
    """What its task is called: who is to be called by when, and why."""
    headline: str
    """Who, and what about."""
    account: str
    quotes: tuple[str, ...]
    """The customer's own words in the answer of the headline, line by line."""
    action: str
    """What is to be done, by whom and by when, or what is missing."""
    phone: str | None
    links: tuple[Link, ...]
    """The first one is the record in the CRM, where that can be opened."""
    outcomes: tuple[Link, ...]
    """One for each outcome: a page opens on which a button records it."""
    others: tuple[Other, ...] = ()


@dataclass(frozen=True, slots=True)
class MailSection:
    """Follow-ups that are in a mail for the same reason."""

    title: str
    items: tuple[MailItem, ...]


@dataclass(frozen=True, slots=True)
class StaffMail:
    """What a mail to one of our people says."""

    to: str
    to_name: str
    subject: str
    sections: Sequence[MailSection]
    why: str
    """Why they get it."""


def staff_message(mail: StaffMail, *, words: Catalogue, site: Site, message_id: str) -> Message:
    """Return the mail ready to send. Customers' words are quoted line by line, so that none can pass for one of ours."""
    values = {"mail": mail, "site": site, "phrase": words.text, "lang": words.language}
    return Message(
        to=mail.to,
        to_name=mail.to_name,
        subject=one_line_subject(without_links(mail.subject)),
        text=text_of("staff.txt", values),
        html=html_of("staff.mjml", values),
        message_id=message_id,
        language=words.language,
    )
