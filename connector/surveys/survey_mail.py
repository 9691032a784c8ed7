"""The mails we send: invitation and reminder to a customer, alert and sign-in link to a user of the CRM.

An invitation holds one link for each answer. None of them records anything: they open the survey page with that answer marked,
because mail scanners follow every link. There is no tracking pixel and no remote image, and nothing is advertised.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from functools import cache
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import quote, urlsplit, urlunsplit

from markupsafe import Markup

from connector.domain.greeting_names import to_greet_by, without_links
from connector.domain.text_cutting import cut
from connector.domain.text_direction import one_line
from connector.model import ascii_domain, normalized_address
from connector.ports.mail import Message
from connector.surveys.questionnaire import Questionnaire
from connector.surveys.wording import Wording, wording

if TYPE_CHECKING:
    from jinja2 import Environment

Purpose = Literal["invitation", "reminder"]

SUBJECT_LENGTH: Final = 150
"""Longer subjects are cut; most mail programs show less than half of it."""
_NOT_IN_AN_ID: Final = re.compile(r"[^A-Za-z0-9.-]")
_NOT_XML: Final = re.compile(r"[\ufffe\uffff]")
"""What XML 1.0 (§2.2) has no place for, beside what `one_line` leaves out: one in a name would keep the mail from being made."""


@dataclass(frozen=True, slots=True)
class Site:
    """Who asks, and where the answers go."""

    public_url: str
    """Where the survey pages are reached from outside, without a slash at the end."""
    sender_name: str
    """The company, as customers know it."""
    sender_address: str
    reply_to: str | None = None
    zone: tzinfo = UTC
    """Where the company is: days in mails and on pages are its days."""

    @property
    def contact_address(self) -> str:
        """Where people can write to."""
        return self.reply_to or self.sender_address

    def message_id(self, name: str) -> str:
        """Return the Message-ID of a mail that we call so, without angle brackets, in ASCII; the domain is the sender's."""
        domain = normalized_address(self.sender_address).rpartition("@")[2]
        return f"{_NOT_IN_AN_ID.sub('.', name)}@{domain}"

    def survey_url(self, token: str) -> str:
        """Return the survey link of one invitation."""
        return f"{self.public_url.rstrip('/')}/s/{token}"


@dataclass(frozen=True, slots=True)
class InvitationView:
    """What an invitation's mail shows."""

    id: str
    email: str
    name: str
    language: str
    label: str
    """What is asked about, e.g. ``case 00123``."""
    owner_name: str | None
    company: str
    questionnaire: Questionnaire
    expires_at: datetime


def invitation_message(view: InvitationView, *, site: Site, token: str, purpose: Purpose, message_id: str) -> Message:
    """Return the mail that asks, or reminds once, ready to send. Its language is the questionnaire's."""
    view = _harmless(view)
    words = wording(view.questionnaire.language, site.zone)
    url = site.survey_url(token)
    values = _invitation_values(view, site=site, words=words, url=url, purpose=purpose)
    subject = words.text("mail.subject" if purpose == "invitation" else "mail.reminder_subject", label=view.label)
    return Message(
        to=view.email,
        to_name=view.name,
        subject=one_line_subject(subject),
        text=text_of("invitation.txt", values),
        html=html_of("invitation.mjml", values),
        message_id=message_id,
        headers=_unsubscribe_headers(url),
        language=words.language,
    )


def _harmless(view: InvitationView) -> InvitationView:
    """Return the same with each text of the CRM's on one line and without links: what else there is would look like ours."""
    owner = without_links(one_line(view.owner_name)) if view.owner_name else None
    return replace(view, name=to_greet_by(view.name), label=without_links(one_line(view.label)), owner_name=owner)


def sign_in_message(to: str, *, site: Site, link: str, minutes: int, message_id: str) -> Message:
    """Return the mail with a one-time link to sign in; `minutes` is how long the link is good."""
    values = {"link": link, "site": site, "minutes": minutes}
    return Message(
        to=to,
        subject=one_line_subject(f"Sign in to Afterword at {site.sender_name}"),
        text=text_of("sign_in.txt", values),
        html=html_of("sign_in.mjml", values),
        message_id=message_id,
    )


def sign_in_later_message(to: str, *, site: Site, read_at: datetime | None, message_id: str) -> Message:
    """Return the mail to whom no link can be sent, as the CRM cannot be asked about them; `read_at` is when it last could."""
    since = f"{read_at.astimezone(site.zone):%d %b %Y %H:%M}" if read_at is not None else ""
    values = {"site": site, "since": since}
    return Message(
        to=to,
        subject=one_line_subject(f"No sign-in to Afterword at {site.sender_name} for the moment"),
        text=text_of("sign_in_later.txt", values),
        html=html_of("sign_in_later.mjml", values),
        message_id=message_id,
    )


def _invitation_values(
    view: InvitationView, *, site: Site, words: Wording, url: str, purpose: Purpose
) -> dict[str, object]:
    question = view.questionnaire.first

    def phrase(key: str) -> str:
        return words.text(f"mail.{key}", **_placeholders(view, site, words))

    return {
        "lang": words.language,
        "phrase": phrase,
        "greeting": phrase("greeting" if view.name else "greeting_plain"),
        "intro": phrase("intro" if purpose == "invitation" else "reminder_intro"),
        "owner": phrase("owner") if view.owner_name else "",
        "title": words.text("page.title"),
        "question": question.asked(view.company),
        "question_model": question,
        "links": [(value, label, f"{url}?rating={value}") for value, label in question.points],
        "stop_url": f"{url}/unsubscribe",
    }


def _placeholders(view: InvitationView, site: Site, words: Wording) -> dict[str, str]:
    return {
        "name": view.name,
        "company": view.company,
        "label": view.label,
        "owner": view.owner_name or "",
        "address": site.contact_address,
        "date": words.date(view.expires_at),
    }


def _unsubscribe_headers(url: str) -> dict[str, str]:
    """RFC 2369 and RFC 8058: one click in the mail program stops the surveys, without a visit and without a login.

    No address to write to is offered beside it: some programs would use that, and nothing of ours reads such mail.
    """
    return {
        "List-Unsubscribe": f"<{_in_ascii(url)}/unsubscribe>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def _in_ascii(url: str) -> str:
    """Return the address as a header can hold it: the host in IDNA, the path percent-encoded."""
    if url.isascii():
        return url
    parts = urlsplit(url)
    name = parts.hostname or ""
    host = name if name.isascii() else ascii_domain(name)
    return urlunsplit(
        parts._replace(netloc=f"{host}:{parts.port}" if parts.port else host, path=quote(parts.path, safe="/%"))
    )


def one_line_subject(subject: str) -> str:
    """Return a subject on one line, cut where mail programs show no more."""
    return cut(one_line(subject), SUBJECT_LENGTH)


@cache
def _templates() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("connector.surveys"),
        autoescape=select_autoescape(enabled_extensions=("mjml",), default=False),
        finalize=_on_one_line,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["without_links"] = without_links
    return environment


def _on_one_line(value: object) -> object:
    """No text that is put into a mail brings a line end of its own: what stood below it would look like ours."""
    if not isinstance(value, str) or isinstance(value, Markup):  # what a macro has made was looked at piece by piece
        return value
    return one_line(_NOT_XML.sub("", value))


def text_of(template: str, values: Mapping[str, object]) -> str:
    """Return a mail's plain text."""
    return _templates().get_template(template).render(values)


def html_of(template: str, values: Mapping[str, object]) -> str:
    """Return a mail's HTML; every value is escaped."""
    import mrml

    return str(mrml.to_html(_templates().get_template(template).render(values)).content)
