"""The whole way at once, without a store: ratings in, one result for each account out."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta

from connector.model import Mood
from connector.scoring.evidence import AccountEvidence, AccountRating, account_evidence
from connector.scoring.metrics import AccountMetric, account_metrics
from connector.scoring.mood import MoodRule, mood
from connector.scoring.shrinkage import METHOD, AccountScore, fit_prior, score


@dataclass(frozen=True, slots=True)
class ScoreSettings:
    """How fast answers fade, and when a mood is named."""

    half_life: timedelta = timedelta(days=180)
    mood: MoodRule = field(default_factory=MoodRule)


@dataclass(frozen=True, slots=True)
class AccountResult:
    """Everything the ratings say about one account. `score` is None when nobody answered, or it has faded."""

    account: str
    evidence: AccountEvidence
    score: AccountScore | None
    mood: Mood
    metrics: dict[str, AccountMetric]

    def as_json(self) -> dict[str, object]:
        """The result as JSON values: points unrounded, null for what is not known."""
        return {
            "account": self.account,
            "satisfaction": self.score.score if self.score else None,
            "low": self.score.low if self.score else None,
            "high": self.score.high if self.score else None,
            "people": self.evidence.people,
            "answers": self.evidence.answers,
            "evidence": self.evidence.total,
            "mood": self.mood.value,
            "metrics": {name: asdict(metric) for name, metric in self.metrics.items()},
        }


def score_book(
    ratings: Iterable[AccountRating], as_of: datetime, settings: ScoreSettings, *, accounts: Iterable[str] = ()
) -> list[AccountResult]:
    """Fit the prior on all ratings and score every account with it, in the order of the account names.

    `accounts` names those that should appear even when nobody there answered. Nobody knows who else could be asked, so for the mood
    the people of an account are those who answered.
    """
    by_account: dict[str, list[AccountRating]] = {account: [] for account in accounts}
    for rating in ratings:
        by_account.setdefault(rating.account, []).append(rating)
    evidences = [account_evidence(name, by_account[name], as_of, settings.half_life) for name in sorted(by_account)]
    prior = fit_prior(evidences)
    return [
        _result(evidence, score(evidence, prior), by_account[evidence.account], as_of=as_of, settings=settings)
        for evidence in evidences
    ]


def book_json(results: Iterable[AccountResult], as_of: datetime) -> dict[str, object]:
    """The results as one JSON document, with the time they hold for and the method that made them."""
    return {
        "as_of": as_of.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "method": METHOD,
        "accounts": [result.as_json() for result in results],
    }


def _result(
    evidence: AccountEvidence,
    account_score: AccountScore | None,
    ratings: list[AccountRating],
    *,
    as_of: datetime,
    settings: ScoreSettings,
) -> AccountResult:
    return AccountResult(
        account=evidence.account,
        evidence=evidence,
        score=account_score,
        mood=mood(ratings, account_score, settings.mood, as_of=as_of, askable=evidence.people),
        metrics=account_metrics(ratings, as_of, settings.half_life),
    )
