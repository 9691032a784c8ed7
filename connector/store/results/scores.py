"""Queries of `score`: ratings out, figures in."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import Connection, Update, and_, bindparam, case, func, or_, select, update

from connector.model.documents import JsonObject
from connector.model.score import Figures
from connector.scoring.evidence import AccountEvidence, AccountRating, DatedEvidence, account_evidence
from connector.scoring.shrinkage import Prior
from connector.store.db import row_readers
from connector.store.db.among import is_listed, listed
from connector.store.db.types import AnyRow, AnySelect, Utc
from connector.store.db.upsert import insert_or_ignore
from connector.store.surveys.askable import LOOK_AGAIN
from connector.store.tables import account, contact, customer_score, prior, rating, response, score_history

_PAGE = 2000
_CUSTOMERS = 200
"""Of how many customers the answers are in memory at a time."""


@dataclass(frozen=True, slots=True)
class PublishedScore:
    """The figures of a customer as published, and what they were made from."""

    customer: str
    stale_at: datetime | None
    """Since when answers, silence or follow-ups have changed and were not yet taken in."""
    prior_version: int | None
    figures: Figures | None
    answers_key: str | None
    """Which set of answers the figures were made from."""
    made_with: str | None
    """Which settings and version of the rules the figures were made with."""


@dataclass(frozen=True, slots=True)
class StoredPrior:
    """A prior as it was fitted for a day."""

    version: int
    fitted_with: str
    """Method and half-life."""
    value: str
    """As `Prior.to_json` gives it."""


@dataclass(frozen=True, slots=True)
class Publication:
    """New figures of a customer."""

    customer: str
    figures: Figures | None
    version: int
    """Of the prior that they were made with."""


@dataclass(frozen=True, slots=True)
class TakenIn:
    """A customer whose answers figures were made of."""

    customer: str
    answers_key: str | None
    evidence: DatedEvidence


_SCORES = select(
    customer_score.c.customer,
    customer_score.c.stale_at,
    customer_score.c.prior_version,
    customer_score.c.figures,
    customer_score.c.answers_key,
    customer_score.c.made_with,
)
# Made once, as all that every page asks for: making a statement takes longer than carrying it out.
_WAITING = _SCORES.where(customer_score.c.stale_at.is_not(None)).order_by(
    customer_score.c.stale_at, customer_score.c.customer
)
_STALE = _WAITING.limit(bindparam("most"))
_STALE_BEHIND = _STALE.where(
    or_(
        customer_score.c.stale_at > bindparam("since"),
        and_(customer_score.c.stale_at == bindparam("since"), customer_score.c.customer > bindparam("behind")),
    )
)
_differently = or_(customer_score.c.made_with.is_(None), customer_score.c.made_with != bindparam("now_with"))
_AGED = (
    _SCORES.where(
        customer_score.c.stale_at.is_(None),
        customer_score.c.customer > bindparam("behind"),
        or_(customer_score.c.as_of < bindparam("day"), and_(customer_score.c.answers_key.is_not(None), _differently)),
    )
    .order_by(customer_score.c.customer)
    .limit(bindparam("most"))
)
_PRIORS = select(prior.c.version, prior.c.fitted_with, prior.c.value)


def stale(tx: Connection, after: tuple[datetime, str] | None, limit: int) -> list[PublishedScore]:
    """Return scores of customers that something happened to, longest waiting first, behind a place (since when, customer)."""
    if after is None:
        return _published(tx, _STALE, {"most": limit})
    since, customer = after
    return _published(tx, _STALE_BEHIND, {"since": since, "behind": customer, "most": limit})


def aged(tx: Connection, as_of: datetime, after: str, limit: int, *, made_with: str) -> list[PublishedScore]:
    """Return scores of customers whose figures hold for an earlier day or were made with other settings, by customer behind `after`."""
    return _published(tx, _AGED, {"day": as_of, "behind": after, "now_with": made_with, "most": limit})


def _published(tx: Connection, query: AnySelect, chosen: Mapping[str, object]) -> list[PublishedScore]:
    return [_score_of(row) for row in tx.execute(query, chosen)]


def _score_of(row: AnyRow) -> PublishedScore:
    return PublishedScore(
        row.customer,
        row.stale_at,
        row.prior_version,
        row_readers.figures_of(row.figures),
        row.answers_key,
        row.made_with,
    )


def of_customers(tx: Connection, customers: Collection[str]) -> list[PublishedScore]:
    """Return the scores of these customers, by customer."""
    return _published(tx, _of_customers(tx.dialect.name), listed(tx, customers))


def locked(tx: Connection, customers: Collection[str]) -> list[PublishedScore]:
    """Return the same, locked until the end of the transaction.

    Of two who score a customer at once the second sees what the first has published.
    """
    return _published(tx, _locked(tx.dialect.name), listed(tx, customers))


@cache
def _of_customers(dialect: str) -> AnySelect:
    return _SCORES.where(is_listed(dialect, customer_score.c.customer)).order_by(customer_score.c.customer)


@cache
def _locked(dialect: str) -> AnySelect:
    return _of_customers(dialect).with_for_update()


def ratings_of(tx: Connection, customers: Collection[str]) -> Mapping[str, list[AccountRating]]:
    """Return the answers that count for each of these customers, over all its accounts."""
    ratings: dict[str, list[AccountRating]] = {customer: [] for customer in customers}
    for row in tx.execute(_ratings_of(tx.dialect.name), listed(tx, ratings)):
        ratings[row.customer].append(
            AccountRating(
                row.customer,
                row.who,
                row.metric,
                row.value,
                row.low,
                row.high,
                row.direction,
                row.at,
                row.interaction_id,
            )
        )
    return ratings


@cache
def _ratings_of(dialect: str) -> AnySelect:
    return _RATINGS.where(is_listed(dialect, account.c.customer)).order_by(response.c.at, rating.c.id)


# ── what answers are worth ───────────────────────────────────────────────────────────────────────────────────────────


def evidence_of_all(tx: Connection, as_of: datetime, half_life: timedelta) -> Iterator[AccountEvidence]:
    """Yield what the answers of every customer are worth at some moment.

    What they were worth when they were scored is kept and has only aged since. The answers themselves are read where that is not known:
    of customers that something happened to, and where answers faded in another way.
    """
    unknown: list[str] = []
    for customer, kept in tx.execution_options(yield_per=_PAGE).execute(_EVIDENCE):
        evidence = None if kept is None else _aged(customer, kept, as_of, half_life)
        if evidence is None:
            unknown.append(customer)
        elif evidence.people:
            yield evidence
    for start in range(0, len(unknown), _CUSTOMERS):
        ratings = ratings_of(tx, unknown[start : start + _CUSTOMERS])
        yield from (account_evidence(customer, theirs, as_of, half_life) for customer, theirs in ratings.items())


def _aged(customer: str, kept: JsonObject, as_of: datetime, half_life: timedelta) -> AccountEvidence | None:
    at = datetime.fromisoformat(kept[_AT])
    if kept[_HALF_LIFE] != half_life.total_seconds() or at > as_of:
        return None
    return AccountEvidence(customer, *kept[_WORTH]).aged(as_of - at, half_life)


def _kept(dated: DatedEvidence) -> dict[str, object]:
    evidence = dated.evidence
    worth = [getattr(evidence, name) for name in _NAMES_OF_WORTH]
    return {_AT: dated.at.isoformat(), _HALF_LIFE: dated.half_life.total_seconds(), _WORTH: worth}


_AT, _HALF_LIFE, _WORTH = "at", "half_life_s", "worth"
_NAMES_OF_WORTH = tuple(field.name for field in fields(AccountEvidence))[1:]
_happened = or_(
    customer_score.c.stale_at.is_not(None),
    customer_score.c.made_with.is_(None),
    # Who of them is the same person may have changed.
    customer_score.c.made_with == LOOK_AGAIN,
)
_EVIDENCE = select(customer_score.c.customer, case((~_happened, customer_score.c.evidence)))


# ── priors ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def prior_of_day(tx: Connection, day: str, fitted_with: str) -> StoredPrior | None:
    """Return the prior (version, fitted_with, value) that was fitted for a day in this way."""
    chosen = _PRIORS.where(prior.c.day == day, prior.c.fitted_with == fitted_with)
    row = tx.execute(chosen).one_or_none()
    return None if row is None else StoredPrior(*row)


def newest_prior(tx: Connection, fitted_with: str) -> StoredPrior | None:
    """Return the prior that was fitted last in this way."""
    newest = _PRIORS.where(prior.c.fitted_with == fitted_with).order_by(prior.c.day.desc(), prior.c.version.desc())
    row = tx.execute(newest.limit(1)).one_or_none()
    return None if row is None else StoredPrior(*row)


def priors_of_versions(tx: Connection, versions: Collection[int]) -> list[StoredPrior]:
    """Return stored priors."""
    return [StoredPrior(*row) for row in tx.execute(_PRIORS.where(prior.c.version.in_(versions)))]


def save_prior(tx: Connection, value: Prior, day: str, *, fitted_with: str) -> StoredPrior:
    """Store the prior of a day, unless another process has; returns the one that is stored."""
    newest = tx.execute(select(func.max(prior.c.version))).scalar() or 0
    row = {
        "version": newest + 1,
        "day": day,
        "method": value.method,
        "fitted_with": fitted_with,
        "value": value.to_json(),
    }
    insert_or_ignore(tx, prior, [row])
    chosen = _PRIORS.where(prior.c.day == day, prior.c.fitted_with == fitted_with)
    return StoredPrior(*tx.execute(chosen).one())


def replace_prior(tx: Connection, version: int, value: Prior) -> int:
    """Store a prior in place of one that cannot be read, and return its version."""
    changed = update(prior).where(prior.c.version == version)
    tx.execute(changed.values(method=value.method, value=value.to_json()))
    return version


# ── publishing ───────────────────────────────────────────────────────────────────────────────────────────────────────


def publish(tx: Connection, published: Sequence[Publication], *, method: str, as_of: datetime, now: datetime) -> None:
    """Store new figures of customers and keep them in their history."""
    if not published:
        return
    documents = [row_readers.figures_document(publication.figures) for publication in published]
    rows = [
        {"of": publication.customer, "new": document, "version": publication.version, "day": as_of, "now": now}
        for publication, document in zip(published, documents, strict=True)
    ]
    tx.execute(_PUBLISH, rows)
    history = [{"customer": row["of"], "at": now, "method": method, "figures": row["new"]} for row in rows]
    tx.execute(score_history.insert(), history)


def taken_in(tx: Connection, taken: Sequence[TakenIn], *, made_with: str) -> None:
    """Note which sets of answers, and which settings, figures are made from, and what the answers are worth."""
    rows = [
        {"of": known.customer, "key": known.answers_key, "worth": _kept(known.evidence), "made": made_with}
        for known in taken
    ]
    if rows:
        tx.execute(_TAKE_IN, rows)


def still_holds(tx: Connection, customers: Collection[str], as_of: datetime, *, made_with: str) -> None:
    """Note that the figures of these customers were looked at for this day, with these settings, and stand as published."""
    if not customers:
        return
    tx.execute(_hold(tx.dialect.name), {"with": made_with, "day": as_of, **listed(tx, customers)})


@cache
def _hold(dialect: str) -> Update:
    # Who never had figures has none that could age.
    day = case((customer_score.c.as_of.is_not(None), bindparam("day", type_=Utc)))
    here = update(customer_score).where(is_listed(dialect, customer_score.c.customer))
    return here.values(made_with=bindparam("with"), as_of=day)


def settled(tx: Connection, marks: Mapping[str, datetime | None]) -> None:
    """Take off the marks of customers that were made at these moments, unless something happened again in the meantime."""
    rows = [{"of": customer, "mark": stale_at} for customer, stale_at in sorted(marks.items()) if stale_at is not None]
    if rows:
        tx.execute(_SETTLE, rows)


_here = update(customer_score).where(customer_score.c.customer == bindparam("of"))
_PUBLISH = _here.values(
    figures=bindparam("new"), prior_version=bindparam("version"), as_of=bindparam("day"), published_at=bindparam("now")
)
_TAKE_IN = _here.values(answers_key=bindparam("key"), made_with=bindparam("made"), evidence=bindparam("worth"))
_SETTLE = _here.where(customer_score.c.stale_at == bindparam("mark")).values(stale_at=None)


_RATINGS = (
    select(
        account.c.customer,
        func.coalesce(contact.c.person, response.c.contact_id).label("who"),
        rating.c.metric,
        rating.c.value,
        rating.c.low,
        rating.c.high,
        rating.c.direction,
        response.c.at,
        response.c.interaction_id,
    )
    .join(response, response.c.id == rating.c.response_id)
    .join(account, account.c.id == response.c.account_id)
    .outerjoin(contact, contact.c.id == response.c.contact_id)
    .where(response.c.counts, account.c.deleted_at.is_(None))
)
