"""Queries of `score`: ratings out, figures in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection, and_, func, or_, select, update

from connector.model.score import Figures
from connector.scoring.evidence import AccountRating
from connector.scoring.shrinkage import Prior
from connector.store import tables
from connector.store.db import row_readers
from connector.store.db.types import AnyRow, AnySelect
from connector.store.db.upsert import insert_or_ignore
from connector.store.tables import account, contact, customer_score, prior, rating, response, score_history

_PAGE = 2000


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


_SCORES = select(
    customer_score.c.customer,
    customer_score.c.stale_at,
    customer_score.c.prior_version,
    customer_score.c.figures,
    customer_score.c.answers_key,
    customer_score.c.made_with,
)
_PRIORS = select(prior.c.version, prior.c.fitted_with, prior.c.value)


def stale(tx: Connection, after: tuple[datetime, str] | None, limit: int) -> list[PublishedScore]:
    """Return scores of customers that something happened to, longest waiting first, behind a place (since when, customer)."""
    query = _SCORES.where(customer_score.c.stale_at.is_not(None)).order_by(
        customer_score.c.stale_at, customer_score.c.customer
    )
    if after is not None:
        since, customer = after
        later = and_(customer_score.c.stale_at == since, customer_score.c.customer > customer)
        query = query.where(or_(customer_score.c.stale_at > since, later))
    return _published(tx, query, limit)


def aged(tx: Connection, as_of: datetime, after: str, limit: int, *, made_with: str) -> list[PublishedScore]:
    """Return scores of customers whose figures hold for an earlier day or were made with other settings, by customer behind `after`."""
    differently = or_(customer_score.c.made_with.is_(None), customer_score.c.made_with != made_with)
    query = _SCORES.where(
        customer_score.c.stale_at.is_(None),
        customer_score.c.customer > after,
        or_(customer_score.c.as_of < as_of, and_(customer_score.c.answers_key.is_not(None), differently)),
    ).order_by(customer_score.c.customer)
    return _published(tx, query, limit)


def _published(tx: Connection, query: AnySelect, limit: int) -> list[PublishedScore]:
    return [
        PublishedScore(
            row.customer,
            row.stale_at,
            row.prior_version,
            row_readers.figures_of(row.figures),
            row.answers_key,
            row.made_with,
        )
        for row in tx.execute(query.limit(limit))
    ]


def ratings_of(tx: Connection, customer: str) -> list[AccountRating]:
    """Return the answers that count for one customer, over all its accounts."""
    rows = tx.execute(_ratings().where(account.c.customer == customer).order_by(response.c.at, rating.c.id))
    return [_answer(row) for row in rows]


def whole_book(tx: Connection) -> Iterator[tuple[str, list[AccountRating]]]:
    """Yield every customer with answers; one customer's are in memory at a time."""
    rows = tx.execution_options(yield_per=_PAGE).execute(
        _ratings().order_by(account.c.customer, response.c.at, rating.c.id)
    )
    for customer, customer_rows in groupby(rows, key=lambda row: row.customer):
        yield customer, [_answer(row) for row in customer_rows]


def prior_of_day(tx: Connection, day: str, fitted_with: str) -> StoredPrior | None:
    """Return the prior (version, fitted_with, value) that was fitted for a day in this way."""
    chosen = _PRIORS.where(prior.c.day == day, prior.c.fitted_with == fitted_with)
    row = tx.execute(chosen).one_or_none()
    return None if row is None else StoredPrior(*row)


def prior_of_version(tx: Connection, version: int | None) -> StoredPrior | None:
    """Return a stored prior."""
    row = tx.execute(_PRIORS.where(prior.c.version == version)).one_or_none()
    return None if row is None else StoredPrior(*row)


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


def taken_in(tx: Connection, customer: str, key: str, *, made_with: str) -> None:
    """Note which set of answers, and which settings, the figures are made from."""
    here = update(customer_score).where(customer_score.c.customer == customer)
    tx.execute(here.values(answers_key=key, made_with=made_with))


def publish(
    tx: Connection,
    customer: str,
    figures: Figures | None,
    *,
    method: str,
    version: int,
    as_of: datetime,
    now: datetime,
) -> None:
    """Store new figures for a customer and keep them in its history."""
    document = row_readers.figures_document(figures)
    published = {"figures": document, "prior_version": version, "as_of": as_of, "published_at": now}
    tx.execute(update(customer_score).where(customer_score.c.customer == customer).values(**published))
    tx.execute(score_history.insert().values(customer=customer, at=now, method=method, figures=document))


def still_holds(tx: Connection, customers: Sequence[str], as_of: datetime, *, made_with: str) -> None:
    """Note that the figures of these customers were looked at for this day, with these settings, and stand as published."""
    if not customers:
        return
    here = update(customer_score).where(customer_score.c.customer.in_(customers))
    tx.execute(here.values(made_with=made_with))
    # Who never had figures has none that could age.
    tx.execute(here.where(customer_score.c.as_of.is_not(None)).values(as_of=as_of))


def settled(tx: Connection, customer: str, stale_at: datetime) -> None:
    """Take the mark off, unless something happened again in the meantime."""
    tx.execute(
        update(customer_score)
        .where(customer_score.c.customer == customer, customer_score.c.stale_at == stale_at)
        .values(stale_at=None)
    )


def figures_of(tx: Connection, customer: str) -> Figures | None:
    """Return the figures as published."""
    published = select(customer_score.c.figures).where(customer_score.c.customer == customer)
    return row_readers.figures_of(tx.execute(published).scalar_one_or_none())


def _ratings() -> AnySelect:
    return (
        select(
            account.c.customer,
            func.coalesce(contact.c.person, response.c.contact_id).label("who"),
            response.c.interaction_id,
            response.c.at,
            rating.c.metric,
            rating.c.value,
            rating.c.low,
            rating.c.high,
            rating.c.direction,
        )
        .join(response, response.c.id == rating.c.response_id)
        .join(account, account.c.id == response.c.account_id)
        .outerjoin(contact, contact.c.id == response.c.contact_id)
        .where(response.c.counts, tables.account.c.deleted_at.is_(None))
    )


def _answer(row: AnyRow) -> AccountRating:
    return AccountRating(
        account=row.customer,
        contact=row.who,
        metric=row.metric,
        value=row.value,
        low=row.low,
        high=row.high,
        direction=row.direction,
        at=row.at,
        interaction=row.interaction_id,
    )
