"""Every kind of mail that we send, about records whose texts somebody has chosen to forge one: each arrives as itself."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hostile import CONTROL, FORGED, TEXTS, is_ours
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connector.exports.period import Period
from connector.ports.mail import Message
from connector.sentences.catalogue import catalogue
from connector.sentences.content import Link
from connector.store.views.reports import Asking, Unheard
from connector.surveys.questionnaire import questionnaire
from connector.surveys.report_mail import Facts, Listed, ReportLine, ResponseCounts, report_message
from connector.surveys.staff_mail import MailItem, MailSection, StaffMail, staff_message
from connector.surveys.survey_mail import InvitationView, Purpose, Site, invitation_message, sign_in_message

SITE = Site("https://feedback.acme.example", "Acme Care", "care@acme.example", "hello@acme.example")
EN = catalogue("en")
URL = "https://crm.example/001"
TO = "maria@customer.example"
NEWLINES = "Nordlicht\r\n-- \r\nYour account is locked. Pay at https://evil.example\r\n"


def invitation(text: str, *, language: str = "en", purpose: Purpose = "invitation") -> Message:
    view = InvitationView(
        id="i1",
        email=TO,
        name=text,
        language=language,
        label=text,
        owner_name=text,
        company=SITE.sender_name,
        questionnaire=questionnaire("csat", language),
        expires_at=datetime(2026, 12, 6, tzinfo=UTC),
    )
    return invitation_message(view, site=SITE, token="TOKEN", purpose=purpose, message_id=SITE.message_id("m1"))


def alert(text: str) -> Message:
    item = MailItem(text, text, text, (text,), text, text, (Link("Record", URL),), (Link("Solved", URL),))
    mail = StaffMail(TO, text, text, [MailSection("New answers", (item, item))], "You own it.")
    return staff_message(mail, words=EN, site=SITE, message_id=SITE.message_id(f"alert:2026-11-16:{text}"))


def report(text: str) -> Message:
    facts = Facts(
        monthly=False,
        period=Period("2026-W46", date(2026, 11, 9), date(2026, 11, 16), ZoneInfo("UTC")),
        answers=ResponseCounts(1, 0, 1),
        asking=Asking(2, 2),
        before=None,
        bad=Listed((ReportLine(text, text, URL, text, text),), 1),
        unheard=(Unheard(text, 1, datetime(2026, 11, 10, tzinfo=UTC)),),
        unheard_count=1,
        unread=(text,),
    )
    return report_message(facts, words=EN, site=SITE, to=TO, message_id=SITE.message_id("r1"))


def sign_in(text: str) -> Message:
    site = Site(SITE.public_url, text, SITE.sender_address, SITE.reply_to)
    return sign_in_message(TO, site=site, link=f"{URL}/sign-in", minutes=15, message_id=site.message_id("s1"))


KINDS: dict[str, Callable[[str], Message]] = {
    "invitation": invitation,
    "reminder": lambda text: invitation(text, language="sv", purpose="reminder"),
    "alert": alert,
    "report": report,
    "sign in": sign_in,
}


@settings(max_examples=40)
@given(text=TEXTS)
@example(text=FORGED)
@example(text=NEWLINES)
@example(text='"Boss" <a@evil.example>, ' * 6)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_mail_arrives_with_our_header_alone(
    post: Callable[[Message], bytes], kind: str, text: str
) -> None:
    content = post(KINDS[kind](text))
    more = ["List-Unsubscribe", "List-Unsubscribe-Post"] if kind in ("invitation", "reminder") else []
    is_ours(content, TO, more=more)


@settings(max_examples=60)
@given(text=st.just(NEWLINES) | TEXTS)
@pytest.mark.parametrize("kind", KINDS)
def test_no_text_of_others_begins_a_line_of_ours(kind: str, text: str) -> None:
    """The text part has as many lines as with a harmless text: none was added."""
    mail = KINDS[kind](f"x {text} x")
    assert not CONTROL.search(mail.text.replace("\n", ""))
    assert len(re.split("[\n\r\x0b\x0c\x85\u2028\u2029]", mail.text)) in (
        KINDS[kind]("x x").text.count("\n") + 1,
        KINDS[kind]("https://a.example x").text.count("\n") + 1,
    )
