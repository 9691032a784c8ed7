"""Who of a customer could be asked at all, and which customers are to be looked at again when that may have changed."""

from collections.abc import Collection, Mapping
from functools import lru_cache

from sqlalchemy import ColumnElement, CompoundSelect, Connection, Select, and_, func, not_, or_, select, true, update

from connector.model import EMAIL_BOUNCED
from connector.store.db.among import among, is_listed, listed
from connector.store.db.types import AnySelect
from connector.store.tables import account, binding, contact, customer_score, invitation, person, response


def askable_people(
    tx: Connection, customers: Collection[str], *, internal_domains: Collection[str], most: int
) -> Mapping[str, int]:
    """Return how many people of each of these customers can be asked, `most` of them at most; one of whom nobody can be is absent.

    They are the contacts of its accounts, and those who were asked about it or answered for it though their record names another
    account. Each has an address, wants surveys, is reached by mail, is not one of our own people and is not deleted. One person
    under several contacts counts once.
    """
    if not customers:
        return {}
    people = tx.execute(_askable_people(tx.dialect.name, tuple(internal_domains)), listed(tx, customers))
    return {row.customer: min(row.people, most) for row in people}


@lru_cache(maxsize=16)
def _askable_people(dialect: str, internal_domains: tuple[str, ...]) -> AnySelect:
    theirs = _of_customers(is_listed(dialect, account.c.customer)).subquery()
    return (
        select(theirs.c.customer, func.count(contact.c.person.distinct()).label("people"))
        .join(contact, contact.c.id == theirs.c.contact_id)
        .outerjoin(person, person.c.person == contact.c.person)
        .where(_can_be_asked(internal_domains))
        .group_by(theirs.c.customer)
    )


def _can_be_asked(internal_domains: Collection[str]) -> ColumnElement[bool]:
    ours = [contact.c.email.endswith(f"{mark}{own}", autoescape=True) for own in internal_domains for mark in "@."]
    return and_(
        contact.c.deleted_at.is_(None),
        contact.c.person.is_not(None),
        contact.c.no_surveys.is_(False),
        person.c.opted_out_at.is_(None),
        person.c.bounced_at.is_(None),
        contact.c.facts[EMAIL_BOUNCED].as_boolean().is_not(True),
        not_(or_(*ours)) if ours else true(),
    )


def _of_customers(chosen: ColumnElement[bool]) -> CompoundSelect[tuple[str, str]]:
    condition = and_(chosen, account.c.deleted_at.is_(None))
    theirs = (
        select(account.c.customer, contact.c.id.label("contact_id"))
        .join(binding, binding.c.id == account.c.id)
        .join(contact, and_(contact.c.connection == binding.c.connection, contact.c.account_ref == binding.c.ref))
        .where(condition)
    )
    asked = select(account.c.customer, invitation.c.contact_id).join(
        invitation, invitation.c.account_id == account.c.id
    )
    answered = select(account.c.customer, response.c.contact_id).join(response, response.c.account_id == account.c.id)
    return theirs.union(asked.where(condition), answered.where(condition, response.c.counts))


LOOK_AGAIN = ""
"""In place of what figures were made with: `score` makes them anew, and publishes them if they are news."""

# ── looking again ────────────────────────────────────────────────────────────────────────────────────────────────────


def look_again_at_accounts(tx: Connection, crm: str, refs: Collection[str]) -> None:
    """Have the customers of these accounts looked at again: somebody came to them, left them or can be asked (no more).

    Only of a customer with figures is a mood shown, so only those are marked.
    """
    if not refs or not any_figures(tx):
        return
    customers = (
        select(account.c.customer)
        .join(binding, binding.c.id == account.c.id)
        .where(binding.c.connection == crm, among(tx, binding.c.ref, refs))
    )
    _mark(tx, customers)


def look_again_at_people(tx: Connection, persons: Collection[str]) -> None:
    """Have the customers of these people looked at again: their own accounts', and those that they were asked about or answered for."""
    if not persons or not any_figures(tx):
        return
    same = among(tx, contact.c.person, persons)
    own = (
        select(account.c.customer)
        .join(binding, binding.c.id == account.c.id)
        .join(contact, and_(contact.c.connection == binding.c.connection, contact.c.account_ref == binding.c.ref))
        .where(same)
    )
    asked = select(account.c.customer).join(invitation, invitation.c.account_id == account.c.id)
    answered = select(account.c.customer).join(response, response.c.account_id == account.c.id)
    _mark(tx, own)
    _mark(tx, asked.join(contact, contact.c.id == invitation.c.contact_id).where(same))
    _mark(tx, answered.join(contact, contact.c.id == response.c.contact_id).where(same))


def any_figures(tx: Connection) -> bool:
    """Tell if anybody has figures: in a first read nobody has, and pages of thousands need not be looked through."""
    return tx.execute(select(customer_score.c.customer).where(_HAS_FIGURES).limit(1)).first() is not None


def _mark(tx: Connection, customers: Select[tuple[str]]) -> None:
    tx.execute(
        update(customer_score)
        .where(customer_score.c.customer.in_(customers), _HAS_FIGURES)
        .values(made_with=LOOK_AGAIN)
    )


_HAS_FIGURES = customer_score.c.published_at.is_not(None)
