"""Linked accounts: which customer each account is counted as, over all connections."""

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection, and_, exists, func, or_, select, update

from connector.linking import Linkable, customer_of
from connector.store.follow_up_moves import follow_accounts
from connector.store.pulling import mark_stale
from connector.store.tables import account, standing


def settle(connection: Connection, now: datetime) -> int:
    """Let accounts that share a key be one customer, and those that share none (any more) be one each; returns how many moved."""
    moved: list[str] = []
    for one in _of_another_key(connection):
        moved += _count_as(connection, one, one.id, now)
    for group in _groups_to_look_at(connection):
        customer = customer_of(group, _known(connection, (one.customer for one in group)))
        for one in group:
            moved += _count_as(connection, one, customer or one.id, now)
    for one in _no_longer_linked(connection):
        moved += _count_as(connection, one, one.id, now)
    if moved:
        # Once all of them are where they belong: what parts and comes together again in between loses no answer to the other.
        follow_accounts(connection, set(moved), now)
    return len(moved)


def _of_another_key(connection: Connection) -> list[Linkable]:
    """Return the accounts that are still one customer with accounts whose key they do not share any more.

    The account that the customer is named after keeps it, with those of its key.
    """
    joined = account.alias("joined")
    several = select(joined.c.customer).where(joined.c.customer != joined.c.id, joined.c.deleted_at.is_(None))
    rows = connection.execute(
        select(account.c.id, account.c.connection, account.c.customer, account.c.link)
        .where(account.c.deleted_at.is_(None), account.c.customer.in_(several))
        .order_by(account.c.customer, account.c.id)
    ).all()
    parted = []
    for customer, group in groupby(rows, key=lambda row: row.customer):
        mine = [*group]
        keeps = next((row for row in mine if row.id == customer), mine[0])
        parted += [Linkable(row.id, row.connection, customer) for row in mine if row.link != keeps.link]
    return parted


def _groups_to_look_at(connection: Connection) -> list[list[Linkable]]:
    """Return the accounts of every key that two or more accounts share and are not yet one customer, or are though they should not."""
    alive = and_(account.c.link.is_not(None), account.c.deleted_at.is_(None))
    shared = (
        select(account.c.link)
        .where(alive)
        .group_by(account.c.link)
        .having(
            func.count() > 1,
            or_(
                func.count(func.distinct(account.c.customer)) > 1,
                func.count() > func.count(func.distinct(account.c.connection)),
            ),
        )
    )
    rows = connection.execute(
        select(account.c.link, account.c.id, account.c.connection, account.c.customer)
        .where(alive, account.c.link.in_(shared))
        .order_by(account.c.link, account.c.id)
    ).all()
    return [
        [Linkable(row.id, row.connection, row.customer) for row in mine]
        for _link, mine in groupby(rows, key=lambda row: row.link)
    ]


def _no_longer_linked(connection: Connection) -> list[Linkable]:
    other = account.alias("other")
    alone = ~exists().where(
        and_(other.c.link == account.c.link, other.c.id != account.c.id, other.c.deleted_at.is_(None))
    )
    rows = connection.execute(
        select(account.c.id, account.c.connection, account.c.customer).where(
            account.c.customer != account.c.id, account.c.deleted_at.is_(None), or_(account.c.link.is_(None), alone)
        )
    )
    return [Linkable(row.id, row.connection, row.customer) for row in rows if _left_by_others(connection, row.customer)]


def _left_by_others(connection: Connection, customer: str) -> bool:
    """Tell whether others are still counted as this customer: the last one keeps it, with its figures."""
    here = and_(account.c.customer == customer, account.c.deleted_at.is_(None))
    return int(connection.execute(select(func.count()).select_from(account).where(here)).scalar_one()) > 1


def _known(connection: Connection, customers: Iterable[str]) -> dict[str, bool]:
    rows = connection.execute(
        select(standing.c.customer, standing.c.score).where(standing.c.customer.in_([*customers]))
    )
    return {row.customer: row.score is not None for row in rows}


def _count_as(connection: Connection, one: Linkable, customer: str, now: datetime) -> list[str]:
    """Count an account as this customer; returns its id if that is news."""
    if one.customer == customer:
        return []
    connection.execute(update(account).where(account.c.id == one.id).values(customer=customer))
    for changed in (one.customer, customer):
        mark_stale(connection, changed, now)
    return [one.id]
