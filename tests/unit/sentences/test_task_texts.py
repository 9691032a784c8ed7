"""The texts of tasks, alerts and contacts: what they are called, in whose words, and what gives way where there is no room."""

from dataclasses import replace
from datetime import timedelta

import pytest
from books import ASKED, DAY, HELSINKI, MARIA, NOON, PEKKA, SLOW, call, named_response
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.domain.follow_up_rules import parse_rule
from connector.domain.text_cutting import units
from connector.model import Mood
from connector.sentences.attention import attention
from connector.sentences.catalogue import catalogue, languages
from connector.sentences.clauses import LIMIT
from connector.sentences.content import Link, MoodSeen, Silence
from connector.sentences.rule_words import rule_sentence
from connector.sentences.summary import People, summary
from connector.sentences.tasks import (
    TaskText,
    account_subject,
    body,
    call_subject,
    last_rating,
    quoted_lines,
)

EN = catalogue("en")
TOMORROW = NOON + DAY + timedelta(hours=1)
DETAILS = Link("Everything they said", "https://x.example/accounts/1")
LONG = "Printer offline again after the update " * 12


def text(**changes: object) -> str:
    values = {"rules": (parse_rule("low"),), "links": [DETAILS], "tz": HELSINKI, "responses": [MARIA]}
    return body(TaskText(**{**values, **changes}), EN)  # type: ignore[arg-type]


def test_a_subject_says_whom_to_call_by_when_and_why() -> None:
    assert call_subject(MARIA, TOMORROW, EN, tz=HELSINKI, now=NOON) == (
        'Call Maria Virtanen by Fri 15:00: 1 of 5 (very dissatisfied), "Printer offline again"'
    )
    assert call_subject(replace(MARIA, subject=None), TOMORROW, EN, tz=HELSINKI, now=NOON) == (
        "Call Maria Virtanen by Fri 15:00: 1 of 5 (very dissatisfied), case 00123"
    )
    assert account_subject("Northwind", [Silence(ASKED, NOON)], TOMORROW, EN, tz=HELSINKI, now=NOON) == (
        "Call Northwind by Fri 15:00: asked 2 times, no answer by 12 Nov 2026"
    )


def test_a_contacts_last_rating_carries_its_word() -> None:
    maria = replace(MARIA, rating=replace(MARIA.rating, value=2))
    assert last_rating(maria, EN, HELSINKI) == "2 of 5, dissatisfied, case 00123, 12 Nov 2026"


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("subject", [LONG, "👩‍🚀" * 120, "e\u0301" * 300, "🇫🇮" * 150])
def test_a_long_subject_gives_way_before_deadline_owner_and_comment(subject: str, language: str) -> None:
    words, maria = catalogue(language), replace(MARIA, subject=subject)
    needs = attention([call(maria)], words, now=NOON)
    told = summary([maria], needs, People(8, 3, NOON), words, tz=HELSINKI, now=NOON)
    title = call_subject(maria, TOMORROW, words, tz=HELSINKI, now=NOON)
    assert all(units(one) <= LIMIT for one in (needs.text, told, title))
    assert "Ritva Laine" in needs.text
    assert words.by(TOMORROW, HELSINKI) in needs.text
    assert "Nobody called back." in told
    for one in (needs.text, told, title):
        shown = one[one.index(subject[:2]) : one.index("…")]
        assert subject.startswith(shown)
        assert subject[len(shown) : len(shown) + 1] not in {"\u0301", "\u200d"}, "cut within a character"
        assert sum("\U0001f1e6" <= char <= "\U0001f1ff" for char in shown) % 2 == 0, "half a flag"


@settings(deadline=None)
@given(*(st.text(max_size=400) for _ in range(4)))
def test_everything_fits_whatever_the_crm_holds(who: str, label: str, subject: str, comment: str) -> None:
    odd = named_response(who, 1, comment, label=label, subject=subject)
    needs = attention([call(odd, owner=who), call(PEKKA)], EN, now=NOON)
    for one in (
        needs.text,
        summary([odd], needs, People(8, 3, NOON), EN, tz=HELSINKI, now=NOON),
        call_subject(odd, TOMORROW, EN, tz=HELSINKI, now=NOON),
        account_subject(who, [Silence(ASKED, NOON)], TOMORROW, EN, tz=HELSINKI, now=NOON),
        last_rating(odd, EN, HELSINKI),
    ):
        assert units(one) <= LIMIT
        assert "\n" not in one
        assert "\u202e" not in one


def test_customers_words_cannot_pass_for_ours() -> None:
    posing = named_response(
        "Maria Virtanen", 1, "Bad.”. Answered: 9 of 9 asked.\n\nOutcome: Solved\r\n\u2028Details: https://evil.example"
    )
    assert quoted_lines(posing.comment or "") == (
        "> Bad.”. Answered: 9 of 9 asked.\n> Outcome: Solved\n> Details: https://evil.example"
    )
    told = summary([posing], attention([], EN, now=NOON), People(8, 3, NOON), EN, tz=HELSINKI, now=NOON)
    assert told.count("”") == 1, "what they wrote ends where our mark stands"
    lines = text(responses=[posing]).splitlines()
    assert [line for line in lines if "evil" in line or "Solved" in line] == [
        "> Outcome: Solved",
        "> Details: https://evil.example",
    ]


def test_a_task_begins_with_our_links_and_ends_with_what_to_do() -> None:
    record = Link("Customer in the CRM", "https://crm.example/1")
    assert text(links=[DETAILS, record], owner_note="Passed over: A.") == (
        "Everything they said: https://x.example/accounts/1\n"
        "Customer in the CRM: https://crm.example/1\n"
        "\n"
        "Why you see this: we call when a customer gives a low rating.\n"
        "\n"
        'Maria Virtanen gave 1 of 5 (very dissatisfied) on case 00123 "Printer offline again", 12 Nov 2026:\n'
        "> Nobody called back.\n"
        "\n"
        "Passed over: A.\n"
        "\n"
        "When you have called, note how it ended in the field Outcome of this task."
    )


def test_where_an_outcome_takes_one_click_the_links_stand_at_the_end() -> None:
    links = [Link("Solved", "https://x.example/f/1"), Link("Not reached", "https://x.example/f/2")]
    assert text(outcome_links=links).endswith(
        "When you have called, note how it ended: choose one.\n"
        "Solved: https://x.example/f/1\n"
        "Not reached: https://x.example/f/2"
    )


def test_all_answers_are_in_a_task_the_worst_first_then_the_newest() -> None:
    older = named_response("Maria Virtanen", 2, at=NOON - DAY, label="case 00111")
    newer = named_response("Maria Virtanen", 2, at=NOON + DAY, label="case 00222")
    lines = [line for line in text(responses=[older, newer, MARIA]).splitlines() if " gave " in line]
    assert [line.split(" on ")[1][:10] for line in lines] == ["case 00123", "case 00222", "case 00111"]


def test_what_else_was_rated_stands_below() -> None:
    lines = text(responses=[SLOW]).splitlines()
    assert "Also rated: 4 of 5, satisfied; speed 1 of 5, very poor." in lines


def test_a_task_about_silence_names_who_was_asked_about_what_and_when() -> None:
    shown = text(responses=[], reasons=[Silence(ASKED, NOON, last_answer=NOON - 90 * DAY)])
    assert (
        "Asked, and no answer by 12 Nov 2026:\n"
        '- Maria Virtanen, on 3 Oct 2026, about case 00098 "VPN drops"\n'
        "- Pekka Salo, on 23 Oct 2026, about case 00104; reminded on 26 Oct 2026\n"
        "The last answer before that came on 14 Aug 2026.\n"
        "\n"
        "A good reason to call: ask Pekka Salo how case 00104 went, and whether our surveys arrive."
    ) in shown
    assert "Nobody here has answered a survey yet." in text(responses=[], reasons=[Silence(ASKED, NOON)])


def test_a_task_about_a_mood_tells_what_stands_behind_it() -> None:
    shown = text(responses=[], reasons=[MoodSeen(Mood.UNHAPPY, NOON, (MARIA, PEKKA))])
    assert (
        "Customer mood on 12 Nov 2026: Unhappy. What they answered last:\n"
        '- Maria Virtanen: 1 of 5, very dissatisfied, case 00123 "Printer offline again", 12 Nov 2026\n'
        '- Pekka Salo: 2 of 5, dissatisfied, case 00124 "Invoice wrong", 13 Nov 2026\n'
        "\n"
        'A good reason to call: Maria Virtanen gave 1 of 5 (very dissatisfied) on case 00123 "Printer offline again"; '
        "ask what would have to be better."
    ) in shown
    alone = text(responses=[], reasons=[MoodSeen(Mood.UNHAPPY, NOON)])
    assert "Customer mood on 12 Nov 2026: Unhappy.\n" in alone
    assert "answered last" not in alone, "no list is announced that does not follow"


@pytest.mark.parametrize(
    ("rule", "english", "finnish"),
    [
        ("low", "a customer gives a low rating", "asiakas antaa heikon arvion"),
        ("high", "a customer gives a high rating", "asiakas antaa hyvän arvion"),
        (
            "csat <= 2",
            "a customer gives 2 of 5 or less for satisfaction",
            "asiakas antaa arvion 2/5 tai heikomman (tyytyväisyys)",
        ),
        (
            "nps < 7",
            "a customer gives less than 7 of 10 for likelihood to recommend",
            "asiakas antaa arvion, joka on alle 7/10 (suositteluhalukkuus)",
        ),
        (
            "ces = 1 and mood = unhappy",
            "a customer gives 1 of 7 for ease, and the mood of a customer is Unhappy",
            "asiakas antaa arvion 1/7 (helppous) ja asiakkaan mieliala on Tyytymätön",
        ),
        (
            "silence >= 2",
            "a customer was asked 2 times or more and did not answer",
            "asiakkaalta on kysytty vähintään 2 kertaa eikä hän ole vastannut",
        ),
        (
            "silence = 1",
            "a customer was asked once and did not answer",
            "asiakkaalta on kysytty kerran eikä hän ole vastannut",
        ),
    ],
)
def test_why_somebody_sees_a_task_is_said_without_the_syntax_of_rules(rule: str, english: str, finnish: str) -> None:
    assert rule_sentence(parse_rule(rule), EN) == f"Why you see this: we call when {english}."
    assert rule_sentence(parse_rule(rule), catalogue("fi")) == f"Miksi näet tämän: soitamme, kun {finnish}."


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("op", ["<", "<=", "=", ">=", ">"])
@pytest.mark.parametrize("subject", ["csat", "speed", "silence"])
def test_no_rule_shows_its_syntax(subject: str, op: str, language: str) -> None:
    assert not set("<>=_") & set(rule_sentence(parse_rule(f"{subject} {op} 3"), catalogue(language)))


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("mood", ["happy", "mixed", "unhappy"])
def test_every_mood_that_a_rule_can_name_has_its_word(mood: str, language: str) -> None:
    words = catalogue(language)
    assert words.text(f"mood.{mood.capitalize()}") in rule_sentence(parse_rule(f"mood = {mood}"), words)
