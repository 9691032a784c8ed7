"""Queries of the exports: every row as a typed value, read page by page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ColumnElement, Connection, and_, func, or_, select

from connector.model import Rating
from connector.model.score import Figures
from connector.store import tables as t
from connector.store.crm.refs import chunks, rows_by_address, rows_by_id
from connector.store.db.row_readers import figures_of
from connector.store.db.types import AnyColumn, AnyRow, AnySelect, AnyTable

PAGE = 1_000
"""How many rows are read, and kept in memory, at once."""
Span = tuple[datetime, datetime] | None
"""From when on and until when (exclusive); None: of all time."""


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account and its published figures; None where nothing is published."""

    connection: str
    crm_id: str
    name: str
    owner: str | None
    figures: Figures | None
    open_follow_ups: int


@dataclass(frozen=True, slots=True)
class ResponseRow:
    """One rating of one response; `counts` is False for one that was corrected or changed after contact."""

    at: datetime
    connection: str
    account: str | None
    contact: str | None
    survey: str
    occasion: str
    rating: Rating
    comment: str | None
    language: str | None
    source: str
    counts: bool


@dataclass(frozen=True, slots=True)
class FollowUpRow:
    """One follow-up, whatever became of it."""

    opened_at: datetime
    due_at: datetime
    state: str
    connection: str
    account: str | None
    contact: str | None
    rule: str
    owner: str | None
    priority: str
    subject: str
    answers: int
    attempts: int
    outcome: str | None
    cause: str | None
    note: str | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """Whether somebody was asked on an occasion, and why not."""

    decided_at: datetime
    connection: str
    survey: str
    occasion: str | None
    account: str | None
    contact: str | None
    state: str
    reason: str | None
    until: datetime | None


def accounts(tx: Connection, at: datetime | None = None) -> Iterator[AccountRow]:
    """Yield every account with the figures of now, or with those that were published last before `at`."""
    after = ("", "")
    while True:
        key = (t.account.c.connection, t.account.c.ref)
        query = select(t.account).where(t.account.c.deleted_at.is_(None), _behind(key, after)).order_by(*key)
        page = tx.execute(query.limit(PAGE)).all()
        customers = {row.customer for row in page}
        figures = _figures(tx, customers) if at is None else _figures_at(tx, customers, at)
        open_ones = _open_follow_ups(tx, customers)
        owners = _owners(tx, page)
        for row in page:
            yield AccountRow(
                connection=row.connection,
                crm_id=row.ref.partition("/")[2],
                name=row.name,
                owner=owners.get((row.connection, row.owner_ref)),
                figures=figures.get(row.customer),
                open_follow_ups=open_ones.get(row.customer, 0),
            )
        if len(page) < PAGE:
            return
        after = (page[-1].connection, page[-1].ref)


def responses(tx: Connection, span: Span = None) -> Iterator[ResponseRow]:
    """Yield the ratings of every response in the order of time."""
    for page in _pages(tx, t.response, t.response.c.at, span):
        names = _Names(tx, page)
        ratings = _ratings(tx, [row.id for row in page])
        for row in page:
            for rating in ratings.get(row.id, ()):
                yield ResponseRow(
                    at=row.at,
                    connection=row.connection,
                    account=names.account(row),
                    contact=names.contact(row),
                    survey=row.survey,
                    occasion=row.label,
                    rating=rating,
                    comment=row.comment,
                    language=row.language,
                    source=row.source,
                    counts=row.counts,
                )


def follow_ups(tx: Connection, span: Span = None) -> Iterator[FollowUpRow]:
    """Yield every follow-up in the order in which they were opened."""
    for page in _pages(tx, t.follow_up, t.follow_up.c.opened_at, span):
        names = _Names(tx, page)
        owners = _owners(tx, page)
        answers = _answers(tx, [row.id for row in page])
        for row in page:
            yield FollowUpRow(
                opened_at=row.opened_at,
                due_at=row.due_at,
                state=row.state,
                connection=row.connection,
                account=names.account(row),
                contact=names.contact(row),
                rule=row.rule,
                owner=owners.get((row.connection, row.owner_ref)),
                priority=row.priority,
                subject=row.subject,
                answers=answers.get(row.id, 0),
                attempts=row.attempts,
                outcome=row.outcome,
                cause=row.cause,
                note=row.note,
                closed_at=row.closed_at,
            )


def decisions(tx: Connection, span: Span = None) -> Iterator[DecisionRow]:
    """Yield every decision about asking somebody, in the order of time."""
    for page in _pages(tx, t.decision, t.decision.c.decided_at, span):
        names = _Names(tx, page)
        interactions = rows_by_id(tx, t.interaction, {row.interaction_id for row in page})
        for row in page:
            occasion = interactions.get(row.interaction_id)
            yield DecisionRow(
                decided_at=row.decided_at,
                connection=row.connection,
                survey=row.survey,
                occasion=occasion.label if occasion is not None else None,
                account=names.account(row),
                contact=names.contact(row),
                state=row.state,
                reason=row.reason,
                until=row.until,
            )


class _Names:
    """The names of the accounts and contacts that a page of rows is about."""

    def __init__(self, tx: Connection, page: Sequence[AnyRow]) -> None:
        self._accounts = rows_by_id(tx, t.account, {row.account_id for row in page if row.account_id})
        self._contacts = rows_by_id(tx, t.contact, {row.contact_id for row in page if row.contact_id})

    def account(self, row: AnyRow) -> str | None:
        """Return the name of a row's account; None when there is none (any more)."""
        known = self._accounts.get(row.account_id or "")
        return known.name if known is not None else None

    def contact(self, row: AnyRow) -> str | None:
        """Return the name of a row's contact; None when there is none (any more)."""
        known = self._contacts.get(row.contact_id or "")
        return known.name if known is not None and known.deleted_at is None else None


def _pages(tx: Connection, table: AnyTable, at: Column[datetime], span: Span) -> Iterator[Sequence[AnyRow]]:
    """Yield a table's rows in the order of (time, id), a page at a time."""
    within = () if span is None else (at >= span[0], at < span[1])
    after: tuple[datetime, int | str] | None = None
    while True:
        behind = () if after is None else (_behind((at, table.c.id), after),)
        page = tx.execute(select(table).where(*within, *behind).order_by(at, table.c.id).limit(PAGE)).all()
        if page:
            yield page
        if len(page) < PAGE:
            return
        last = page[-1]._mapping
        after = (last[at], last[table.c.id])


def _behind(key: tuple[AnyColumn, AnyColumn], after: tuple[object, object]) -> ColumnElement[bool]:
    return or_(key[0] > after[0], and_(key[0] == after[0], key[1] > after[1]))


def _figures(tx: Connection, customers: set[str]) -> dict[str, Figures]:
    known: dict[str, Figures] = {}
    for part in chunks(customers):
        query = select(t.customer_score.c.customer, t.customer_score.c.figures).where(
            t.customer_score.c.customer.in_(part)
        )
        known |= _by_customer(tx, query)
    return known


def _figures_at(tx: Connection, customers: set[str], at: datetime) -> dict[str, Figures]:
    """Return what was published last before a moment."""
    history = t.score_history
    known: dict[str, Figures] = {}
    for part in chunks(customers):
        last = (
            select(func.max(history.c.id).label("id"))
            .where(history.c.customer.in_(part), history.c.at < at)
            .group_by(history.c.customer)
        )
        known |= _by_customer(tx, select(history.c.customer, history.c.figures).where(history.c.id.in_(last)))
    return known


def _by_customer(tx: Connection, query: AnySelect) -> dict[str, Figures]:
    return {row.customer: figures for row in tx.execute(query) if (figures := figures_of(row.figures))}


def _open_follow_ups(tx: Connection, customers: set[str]) -> dict[str, int]:
    known = {}
    for part in chunks(customers):
        query = (
            select(t.follow_up.c.customer, func.count().label("n"))
            .where(t.follow_up.c.customer.in_(part), t.follow_up.c.state != "closed")
            .group_by(t.follow_up.c.customer)
        )
        known.update({row.customer: int(row.n) for row in tx.execute(query)})
    return known


def _owners(tx: Connection, page: Sequence[AnyRow]) -> dict[tuple[str, str], str]:
    addresses = {(row.connection, row.owner_ref) for row in page if row.owner_ref}
    return {address: row.name for address, row in rows_by_address(tx, t.owner, addresses).items()}


def _ratings(tx: Connection, ids: Sequence[str]) -> dict[str, list[Rating]]:
    known: dict[str, list[Rating]] = {}
    for part in chunks(ids):
        for row in tx.execute(select(t.rating).where(t.rating.c.response_id.in_(part)).order_by(t.rating.c.id)):
            rating = Rating(row.metric, row.question, row.value, row.low, row.high, row.direction)
            known.setdefault(row.response_id, []).append(rating)
    return known


def _answers(tx: Connection, ids: Sequence[str]) -> dict[str, int]:
    link = t.follow_up_response
    known = {}
    for part in chunks(ids):
        query = (
            select(link.c.follow_up_id, func.count().label("n"))
            .where(link.c.follow_up_id.in_(part))
            .group_by(link.c.follow_up_id)
        )
        known.update({row.follow_up_id: int(row.n) for row in tx.execute(query)})
    return known
