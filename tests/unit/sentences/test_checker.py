"""The reader who knows the facts is not easily content: what is false, misplaced or forgotten is found."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from checker import AnswerFact, Facts, FollowUpFact, judge

NOON = datetime(2026, 11, 12, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
MARIA = AnswerFact("m", "Maria Virtanen", ("csat", 1), "case 00123", "Printer", "Nobody called back.", NOON)
PEKKA = AnswerFact("p", "Pekka Salo", ("csat", 2), "case 00124", "Invoice", "Slow.", NOON + DAY)
ANNA = AnswerFact("a", "Anna Berg", ("csat", 5), "case 00125", "Laptop", "Great.", NOON + 2 * DAY)
CALL = FollowUpFact("Maria Virtanen", (MARIA,), "Ritva Laine", NOON, NOON + 5 * DAY)
OTHER = FollowUpFact("Pekka Salo", (PEKKA,), "Jonas Lind", NOON + DAY, NOON + 4 * DAY)
FACTS = Facts((MARIA, PEKKA, ANNA), (CALL, OTHER), 8, 3, NOON + 2 * DAY, ZoneInfo("Europe/Helsinki"))

LEAD = 'Maria Virtanen: 1 of 5, very dissatisfied, case 00123 "Printer", since 12 Nov 2026; Ritva Laine calls by 17 Nov 14:00.'
ALSO = " Also open: Pekka Salo (2 of 5, dissatisfied)."
STEP = "Pekka Salo: 2 of 5, dissatisfied, case 00124, since 13 Nov 2026: “Slow.”; Jonas Lind calls by 16 Nov 14:00."
GOOD = " Anna Berg: 5 of 5, very satisfied, case 00125, 14 Nov 2026: “Great.”"
TAIL = " Answered by 14 Nov 2026: 3 of 8 asked."


def test_what_is_true_is_let_pass() -> None:
    assert judge(FACTS, "en", LEAD + ALSO, STEP + GOOD + TAIL) == []


@pytest.mark.parametrize(
    ("attention", "summary"),
    [
        (LEAD.replace("Maria", "Anna") + ALSO, STEP + GOOD + TAIL),
        (LEAD.replace("1 of 5, very dissatisfied", "2 of 5, dissatisfied") + ALSO, STEP + GOOD + TAIL),
        (LEAD.replace("Ritva Laine", "Jonas Lind") + ALSO, STEP + GOOD + TAIL),
        (LEAD.replace("17 Nov", "16 Nov") + ALSO, STEP + GOOD + TAIL),
        (LEAD.replace("since 12", "since 13") + ALSO, STEP + GOOD + TAIL),
        (LEAD.replace("Printer", "Invoice") + ALSO, STEP + GOOD + TAIL),
        (LEAD.replace("calls by 17 Nov 14:00", "calls again by 17 Nov 14:00") + ALSO, STEP + GOOD + TAIL),
        (
            LEAD.replace("Ritva Laine calls by 17 Nov 14:00", "call overdue since 17 Nov 2026 (Ritva Laine)") + ALSO,
            STEP + GOOD + TAIL,
        ),
        (LEAD, STEP + GOOD + TAIL),
        (LEAD + " Also open: 1 more.", GOOD.strip() + TAIL),
        (LEAD + ALSO.replace(").", "), and 1 more."), STEP + GOOD + TAIL),
        (LEAD + ALSO.replace("2 of 5, dissatisfied", "1 of 5, very dissatisfied"), STEP + GOOD + TAIL),
        ("", STEP + GOOD + TAIL),
        (LEAD + ALSO, STEP.replace("Slow.", "Great.") + GOOD + TAIL),
        (LEAD + ALSO, STEP.replace("Jonas Lind", "Ritva Laine") + GOOD + TAIL),
        (LEAD + ALSO, GOOD.strip()[:-1] + "; Jonas Lind calls by 16 Nov 14:00." + TAIL),
        (LEAD + ALSO, STEP + GOOD.replace("5 of 5, very satisfied", "1 of 5, very dissatisfied") + TAIL),
        (LEAD + ALSO, STEP + GOOD.replace("14 Nov", "13 Nov") + TAIL),
        (LEAD + ALSO, STEP + GOOD + " Answered by 14 Nov 2026: 4 of 8 asked."),
        (LEAD + ALSO, STEP + GOOD),
        (LEAD + ALSO, STEP + GOOD + TAIL + " {who}"),
        (LEAD + ALSO, STEP + GOOD.replace("”", "") + TAIL),
        (LEAD + ALSO, STEP + GOOD + TAIL + "x" * 200),
        # The two true clauses that together lie: what one person gave, and then the next step for another.
        (
            LEAD + ALSO,
            "Anna Berg: 5 of 5, very satisfied, case 00125, 14 Nov 2026; Ritva Laine calls by 17 Nov 14:00." + TAIL,
        ),
    ],
)
def test_what_is_false_misplaced_or_left_out_is_found(attention: str, summary: str) -> None:
    assert judge(FACTS, "en", attention, summary) != []


def test_a_deadline_that_has_passed_may_not_read_as_one_to_come() -> None:
    later, tail = replace(FACTS, now=NOON + 9 * DAY), TAIL.replace("14 Nov", "21 Nov")
    assert judge(later, "en", LEAD + ALSO, STEP + GOOD + tail) != []
    overdue = LEAD.replace("Ritva Laine calls by 17 Nov 14:00", "call overdue since 17 Nov 2026 (Ritva Laine)")
    step = STEP.replace("Jonas Lind calls by 16 Nov 14:00", "call overdue since 16 Nov 2026 (Jonas Lind)")
    assert judge(later, "en", overdue + ALSO, step + GOOD + tail) == []


def test_the_milder_answer_may_not_lead() -> None:
    milder = (
        'Pekka Salo: 2 of 5, dissatisfied, case 00124 "Invoice", since 13 Nov 2026; Jonas Lind calls by 16 Nov 14:00.'
    )
    also = " Also open: Maria Virtanen (1 of 5, very dissatisfied)."
    step = (
        "Maria Virtanen: 1 of 5, very dissatisfied, case 00123, since 12 Nov 2026; Ritva Laine calls by 17 Nov 14:00."
    )
    assert judge(FACTS, "en", milder + also, step + GOOD + TAIL) != []
