"""Linked accounts: which customer each account is counted as, over all connections."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, or_, select, update

from connector.domain.account_links import Linkable, customer_of
from connector.store.crm.records import mark_stale
from connector.store.db.types import AnyFrom, AnySelect
from connector.store.results.follow_up_moves import follow_accounts
from connector.store.tables import account, customer_score

PAGE: Final = 500
"""How many accounts, or keys, are looked at together: the first linking of two CRMs concerns all of them."""


def settle(tx: Connection, now: datetime) -> int:
    """Let accounts that share a key be one customer, and those that share none (any more) be one each; returns how many moved."""
    moved: set[str] = set()
    for account_row in _of_another_key(tx):
        moved.update(_count_as(tx, account_row, account_row.id, now))
    for group in _groups_to_look_at(tx):
        customer = customer_of(group, _known(tx, (member.customer for member in group)))
        for account_row in group:
            moved.update(_count_as(tx, account_row, customer or account_row.id, now))
    for account_row in _no_longer_linked(tx):
        moved.update(_count_as(tx, account_row, account_row.id, now))
    if moved:
        # Once all of them are where they belong: what parts and comes together again in between loses no answer to the other.
        follow_accounts(tx, moved, now)
    return len(moved)


def _of_another_key(tx: Connection) -> Iterator[Linkable]:
    """Yield the accounts that are still one customer with accounts whose key they do not share any more.

    The account that the customer is named after keeps it, with those of its key; where that one is not among them, the first.
    """
    head, first = account.alias("head"), account.alias("first")
    named = select(head.c.id).where(head.c.id == account.c.customer, head.c.customer == head.c.id, _lives(head))
    earliest = select(func.min(first.c.id)).where(first.c.customer == account.c.customer, _lives(first))
    named, earliest = named.correlate(account), earliest.correlate(account)
    keeper = account.alias("keeper")
    keeps = keeper.c.id == func.coalesce(named.scalar_subquery(), earliest.scalar_subquery())
    parted = (
        select(account.c.id, account.c.connection, account.c.customer)
        .select_from(account)
        .join(keeper, keeps)
        .where(_lives(account), account.c.customer != account.c.id, account.c.link.is_distinct_from(keeper.c.link))
    )
    yield from _paged(tx, parted)


def _groups_to_look_at(tx: Connection) -> Iterator[list[Linkable]]:
    """Yield the accounts of every key that two or more accounts share and are not yet one customer, or are though they should not.

    Of a key that several accounts of one CRM share only those come that are another's customer: they are to be one each.
    """
    alive = and_(account.c.link.is_not(None), _lives(account))
    several = func.count() > func.count(func.distinct(account.c.connection))
    apart = func.count(func.distinct(account.c.customer)) > 1
    joined = func.sum(case((account.c.customer != account.c.id, 1), else_=0)) > 0
    after = ""
    while True:
        shared = (
            select(account.c.link, several.label("several"))
            .where(alive, account.c.link > after)
            .group_by(account.c.link)
            .having(func.count() > 1, or_(and_(~several, apart), and_(several, joined)))
            .order_by(account.c.link)
            .limit(PAGE)
        )
        keys = {row.link: bool(row.several) for row in tx.execute(shared)}
        for link, crowded in keys.items():
            yield from _groups_of(tx, link, crowded=crowded)
        if len(keys) < PAGE:
            return
        after = max(keys)


def _groups_of(tx: Connection, link: str, *, crowded: bool) -> Iterator[list[Linkable]]:
    columns = (account.c.id, account.c.connection, account.c.customer)
    accounts = select(*columns).where(account.c.link == link, _lives(account))
    if crowded:
        for account_row in _paged(tx, accounts.where(account.c.customer != account.c.id)):
            yield [account_row]
        return
    yield [Linkable(*row) for row in tx.execute(accounts.order_by(account.c.id))]


def _no_longer_linked(tx: Connection) -> Iterator[Linkable]:
    other = account.alias("other")
    alone = ~exists().where(and_(other.c.link == account.c.link, other.c.id != account.c.id, _lives(other)))
    left = select(account.c.id, account.c.connection, account.c.customer).where(
        account.c.customer != account.c.id, _lives(account), or_(account.c.link.is_(None), alone)
    )
    return (account_row for account_row in _paged(tx, left) if _left_by_others(tx, account_row.customer))


def _paged(tx: Connection, accounts: AnySelect) -> Iterator[Linkable]:
    """Yield accounts page by page, by id: what is done about some of them meanwhile changes nothing about those behind."""
    after = ""
    while True:
        page = tx.execute(accounts.where(account.c.id > after).order_by(account.c.id).limit(PAGE)).all()
        yield from (Linkable(row.id, row.connection, row.customer) for row in page)
        if len(page) < PAGE:
            return
        after = page[-1].id


def _lives(table: AnyFrom) -> ColumnElement[bool]:
    lives: ColumnElement[bool] = table.c.deleted_at.is_(None)
    return lives


def _left_by_others(tx: Connection, customer: str) -> bool:
    """Tell whether others are still counted as this customer: the last one keeps it, with its figures."""
    here = and_(account.c.customer == customer, account.c.deleted_at.is_(None))
    return int(tx.execute(select(func.count()).select_from(account).where(here)).scalar_one()) > 1


def _known(tx: Connection, customers: Iterable[str]) -> dict[str, bool]:
    rows = tx.execute(
        select(customer_score.c.customer, customer_score.c.figures).where(customer_score.c.customer.in_([*customers]))
    )
    return {row.customer: row.figures is not None for row in rows}


def _count_as(tx: Connection, linkable: Linkable, customer: str, now: datetime) -> list[str]:
    """Count an account as this customer; returns its id if that is news."""
    if linkable.customer == customer:
        return []
    tx.execute(update(account).where(account.c.id == linkable.id).values(customer=customer))
    for changed in (linkable.customer, customer):
        mark_stale(tx, changed, now)
    return [linkable.id]
