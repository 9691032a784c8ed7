"""The priors that customers are scored with: fitted once a day, stored with a version, and each read once in a run."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from connector.scoring.shrinkage import Prior, fit_prior
from connector.stages.context import Context
from connector.stages.score.plan import fitted_with
from connector.store import Transaction
from connector.store.results import scores
from connector.store.results.scores import StoredPrior


@dataclass(frozen=True, slots=True)
class FittedPrior:
    """A prior, and the version that it is stored as."""

    version: int
    prior: Prior


def prior_at(context: Context, as_of: datetime) -> FittedPrior:
    """Return the prior for answers that are taken in on a day: the day's, which the first to ask for it fits.

    Fitting a prior looks at the whole book. Where somebody waits for an answer of theirs, the newest that there is serves, be it an
    earlier day's; only where that was fitted on no answer at all, or there is none, one is fitted.
    """
    day = as_of.astimezone(context.settings.schedule.timezone).date().isoformat()
    half_life = context.settings.scoring.half_life
    how = fitted_with(half_life)
    with context.store.read() as tx:
        stored = _usable(scores.prior_of_day(tx, day, how), how)
        if stored is None and context.customers is not None:
            newest = _usable(scores.newest_prior(tx, how), how)
            stored = newest if newest is not None and newest.prior.accounts else None
        if stored is not None:
            return stored
        prior = fit_prior(scores.evidence_of_all(tx, as_of, half_life))
    with context.write() as tx:
        saved = scores.save_prior(tx, prior, day, fitted_with=how)
        # Another process may have been first: then its prior holds for the day.
        return _usable(saved, how) or FittedPrior(scores.replace_prior(tx, saved.version, prior), prior)


class StoredPriors:
    """The priors of earlier days by version. One is parsed when the first customer needs it, not once for each customer."""

    def __init__(self, how: str) -> None:
        self._how = how
        self._read: dict[int, FittedPrior | None] = {}

    def read(self, tx: Transaction, versions: Collection[int | None]) -> None:
        """Read those of these versions that were not read before."""
        missing = {version for version in versions if version is not None} - self._read.keys()
        if not missing:
            return
        self._read |= dict.fromkeys(missing)
        self._read |= {stored.version: _usable(stored, self._how) for stored in scores.priors_of_versions(tx, missing)}

    def of_version(self, version: int | None) -> FittedPrior | None:
        """Return one that was read; None when there is none, or when it was fitted in another way."""
        return None if version is None else self._read[version]


def _usable(stored: StoredPrior | None, how: str) -> FittedPrior | None:
    """Return a stored prior; None when there is none, or when it was fitted in another way: then it is fitted anew."""
    if stored is None or stored.fitted_with != how:
        return None
    try:
        return FittedPrior(stored.version, Prior.from_json(stored.value))
    except ValueError:
        return None
