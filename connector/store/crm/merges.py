"""Merges: what belonged to the loser belongs to the survivor from now on, and both are scored again."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, exists, func, select, update
from sqlalchemy.exc import IntegrityError

from connector.model import Kind
from connector.store import tables
from connector.store.crm.records import mark_stale
from connector.store.db.types import AnyRow
from connector.store.db.upsert import insert_or_ignore
from connector.store.outbox.fields import set_desired
from connector.store.results.follow_up_moves import follow_accounts, follow_contact
from connector.store.surveys.askable import look_again_at_accounts
from connector.store.surveys.opt_outs import said_no
from connector.store.surveys.people import opt_out
from connector.store.tables import binding, ref_of


def remember(tx: Connection, crm: str, merges: Sequence[tuple[str, str]], now: datetime) -> None:
    """Keep merges until their survivor has been read: (loser's ref, survivor's ref).

    A record that was taken out of the bin and merged again, into whatever, has been merged before.
    """
    rows = [
        {"source": f"merge:{crm}", "key": loser, "payload": {"survivor": survivor}, "received_at": now}
        for loser, survivor in merges
    ]
    insert_or_ignore(tx, tables.inbox, rows)
    for row in rows:
        again = (tables.inbox.c.source == row["source"]) & (tables.inbox.c.key == row["key"])
        tx.execute(update(tables.inbox).where(again).values(**row, done_at=None))


def settle(tx: Connection, crm: str, now: datetime) -> int:
    """Carry out the remembered merges whose survivor is known; returns how many."""
    inbox, survivor, loser = tables.inbox, binding.alias("survivor"), binding.alias("loser")
    # Others wait, some for good: their survivor is nothing that the mapping reads.
    known = (
        select(inbox)
        .join(loser, and_(loser.c.connection == crm, loser.c.ref == inbox.c.key))
        .join(survivor, and_(survivor.c.connection == crm, survivor.c.ref == inbox.c.payload["survivor"].as_string()))
        .where(inbox.c.source == f"merge:{crm}", inbox.c.done_at.is_(None))
        .order_by(inbox.c.id)
    )
    done = 0
    for row in tx.execute(known).all():
        done += _settle_alone(tx, crm, row, now)
    return done


def _settle_alone(tx: Connection, crm: str, row: AnyRow, now: datetime) -> bool:
    """Carry out one merge; False where its survivor is not known yet, or where it meets what another process has just stored."""
    inbox = tables.inbox
    try:
        with tx.begin_nested():
            done = _settle_one(tx, crm, row.key, row.payload["survivor"], now)
            if done:
                tx.execute(update(inbox).where(inbox.c.id == row.id).values(done_at=now))
    except IntegrityError:
        return False  # the next lap sees what was stored, and goes by it
    return done


def _settle_one(tx: Connection, crm: str, loser_ref: str, survivor_ref: str, now: datetime) -> bool:
    loser = _bound(tx, crm, loser_ref)
    survivor = _bound(tx, crm, survivor_ref)
    if loser is None or survivor is None:
        return False
    if loser.id == survivor.id:
        return True
    # Everything that was an alias of the loser becomes one of the survivor: merges can be chained.
    tx.execute(
        update(binding).where(binding.c.connection == crm, binding.c.id == loser.id).values(id=survivor.id, alias=True)
    )
    if loser.kind == Kind.ACCOUNT.value:
        _move_account(tx, loser.id, survivor.id, now)
    if loser.kind == Kind.CONTACT.value:
        _move_contact(tx, crm, loser.id, survivor.id, now=now)
    return True


def _bound(tx: Connection, crm: str, ref: str) -> AnyRow | None:
    return tx.execute(select(binding).where(binding.c.connection == crm, binding.c.ref == ref)).one_or_none()


def _move_account(tx: Connection, loser: str, survivor: str, now: datetime) -> None:
    both = select(tables.account.c.id, tables.account.c.customer).where(tables.account.c.id.in_([loser, survivor]))
    customers = {row.id: row.customer for row in tx.execute(both)}
    for table in (tables.decision, tables.invitation, tables.response):
        tx.execute(update(table).where(table.c.account_id == loser).values(account_id=survivor))
    tx.execute(update(tables.follow_up).where(tables.follow_up.c.account_id == loser).values(account_id=survivor))
    follow_accounts(tx, [survivor], now)
    for customer in set(customers.values()):
        mark_stale(tx, customer, now)


def _move_contact(tx: Connection, crm: str, loser: str, survivor: str, *, now: datetime) -> None:
    decision = tables.decision
    other = decision.alias("other")
    clash = exists().where(
        and_(
            other.c.survey == decision.c.survey,
            other.c.interaction_id == decision.c.interaction_id,
            other.c.contact_id == survivor,
        )
    )
    # Where both were decided for the same interaction, both decisions stay as they were taken.
    tx.execute(update(decision).where(decision.c.contact_id == loser, ~clash).values(contact_id=survivor))
    for table in (tables.invitation, tables.response):
        tx.execute(update(table).where(table.c.contact_id == loser).values(contact_id=survivor))
    follow_contact(tx, loser, survivor, now)
    _keep_opt_out(tx, loser, survivor, now)
    merged = select(tables.contact.c.account_ref).where(tables.contact.c.id.in_([loser, survivor]))
    look_again_at_accounts(tx, crm, [ref for ref in tx.execute(merged).scalars() if ref])
    customers = tx.execute(
        select(func.distinct(tables.account.c.customer))
        .join(tables.response, tables.response.c.account_id == tables.account.c.id)
        .where(tables.response.c.contact_id == survivor)
    ).scalars()
    for customer in list(customers):
        mark_stale(tx, customer, now)


def _keep_opt_out(tx: Connection, loser: str, survivor: str, now: datetime) -> None:
    """Whoever wanted no surveys as one record wants none as the other, and the record that is left says so."""
    by = said_no(tx, [loser]).get(loser)
    if by is None:
        return
    left = tx.execute(select(tables.contact).where(tables.contact.c.id == survivor)).one()
    if left.person is not None:
        opt_out(tx, left.person, now, by)
    set_desired(tx, ref_of(left.connection, left.ref), "contact", {"no_surveys": True})
