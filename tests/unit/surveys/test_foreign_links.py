"""Subjects, labels and names that others chose stand in our mails without becoming links there."""

import re
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_surveys_mail import SITE, Page, item, message

from connector.domain.greeting_names import without_links
from connector.exports.period import Period
from connector.sentences.catalogue import catalogue
from connector.store.views.reports import Asking
from connector.surveys.report_mail import Facts, Listed, ReportLine, ResponseCounts, report_message
from connector.surveys.staff_mail import MailSection, Other, StaffMail, staff_message

ADDRESSES = [
    "https://evil.example/pay",
    "HTTPS://EVIL.EXAMPLE",
    "www.evil.example",
    "evil.example/x",
    "pay@evil.example",
    "pay＠evil．example",
    "evil。example",
    "evil.\u200bexample",
    "x.com",
    "ftp://203.0.113.5/a",
    "http:\\\\evil.example",
]
LINK = re.compile(r"[:：﹕][/／\\]{2}|\S[@＠﹫]\S|\S[.․﹒．。｡][\u00ad\u200b-\u200d\u2060]*[^\W\d_]{2}")
"""What mail programs make links of."""


def shown(html: str) -> str:
    """Return the words that a mail program shows."""
    return Page(re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL)).text


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("purpose", ["invitation", "reminder"])
def test_a_cases_subject_brings_no_link_into_the_mail_to_its_contact(address: str, purpose: str) -> None:
    mail = message(label=f"Refund: {address}", owner_name=f"Jane {address}", purpose=purpose)
    for text in (mail.subject, mail.text, shown(mail.html)):
        ours = re.sub(r"https://feedback\.acme\.example\S*|\S+@acme\.example", "", text)
        assert "Refund" in text
        assert not LINK.search(ours), ours


@pytest.mark.parametrize("address", ADDRESSES)
def test_names_and_subjects_bring_no_link_into_mails_to_our_people(address: str) -> None:
    listed = item(
        headline=f"Maria {address}: 1 of 5, {address}",
        account=f"Firm {address}",
        others=(Other(f"2 of 5, {address}", ()),),
        action=f"Jane {address} calls by Fri.",
        phone=f"+358 40 123, {address}",
        links=(),
        outcomes=(),
    )
    section = MailSection("New answers", (listed,))
    mail = staff_message(
        StaffMail("jane@acme.example", "Jane", f"Call Maria {address}", [section], "Because."),
        words=catalogue("en"),
        site=SITE,
        message_id="n1@acme.example",
    )
    assert not LINK.search(mail.subject)
    assert not LINK.search(mail.text), mail.text
    assert not LINK.search(shown(mail.html))


@pytest.mark.parametrize("address", ADDRESSES)
def test_names_bring_no_link_into_reports(address: str) -> None:
    line = ReportLine(f"Maria {address}", f"Firm {address}", "https://crm.example/a/1", f"Jane {address} calls by Fri.")
    bad = Listed((line,), 1)
    week = Period("2026-W46", date(2026, 11, 9), date(2026, 11, 16), ZoneInfo("UTC"))
    facts = Facts(monthly=False, period=week, answers=ResponseCounts(bad=1), asking=Asking(1, 1), before=None, bad=bad)
    mail = report_message(facts, words=catalogue("en"), site=SITE, to="jane@acme.example", message_id="r1@acme.example")
    assert not LINK.search(mail.text.replace(line.url, "")), mail.text
    assert not LINK.search(shown(mail.html))


@pytest.mark.parametrize(
    "label",
    ["case 00123", "Printer rev. 2.5 is broken", "Call on 3 Mar, 14:00", "Where is order #12/7?", "and so on ..."],
)
def test_other_subjects_stand_as_they_are(label: str) -> None:
    assert without_links(label) == label
    assert label in message(label=label).text


def test_what_is_broken_up_can_still_be_read() -> None:
    assert without_links("Cannot log in to portal.acme.example") == "Cannot log in to portal. acme. example"
    assert without_links("ASP.NET, maria@nw.example") == "ASP. NET, maria @ nw. example"


@given(st.text(alphabet=st.sampled_from("ab.:/\\@ ．。＠\u200b1é"), max_size=20))
def test_no_text_of_any_kind_holds_a_link_afterwards(text: str) -> None:
    assert not LINK.search(without_links(text))
    assert without_links(without_links(text)) == without_links(text)
