"""Queries of the people of customers: who was asked, who answered, and what each of them said last."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, and_, case, func, or_, select

from connector.model import Delivery
from connector.model.stored import StoredContact
from connector.sentences.content import NamedResponse
from connector.store.db import row_readers
from connector.store.db.among import is_listed, listed
from connector.store.db.types import AnyRow, AnySelect
from connector.store.results import record_texts
from connector.store.tables import account, contact, invitation, response

REACHED = (Delivery.SENT, Delivery.IN_DOUBT)
"""States of an invitation that reached its person, or may have; one that expired was never sent."""


def people_asked(tx: Connection, customers: Collection[str]) -> Mapping[str, tuple[int, int, datetime | None]]:
    """Return how many different people of each customer were reached by a survey, how many of them answered, and up to when.

    That is when the last of them answered, or, where nobody has, when the last of them was asked; None: nobody was asked.
    """
    by_customer: dict[str, list[AnyRow]] = {}
    for row in tx.execute(_people_asked(tx.dialect.name), listed(tx, customers)):
        by_customer.setdefault(row.customer, []).append(row)
    return {customer: _counted(by_customer.get(customer, ())) for customer in customers}


@cache
def _people_asked(dialect: str) -> AnySelect:
    reached = func.coalesce(invitation.c.sent_at, invitation.c.created_at)
    asked = case((or_(invitation.c.state.in_(REACHED), response.c.id.is_not(None)), reached))
    return (
        select(
            account.c.customer,
            func.max(response.c.at).label("answered_at"),
            func.min(asked).label("first_asked_at"),
            func.max(asked).label("last_asked_at"),
        )
        .join(invitation, invitation.c.account_id == account.c.id)
        .outerjoin(response, and_(response.c.invitation_id == invitation.c.id, response.c.counts))
        .where(is_listed(dialect, account.c.customer))
        .group_by(account.c.customer, invitation.c.person)
    )


def _counted(people: Sequence[AnyRow]) -> tuple[int, int, datetime | None]:
    answered = [person.answered_at for person in people if person.answered_at is not None]
    asked = [person.last_asked_at for person in people if person.last_asked_at is not None]
    if not asked:
        return 0, 0, None
    by = max(answered or asked)
    until_then = [
        person
        for person in people
        if person.answered_at is not None or (person.first_asked_at is not None and person.first_asked_at <= by)
    ]
    return len(until_then), len(answered), by


def contacts_of_people(tx: Connection, contacts: Mapping[str, str | None]) -> Mapping[str, list[StoredContact]]:
    """Return each of these contacts (with its person) with the others, over all connections, that are the same person.

    Deleted ones are left out.
    """
    if not contacts:
        return {}
    persons = {person for person in contacts.values() if person is not None}
    chosen = listed(tx, contacts) | listed(tx, persons, "persons")
    rows = tx.execute(_contacts_of_people(tx.dialect.name), chosen)
    by_id: dict[str, StoredContact] = {}
    by_person: dict[str, list[StoredContact]] = {}
    for known in map(row_readers.contact_of, rows):
        by_id[known.id] = known
        if known.person is not None:
            by_person.setdefault(known.person, []).append(known)
    alone = {contact_id: [by_id[contact_id]] if contact_id in by_id else [] for contact_id in contacts}
    return {
        contact_id: alone[contact_id] if person is None else by_person.get(person, [])
        for contact_id, person in contacts.items()
    }


@cache
def _contacts_of_people(dialect: str) -> AnySelect:
    same = or_(is_listed(dialect, contact.c.id), is_listed(dialect, contact.c.person, "persons"))
    return select(contact).where(same, contact.c.deleted_at.is_(None)).order_by(contact.c.id)


def newest_responses(tx: Connection, contacts: Collection[str]) -> Mapping[str, NamedResponse]:
    """Return the newest answer that counts of each of these contacts, whatever customer it was about."""
    if not contacts:
        return {}
    rows = tx.execute(_newest_of_contacts(tx.dialect.name), listed(tx, contacts)).all()
    ratings = record_texts.ratings_of(tx, [row.id for row in rows])
    return {row.contact_id: record_texts.named_response(row, ratings[row.id]) for row in rows if row.id in ratings}


@cache
def _newest_of_contacts(dialect: str) -> AnySelect:
    in_order = func.row_number().over(
        partition_by=response.c.contact_id, order_by=(response.c.at.desc(), response.c.id)
    )
    numbered = (
        select(response.c.id, in_order.label("place"))
        .join(account, account.c.id == response.c.account_id)
        .where(is_listed(dialect, response.c.contact_id), response.c.counts, account.c.deleted_at.is_(None))
        .subquery()
    )
    newest = select(numbered.c.id).where(numbered.c.place == 1)
    return record_texts.answers().where(response.c.id.in_(newest))
