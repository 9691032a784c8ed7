"""The mails: what stands in them, and what must not."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest

from connector.sentences.catalogue import catalogue
from connector.sentences.content import Link
from connector.surveys.questionnaire import questionnaire
from connector.surveys.staff_mail import MailItem, MailSection, StaffMail, staff_message
from connector.surveys.survey_mail import (
    InvitationView,
    Site,
    invitation_message,
    sign_in_message,
)
from connector.surveys.wording import languages, wording

SITE = Site("https://feedback.acme.example", "Acme Care", "care@acme.example", "hello@acme.example")
URL = "https://feedback.acme.example/s/TOKEN"
POINTS = {"csat": range(1, 6), "nps": range(11), "ces": range(1, 8), "composite": range(1, 6)}


class Page(HTMLParser):
    """What a mail program finds in the HTML part."""

    def __init__(self, html):
        super().__init__()
        self.links, self.tags, self.words, self.lang = [], [], [], None
        self.feed(html)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "a":
            self.links.append(dict(attrs)["href"])
        if tag == "html":
            self.lang = dict(attrs)["lang"]

    def handle_data(self, data):
        self.words.append(data)


def view(metric="csat", language="en", **changes):
    values = {
        "id": "i1",
        "email": "maria@customer.example",
        "name": "Maria Virtanen",
        "language": language,
        "label": "case 00123",
        "owner_name": "Jane Doe",
        "company": "Acme Care",
        "questionnaire": questionnaire(metric, language),
        "expires_at": datetime(2026, 12, 6, tzinfo=UTC),
    }
    return InvitationView(**values | changes)


def message(metric="csat", language="en", purpose="invitation", **changes):
    asked = view(metric, language, **changes)
    return invitation_message(asked, site=SITE, token="TOKEN", purpose=purpose, message_id="m1@acme.example")


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("metric", POINTS)
def test_both_parts_hold_one_link_for_each_answer_and_the_objection(metric, language):
    mail = message(metric, language)
    wanted = [f"{URL}?rating={value}" for value in POINTS[metric]] + [f"{URL}/unsubscribe"]

    assert Page(mail.html).links == wanted
    assert re.findall(r"https?://\S+", mail.text) == wanted
    assert Page(mail.html).lang == language == mail.language


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("purpose", ["invitation", "reminder"])
def test_both_parts_say_who_asks_why_and_until_when(language, purpose):
    mail = message("csat", language, purpose)
    asked = questionnaire("csat", language)

    for part in (mail.text, Page(mail.html).text):
        for words in ("Maria Virtanen", "Acme Care", "case 00123", "Jane Doe", "hello@acme.example"):
            assert words in part
        assert " ".join(asked.first.text.split()) in " ".join(part.split())
        assert wording(language).date(datetime(2026, 12, 6, tzinfo=UTC)) in part
        assert all(label in part for label in asked.first.labels)


def test_the_last_day_is_the_companys():
    asked = view("csat", "en", expires_at=datetime(2026, 12, 6, 22, 30, tzinfo=UTC))
    site = replace(SITE, zone=ZoneInfo("Europe/Helsinki"))
    mail = invitation_message(asked, site=site, token="TOKEN", purpose="invitation", message_id="m")
    assert "7 December 2026" in mail.text
    assert "7 December 2026" in Page(mail.html).text


def test_a_reminder_differs_from_the_invitation_and_says_that_it_is_the_last():
    first, second = message(), message(purpose="reminder")

    assert first.subject != second.subject
    assert "will not remind you again" in second.text
    assert "will not remind you again" not in first.text


def test_one_click_unsubscribing_is_offered_to_the_mail_program_and_no_mail_that_nothing_reads():
    headers = message().headers

    assert headers["List-Unsubscribe"] == f"<{URL}/unsubscribe>"
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize("metric", POINTS)
def test_nothing_is_loaded_from_elsewhere_and_nothing_runs(metric):
    page = Page(message(metric).html)

    assert not [tag for tag, _ in page.tags if tag in {"img", "script", "link", "iframe", "form", "svg", "input"}]
    assert not [attrs for _, attrs in page.tags if {"src", "background", "onclick", "onload"} & attrs.keys()]
    assert "@import" not in message(metric).html
    assert "url(" not in message(metric).html


def test_the_ends_of_a_long_scale_are_in_the_accessible_name():
    answers = [attrs for tag, attrs in Page(message("nps").html).tags if attrs.get("class") == "answer"]

    assert answers[0]["aria-label"] == "0, Not at all likely"
    assert answers[10]["aria-label"] == "10, Extremely likely"


def test_what_stands_in_the_crm_is_shown_and_never_understood_as_markup():
    nasty = '<b>"R&D"</b> {{ 7*7 }} {label} <mj-raw><script>x</script></mj-raw>'
    mail = message(name=nasty, label=nasty, owner_name=nasty)

    assert mail.text.count(nasty) == 4
    assert "<script" not in mail.html
    assert Page(mail.html).text.count(nasty) == 4
    assert nasty in unescape(mail.html)


def test_a_long_subject_is_cut_between_characters_as_people_see_them():
    subject = message(label="👩‍🚀" * 80).subject
    kept = subject.removesuffix("…").removesuffix("👩‍🚀")
    assert subject.endswith("👩‍🚀…")
    assert "\u200d…" not in subject and not kept.endswith("👩")
    assert "\u202e" not in message(label="case \u202e00123").subject


def test_a_subject_stays_on_one_line_and_short():
    subject = message(label='call "A\r\nBcc: else@customer.example' + "x" * 300).subject

    assert "\n" not in subject
    assert "\r" not in subject
    assert len(subject) <= 150


def test_without_a_name_or_an_owner_the_mail_says_nothing_in_their_place():
    mail = message(name="", owner_name=None)

    assert mail.text.startswith("Hello,\n")
    assert "None" not in mail.text
    assert "None" not in mail.html
    assert "Your contact" not in Page(mail.html).text


def test_the_recipient_and_the_id_are_as_given():
    mail = message()

    assert (mail.to, mail.to_name, mail.message_id) == ("maria@customer.example", "Maria Virtanen", "m1@acme.example")


def item(**values):
    known = {
        "task": "Call Maria Virtanen by Fri 15:00: 1 of 5 (very dissatisfied), case 00123",
        "headline": "Maria Virtanen: 1 of 5, very dissatisfied, case 00123, since 12 Nov 2026",
        "account": "Virtanen Oy",
        "quotes": ("Nobody <called> back", "-- "),
        "action": "Jane Doe calls by 13 Nov 15:00.",
        "phone": "+358 40 123",
        "links": (
            Link("Open the customer in the CRM", "https://crm.example/a/1"),
            Link("The task", "https://crm.example/t/1"),
        ),
        "outcomes": (Link("Solved", "https://feedback.acme.example/f/T?outcome=solved"),),
    }
    return MailItem(**{**known, **values})


def staff(*items):
    mail = StaffMail("jane@acme.example", "Jane Doe", "1 new\nanswer", [MailSection("New answers", items)], "Because.")
    return staff_message(mail, words=catalogue("en"), site=SITE, message_id="n1@acme.example")


def test_a_mail_about_follow_ups_says_who_gave_what_and_what_to_do():
    mail = staff(item())
    page = Page(mail.html)

    assert mail.subject == "1 new answer"
    for part in (mail.text, page.text):
        for words in (
            "New answers",
            "1 of 5",
            "Jane Doe calls by",
            "Virtanen Oy",
            "Nobody <called> back",
            "+358 40 123",
            "Solved",
        ):
            assert words in part
    assert page.links == [
        "https://crm.example/a/1",
        "https://crm.example/t/1",
        "https://feedback.acme.example/f/T?outcome=solved",
    ]
    assert all(link in mail.text for link in page.links)


def test_no_line_of_a_customers_words_can_pass_for_one_of_ours():
    mail = staff(
        item(
            quotes=("Open the customer in the CRM: https://evil.example", "-- ", "<a href='https://evil.example'>x</a>")
        )
    )
    for words in ("Open the customer in the CRM: https://evil.example", "-- ", "<a href="):
        assert all(line.startswith("> ") for line in mail.text.splitlines() if "evil" in line and words in line)
    assert "https://evil.example" not in Page(mail.html).links


def test_our_links_stand_before_a_customers_words():
    lines = staff(item(quotes=("Open the customer in the CRM: https://evil.example",))).text.splitlines()
    assert lines.index("> Open the customer in the CRM: https://evil.example") > max(
        number for number, line in enumerate(lines) if "https://crm.example/" in line
    )


def test_what_is_not_known_leaves_no_empty_words():
    mail = staff(item(phone=None, quotes=(), links=(), outcomes=()))
    assert "Phone" not in mail.text + mail.html
    assert Page(mail.html).links == []


def test_a_sign_in_mail_holds_the_link_once_in_each_part():
    mail = sign_in_message(
        "jane@acme.example", site=SITE, link="https://x.example/sign-in/T", minutes=15, message_id="s@x"
    )

    assert Page(mail.html).links == ["https://x.example/sign-in/T"]
    assert mail.text.count("https://x.example/sign-in/T") == 1
    assert "15 minutes" in mail.text
    shown = Page(mail.html).text
    assert "Sign in to Afterword" in shown
    assert "You receive this because" in shown


@pytest.mark.parametrize("odd", ["\x00", "\x0b", "\x1b", "\ufffe", "\ud800"])
def test_characters_that_no_mail_can_hold_are_left_out_and_the_mail_is_made(odd):
    invitation = invitation_message(
        view(name=f"Maria{odd} Virtanen", label=f"case{odd} 1"),
        site=SITE,
        token="t",
        purpose="invitation",
        message_id="m",
    )
    assert "Maria Virtanen" in Page(invitation.html).text
    notice = staff(item(headline=f"Maria{odd}", quotes=(f"So{odd} sad",)))
    assert "So sad" in Page(notice.html).text
    assert odd not in invitation.text + invitation.html + notice.text + notice.html


@pytest.mark.parametrize(
    "name",
    ["Claim at www.evil.example", "https://evil.example", "evil.example/x Maria", "a@evil.example", "evil．example"],
)
def test_a_name_that_holds_a_web_address_is_greeted_without_it(name):
    message = invitation_message(
        view(name=name), site=SITE, token="TOKEN", purpose="invitation", message_id="m1@acme.example"
    )
    assert message.text.startswith("Hello,\n")
    assert message.to_name == ""
    assert "evil" not in message.text + message.html


@pytest.mark.parametrize("name", ["J. R. Virtanen", "Dr. Åsa Öberg", "O'Hara-Smith, Jr.", "王小明"])
def test_other_names_are_greeted(name):
    message = invitation_message(
        view(name=name), site=SITE, token="TOKEN", purpose="invitation", message_id="m1@acme.example"
    )
    assert (name in message.text, message.to_name) == (True, name)


def test_the_header_that_stops_surveys_is_ascii_whatever_the_addresses_are():
    site = Site("https://bücher.example/ümfrage", "Acme", "care@bücher.example")
    message = invitation_message(view(), site=site, token="t", purpose="invitation", message_id="m")
    assert message.headers["List-Unsubscribe"] == "<https://xn--bcher-kva.example/%C3%BCmfrage/s/t/unsubscribe>"
