"""What becomes of follow-ups when contacts or accounts merge, and when accounts are linked or part.

One open follow-up for each customer and person: two that come to be about the same person are joined. Who loses an answer to another
customer is owed a follow-up of their own, which the stage `follow_up` opens.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection, or_, select, update

from connector.model import FollowUpState
from connector.model.follow_up import PersonalFollowUp
from connector.store.crm.records import mark_stale
from connector.store.results import follow_ups
from connector.store.tables import account, follow_up


def join_same(tx: Connection, customers: Collection[str], now: datetime) -> None:
    """Join the follow-ups of each of these customers that are about the same person."""
    of_customer: dict[str, list[PersonalFollowUp]] = {}
    for known in follow_ups.unclosed(tx, customers):
        of_customer.setdefault(known.follow_up.customer, []).append(known)
    for unclosed in of_customer.values():
        _join_groups(tx, unclosed, now)


def follow_contact(tx: Connection, loser: str, survivor: str, now: datetime) -> None:
    """Make what is about a contact about the one that it was merged into."""
    of_either = or_(follow_up.c.about.in_((loser, survivor)), follow_up.c.contact_id == loser)
    customers = set(tx.execute(select(follow_up.c.customer).where(of_either).distinct()).scalars())
    for customer in customers:
        unclosed = follow_ups.unclosed(tx, [customer])
        same = [known for known in unclosed if known.follow_up.about in (loser, survivor)]
        _join_all(tx, same, now)  # before both come to be about one contact, which two that are not closed cannot
    tx.execute(update(follow_up).where(follow_up.c.about == loser).values(about=survivor))
    tx.execute(update(follow_up).where(follow_up.c.contact_id == loser).values(contact_id=survivor))
    for customer in customers:
        join_same(tx, [customer], now)
        mark_stale(tx, customer, now)


def follow_accounts(tx: Connection, accounts: Collection[str], now: datetime) -> None:
    """Give the follow-ups of accounts to the customers that these are counted as now, and join two about the same person."""
    moved = tx.execute(
        select(follow_up.c.id, follow_up.c.customer.label("before"), account.c.customer)
        .join(account, account.c.id == follow_up.c.account_id)
        .where(account.c.id.in_(accounts), follow_up.c.customer != account.c.customer)
        .order_by(account.c.customer, follow_up.c.id)
    ).all()
    for customer, group in groupby(moved, key=lambda row: row.customer):
        rows = [*group]
        _move(tx, customer, {row.id for row in rows}, {row.before for row in rows}, now)
    of_accounts = select(account.c.customer).where(account.c.id.in_(accounts))
    customers = {*tx.execute(of_accounts).scalars(), *(row.before for row in moved)}
    customers |= follow_ups.owe_strays(tx, customers, now)
    for customer in customers:
        mark_stale(tx, customer, now)


def _move(tx: Connection, customer: str, ids: Collection[str], before: Collection[str], now: datetime) -> None:
    arriving = [known for known in follow_ups.unclosed(tx, before) if known.follow_up.id in ids]
    together = sorted([*follow_ups.unclosed(tx, [customer]), *arriving], key=_order)
    _join_groups(tx, together, now)
    for follow_up_id in ids:
        follow_ups.change(tx, follow_up_id, {"customer": customer})


def _order(known: PersonalFollowUp) -> tuple[bool, datetime, datetime, str]:
    this = known.follow_up
    return this.state is not FollowUpState.OPEN, this.due_at, this.opened_at, this.id


def _join_groups(tx: Connection, unclosed: Sequence[PersonalFollowUp], now: datetime) -> None:
    """Join those of each person; they stand in the order in which one is preferred."""
    people: dict[str, list[PersonalFollowUp]] = {}
    for known in unclosed:
        people.setdefault(known.person, []).append(known)
    for same in people.values():
        _join_all(tx, same, now)


def _join_all(tx: Connection, same: Sequence[PersonalFollowUp], now: datetime) -> None:
    if same:
        follow_ups.take_over(tx, same[0].follow_up, [known.follow_up for known in same[1:]], now)
