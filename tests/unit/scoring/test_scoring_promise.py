"""The promise of the score, tried on invented books whose truth is known: nearer to it, and honest about the distance."""

import numpy as np
import pytest
from scoring_examples import plain_evidence

from connector.scoring.shrinkage import fit_prior, score

ACCOUNTS = 10
BOOKS = 150
TRUE_MEAN = 0.75


@pytest.mark.parametrize("true_strength", [3, 8])
def test_ranges_hold_the_truth_and_scores_come_nearer_to_it(true_strength: float) -> None:
    """Small books, one to six yes/no answers an account: a 90 % range may miss in one of ten cases, not in one of three."""
    chance = np.random.default_rng(20261122)
    held, errors, raw_errors = [], [], []
    for _ in range(BOOKS):
        truth = chance.beta(TRUE_MEAN * true_strength, (1 - TRUE_MEAN) * true_strength, ACCOUNTS)
        sizes = chance.integers(1, 7, ACCOUNTS)
        hits = chance.binomial(sizes, truth)
        book = [
            plain_evidence(float(n), float(k / n), str(i)) for i, (n, k) in enumerate(zip(sizes, hits, strict=True))
        ]
        prior = fit_prior(book)
        for one, true in zip(book, 100 * truth, strict=True):
            found = score(one, prior)
            assert found is not None
            held.append(found.low <= true <= found.high)
            errors.append(found.score - true)
            raw_errors.append(found.raw_mean - true)

    assert 0.84 < np.mean(held) < 0.97
    assert np.std(errors) < 0.8 * np.std(raw_errors)
