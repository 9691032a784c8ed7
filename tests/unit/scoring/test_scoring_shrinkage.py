"""The score of an account: drawn to the book while little is known, and honest about how sure it is."""

import json
import math
import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scoring_examples import HALF_LIFE, NOW, REFERENCE, answers_of, evidence, plain_evidence, stars

from connector.scoring.beta import Beta
from connector.scoring.evidence import AccountEvidence, AccountRating, account_evidence
from connector.scoring.shrinkage import AccountScore, Prior, answer_variance, fit_prior, score

BOOK = fit_prior(
    evidence(*(stars(value, f"p{i}") for i, value in enumerate(values)), account=name)
    for name, values in {"a": [5, 4, 5], "b": [2, 3], "c": [4, 4, 3, 5], "d": [5], "e": [1, 4]}.items()
)


def scored(*answers: AccountRating, prior: Prior = BOOK) -> AccountScore:
    found = score(evidence(*answers), prior)
    assert found is not None
    return found


@pytest.mark.parametrize("case", REFERENCE["books"], ids=["4 accounts", "12 accounts"])
def test_the_reference_books(case: dict[str, Any]) -> None:
    pairs = zip(case["evidence"], case["mean"], strict=True)
    book = [plain_evidence(total, mean, f"account {i}") for i, (total, mean) in enumerate(pairs)]

    prior = fit_prior(book)

    assert prior.kappa == 1
    assert prior.mean == pytest.approx(case["book_mean"], abs=0.75)
    assert prior.strength == pytest.approx(case["strength"], rel=0.08)
    for one, value, deviation, interval in zip(book, case["score"], case["sd"], case["interval_90"], strict=True):
        if one.total == 0:
            assert score(one, prior) is None
            continue
        found = score(one, prior)
        assert found is not None
        variance = (
            found.belief.a
            * found.belief.b
            / (found.belief.a + found.belief.b) ** 2
            / (found.belief.a + found.belief.b + 1)
        )
        assert found.score == pytest.approx(value, abs=0.75)
        assert 100 * variance**0.5 == pytest.approx(deviation, abs=0.75)
        assert (found.low, found.high) == pytest.approx(interval, abs=1.2)


@pytest.mark.parametrize("case", REFERENCE["evidence_and_fixed_prior"])
def test_the_reference_scores_under_one_known_prior(case: dict[str, Any]) -> None:
    answers = [stars(value, who, days=days, low=0, high=100) for who, value, days in case["answers"]]
    known = account_evidence("acme", answers, NOW, timedelta(days=case["half_life_days"]))
    mean, strength = case["prior_mean"], case["prior_strength"]

    belief = Beta(mean * strength + known.weighted, (1 - mean) * strength + known.total - known.weighted)

    assert belief.mean == pytest.approx(case["score"], abs=1e-5)
    assert belief.interval(0.9) == pytest.approx(case["interval_90"], abs=1e-5)


@pytest.mark.parametrize("case", REFERENCE["beta_posteriors"])
def test_the_reference_beliefs(case: dict[str, Any]) -> None:
    belief = Beta(case["a"], case["b"])

    assert belief.mean == pytest.approx(100 * case["mean"], abs=1e-6)
    assert belief.interval(0.95) == pytest.approx([100 * end for end in case["interval_95"]], abs=1e-6)
    assert 1 - belief.below(70) == pytest.approx(case["above_70"], abs=1e-8)


def test_nobody_gets_a_score_without_answers() -> None:
    assert score(evidence(), BOOK) is None


def test_a_score_fades_away_rather_than_becoming_the_others_score() -> None:
    assert score(evidence(stars(5, days=700)), BOOK) is not None
    assert score(evidence(stars(5, days=1000)), BOOK) is None


def test_one_bad_answer_is_not_a_catastrophe() -> None:
    first = scored(stars(1))

    assert first.raw_mean == 0
    assert 40 < first.score < BOOK.mean
    assert first.high - first.low > 40
    assert first.indicative


def test_two_faded_people_are_as_indicative_as_one() -> None:
    assert scored(stars(4, days=200), stars(4, "jan", days=200)).indicative
    assert not scored(stars(4, days=170), stars(4, "jan", days=170)).indicative


FRESH = [plain_evidence(1 + i % 7, (i % 4) / 3, str(i)) for i in range(600)]
FADING = [plain_evidence(8 * (i * 0.618 % 1) ** 4 + 1e-6, i * 0.317 % 1, str(i)) for i in range(600)]
"""No two accounts are alike, and some are worth next to nothing."""


@pytest.mark.parametrize("book", [FRESH, FADING], ids=["fresh", "fading"])
def test_a_large_book_is_weighed_account_by_account(book: list[AccountEvidence]) -> None:
    """Against the beta-binomial likelihood written out with another library's gamma function."""
    prior = fit_prior(book)

    def log_beta(a: float, b: float) -> float:
        return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)

    def log_weight(mean: float, step: float) -> float:
        a, b = mean * 5 * math.exp(0.9 * step), (1 - mean) * 5 * math.exp(0.9 * step)
        explained = (log_beta(a + one.weighted, b + one.total - one.weighted) - log_beta(a, b) for one in book)
        return math.fsum(explained) - step**2 / 2

    # Grid points by number: strengths within means. Number 10 of 21 strengths is the typical one.
    points = {0: (0.01, -2.5), 25 * 21 + 10: (0.51, 0.0), 26 * 21 + 4: (0.53, -1.5), 1049: (0.99, 2.5)}
    expected = {number: log_weight(*point) for number, point in points.items()}
    first = next(iter(points))
    for number in points:
        difference = prior.log_weights[number] - prior.log_weights[first]
        assert difference == pytest.approx(expected[number] - expected[first], abs=1e-6)


def test_an_account_speaks_more_for_itself_the_more_people_answered() -> None:
    few, many = (scored(*(stars(1, f"p{i}") for i in range(count))) for count in (2, 40))

    assert many.score < few.score
    assert many.own_share > 0.8 > 2 * few.own_share
    assert many.high - many.low < few.high - few.low


def test_a_book_without_any_answers_still_has_a_prior() -> None:
    empty = fit_prior([evidence()])

    assert empty.accounts == 0
    assert empty.mean == pytest.approx(50)
    assert score(evidence(stars(5)), empty) is not None


def test_yes_or_no_answers_vary_as_much_as_answers_can() -> None:
    assert answer_variance([evidence(stars(1), stars(5, "jan"))]) == 1


def test_graded_answers_say_more_when_people_of_an_account_agree() -> None:
    agreed = [evidence(*(stars(4, f"p{i}") for i in range(4)), account=str(a)) for a in range(30)]
    split = [
        evidence(*(stars(value, f"p{i}") for i, value in enumerate([1, 5, 2, 5])), account=str(a)) for a in range(30)
    ]

    assert answer_variance(agreed) == 0.2
    assert 0.6 < answer_variance(split) <= 1


def test_the_variance_of_an_answer_is_what_it_was_worked_out_by_hand() -> None:
    # Values .75, .25 and .5, 1: spread .125 + .125, mean .625, two degrees of freedom.
    book = [evidence(stars(4), stars(2, "jan")), evidence(stars(3), stars(5, "jan"))]

    assert answer_variance(book) == pytest.approx((0.25 / (0.625 * 0.375) + 10) / 22)


def test_age_alone_does_not_make_answers_look_alike() -> None:
    def book(days: int) -> list[AccountEvidence]:
        return [evidence(stars(2, days=days), stars(5, "jan", days=days)), evidence(stars(4, days=days))]

    assert answer_variance(book(720)) == pytest.approx(answer_variance(book(0)))


def test_a_stored_prior_comes_back_exactly() -> None:
    assert Prior.from_json(BOOK.to_json()) == BOOK
    assert score(evidence(stars(4)), Prior.from_json(BOOK.to_json())) == score(evidence(stars(4)), BOOK)


def test_a_stored_prior_is_small() -> None:
    assert len(BOOK.to_json()) < 20_000


def test_a_prior_of_another_method_is_refused() -> None:
    stored = json.loads(BOOK.to_json()) | {"method": "something-else-7"}

    with pytest.raises(ValueError, match="something-else-7"):
        Prior.from_json(json.dumps(stored))


def test_a_stored_prior_lets_a_new_answer_move_its_own_account_alone() -> None:
    before, after = scored(stars(4)), scored(stars(4), stars(1, "jan"))

    assert after.score < before.score
    assert scored(stars(3, "li")) == scored(stars(3, "li"), prior=Prior.from_json(BOOK.to_json()))


@given(st.lists(answers_of(), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_accounts_does_not_matter(groups: list[list[AccountRating]], chance: random.Random) -> None:
    book = [evidence(*answers, account=str(i)) for i, answers in enumerate(groups)]
    prior = fit_prior(book)
    chance.shuffle(book)

    assert fit_prior(book) == prior


@given(answers_of())
def test_a_stored_prior_of_any_book_comes_back_exactly(answers: list[AccountRating]) -> None:
    prior = fit_prior([evidence(*answers)])

    assert Prior.from_json(prior.to_json()) == prior


@given(answers_of())
def test_a_score_lies_strictly_within_the_scale_and_its_range(answers: list[AccountRating]) -> None:
    known = evidence(*answers)
    found = score(known, fit_prior([known]))

    if found is not None:
        assert 0 < found.score < 100
        assert 0 <= found.low < found.score < found.high <= 100
        assert found.probability_below(50) + found.probability_above(50) == pytest.approx(1)


@given(answers_of(), st.data())
def test_a_better_answer_never_lowers_the_score(answers: list[AccountRating], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(answers) - 1))
    worse = answers[index]
    better = stars(
        data.draw(st.integers(int(worse.value), 5)), worse.contact, at=worse.at, interaction=worse.interaction
    )
    before, after = (
        score(evidence(*some), BOOK) for some in (answers, [*answers[:index], better, *answers[index + 1 :]])
    )

    if before is not None and after is not None:
        assert after.score >= before.score - 1e-9


@given(answers_of(), st.integers(0, 100))
def test_a_delighted_newcomer_never_lowers_the_score(answers: list[AccountRating], days: int) -> None:
    before, after = score(evidence(*answers), BOOK), score(evidence(*answers, stars(5, "newcomer", days=days)), BOOK)

    if before is not None:
        assert after is not None
        assert after.score >= before.score - 1e-9


@given(st.integers(1, 100))
def test_a_hundred_answers_of_one_person_weigh_no_more_than_one(times: int) -> None:
    assert scored(*[stars(1)] * times).score == pytest.approx(scored(stars(1)).score)


def test_evidence_decays_evenly_so_scores_drift_to_the_book_without_news() -> None:
    answers = [stars(5, "maria"), stars(5, "jan")]
    later = [
        score(account_evidence("acme", answers, NOW + timedelta(days=days), HALF_LIFE), BOOK)
        for days in (0, 90, 180, 360)
    ]
    values = [one.score for one in later if one is not None]

    assert len(values) == 4
    assert values == sorted(values, reverse=True)
    assert values[-1] > BOOK.mean
