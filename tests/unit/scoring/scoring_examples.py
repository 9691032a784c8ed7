"""Answers, evidence and reference numbers that the tests of scoring share."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from connector.scoring.evidence import AccountEvidence, AccountRating, account_evidence

NOW = datetime(2026, 11, 22, tzinfo=UTC)
HALF_LIFE = timedelta(days=180)
REFERENCE: dict[str, Any] = json.loads((Path(__file__).parent / "reference.json").read_text(encoding="utf-8"))


def stars(value: float, contact: str | None = "maria", *, days: float = 0, **changes: Any) -> AccountRating:
    """An answer on the CSAT scale from 1 to 5, so many days ago."""
    fields: dict[str, Any] = {
        "account": "acme",
        "contact": contact,
        "metric": "csat",
        "value": value,
        "low": 1,
        "high": 5,
        "direction": "up",
        "at": NOW - timedelta(days=days),
    }
    return AccountRating(**(fields | changes))


def recommend(value: float, contact: str | None = "maria", *, days: float = 0, **changes: Any) -> AccountRating:
    """An answer to the NPS question, so many days ago."""
    return stars(value, contact, days=days, **({"metric": "nps", "low": 0, "high": 10} | changes))


def evidence(*answers: AccountRating, account: str = "acme") -> AccountEvidence:
    """What the answers are worth today, with the usual half-life."""
    return account_evidence(account, answers, NOW, HALF_LIFE)


def plain_evidence(total: float, mean: float, account: str = "acme") -> AccountEvidence:
    """Evidence of yes/no answers from so many fresh people."""
    people = round(total)
    return AccountEvidence(
        account=account,
        total=total,
        weighted=total * mean,
        people=people,
        answers=people,
        spread=0,
        graded=False,
        kish=total,
    )


_contacts = st.sampled_from(["maria", "jan", "li", "ada", None])
_days = st.integers(min_value=-3, max_value=2000)


def answers_of(
    build: Callable[..., AccountRating] = stars, *, highest: int = 5
) -> st.SearchStrategy[list[AccountRating]]:
    """Up to a dozen answers of one account, of any age."""
    one = st.builds(
        lambda value, contact, days, interaction: build(value, contact, days=days, interaction=interaction),
        st.integers(min_value=1, max_value=highest),
        _contacts,
        _days,
        st.sampled_from([None, None, "case 1", "case 2"]),
    )
    return st.lists(one, min_size=1, max_size=12)
