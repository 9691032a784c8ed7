"""Who is a customer by the deals that were won, and how many accounts count as customers at all."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, update

from connector.model import Decision, Reason
from connector.store.crm.refs import chunks
from connector.store.db.among import among
from connector.store.db.types import AnyColumn, AnySelect
from connector.store.tables import account, binding, decision, interaction

WON = "won"
"""The event by which an interaction makes its account a customer, where a mapping goes by deals."""


def last_won(tx: Connection, customers: Iterable[str], until: datetime) -> Mapping[str, datetime]:
    """Return when each of these customers last gave us a deal, on any of its accounts, those merged into them too.

    Customers without a won deal are absent.
    """
    wins: dict[str, datetime] = {}
    for part in chunks(customers):
        rows = tx.execute(
            _of_accounts(account.c.customer, func.max(interaction.c.ended_at).label("at"))
            .where(account.c.customer.in_(part), _won(until))
            .group_by(account.c.customer)
        )
        wins.update({row.customer: row.at for row in rows})
    return wins


def look_again_after_wins(tx: Connection, crms: Collection[str], *, now: datetime, since: datetime) -> None:
    """Have decided on anew what ended after `since` and was refused for want of a customer, where a deal was won or read meanwhile."""
    news = _of_accounts(account.c.customer).where(
        interaction.c.connection.in_(crms), interaction.c.decide_at <= now, _won(now)
    )
    theirs = _of_accounts(interaction.c.id).where(account.c.customer.in_(news), interaction.c.ended_at >= since)
    refused = select(decision.c.interaction_id).where(
        decision.c.state == Decision.REFUSED,
        decision.c.reason == Reason.NOT_A_CUSTOMER,
        decision.c.connection.in_(crms),
    )
    again = [*tx.execute(theirs.where(interaction.c.id.in_(refused))).scalars()]
    if again:
        tx.execute(update(interaction).where(among(tx, interaction.c.id, again)).values(decide_at=now))


@dataclass(frozen=True, slots=True)
class Coverage:
    """Accounts of one CRM about whose interactions surveys would ask."""

    accounts: int
    said: int
    """Of these, how many their own fields call a customer."""
    won: int
    """How many have a deal that was won lately."""
    either: int


def coverage(
    tx: Connection, crm: str, events: Collection[str], *, since: datetime, until: datetime, won_since: datetime
) -> Coverage:
    """Count the accounts with interactions that ended between two moments by one of these events (``case.closed``)."""
    pairs = [and_(interaction.c.kind == kind, interaction.c.ended == end) for kind, _, end in map(_split, events)]
    concerned = _of_accounts(account.c.id).where(
        interaction.c.connection == crm,
        or_(*pairs),
        interaction.c.deleted_at.is_(None),
        interaction.c.ended_at >= since,
        interaction.c.ended_at <= until,
    )
    winners = _of_accounts(account.c.customer).where(_won(until), interaction.c.ended_at >= won_since)
    rows = (
        select(account.c.is_customer, account.c.customer.in_(winners).label("won"))
        .where(account.c.id.in_(concerned))
        .subquery()
    )
    counted = {
        (bool(row.is_customer), bool(row.won)): row.n
        for row in tx.execute(
            select(rows.c.is_customer, rows.c.won, func.count().label("n")).group_by(rows.c.is_customer, rows.c.won)
        )
    }
    return Coverage(
        sum(counted.values()),
        sum(n for (is_customer, _won), n in counted.items() if is_customer),
        sum(n for (_is_customer, won), n in counted.items() if won),
        sum(n for pair, n in counted.items() if any(pair)),
    )


def _split(event: str) -> tuple[str, str, str]:
    return event.partition(".")


def _of_accounts(*columns: AnyColumn) -> AnySelect:
    """Select from interactions with the living account that each is about now, merges followed."""
    return (
        select(*columns)
        .select_from(interaction)
        .join(
            binding,
            and_(binding.c.connection == interaction.c.connection, binding.c.ref == interaction.c.account_ref),
        )
        .join(account, account.c.id == binding.c.id)
        .where(account.c.deleted_at.is_(None))
    )


def _won(until: datetime) -> ColumnElement[bool]:
    return and_(interaction.c.ended == WON, interaction.c.deleted_at.is_(None), interaction.c.ended_at <= until)
