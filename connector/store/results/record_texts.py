"""Queries for the sentences on records: follow-ups that are not closed, their answers, and who was asked in vain."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Final

from sqlalchemy import Connection, and_, bindparam, case, func, or_, select, update

from connector.model import Delivery, Facts, FollowUpState, Rating
from connector.model.follow_up import NamedFollowUp
from connector.sentences.content import NamedResponse, UnansweredInvitation
from connector.store.crm.refs import chunks
from connector.store.db.among import is_listed, listed
from connector.store.db.row_readers import named_follow_up_of
from connector.store.db.types import AnyRow, AnySelect
from connector.store.tables import (
    account,
    contact,
    customer_score,
    follow_up,
    follow_up_response,
    interaction,
    invitation,
    rating,
    response,
)

WHO: Final = case((contact.c.deleted_at.is_(None), contact.c.name)).label("who")
"""The name of a contact; none of one whom the CRM has deleted: they are named nowhere."""


def ratings_of(tx: Connection, responses: Collection[str]) -> Mapping[str, list[Rating]]:
    """Return the ratings of each response, the first question's first."""
    ratings: dict[str, list[Rating]] = {}
    for row in tx.execute(_ratings_of(tx.dialect.name), listed(tx, responses)):
        value = Rating(row.metric, row.question, row.value, row.low, row.high, row.direction)
        ratings.setdefault(row.response_id, []).append(value)
    return ratings


@cache
def _ratings_of(dialect: str) -> AnySelect:
    return select(rating).where(is_listed(dialect, rating.c.response_id)).order_by(rating.c.id)


def answers() -> AnySelect:
    """Return the select of responses that count, with the names of persons and the facts of interactions: for `named_response`."""
    return every_answer().where(response.c.counts)


def every_answer() -> AnySelect:
    """Return the same of all answers, those that do not count among them."""
    return (
        select(response, WHO, contact.c.person, interaction.c.facts.label("facts"))
        .join(account, account.c.id == response.c.account_id)
        .outerjoin(contact, contact.c.id == response.c.contact_id)
        .outerjoin(interaction, interaction.c.id == response.c.interaction_id)
    )


def named_response(row: AnyRow, ratings: Collection[Rating]) -> NamedResponse:
    """Return a response with its names; its rating is the first question's."""
    every = tuple(ratings)
    return NamedResponse(
        response_id=row.id,
        who=row.who,
        rating=every[0],
        label=row.label,
        at=row.at,
        comment=row.comment,
        contact_id=row.contact_id,
        subject=_subject(row.facts),
        ratings=every,
        interaction_id=row.interaction_id,
        connection=row.connection,
        person=row.person,
    )


def _subject(facts: Facts | None) -> str | None:
    """Return what a case, ticket or call is called, where the mapping names a fact `subject`."""
    subject = (facts or {}).get("subject")
    return subject if isinstance(subject, str) else None


def with_names() -> AnySelect:
    """Return the select of follow-ups, each with the names of its person (``who``) and of its account: `named_follow_up_of` reads it.

    ``is_gone``: the CRM has deleted that person, so nobody is told what the task is called, which names them.
    """
    is_gone = contact.c.deleted_at.is_not(None).label("is_gone")
    return (
        select(follow_up, WHO, is_gone, account.c.name.label("account_name"))
        .join(account, account.c.id == follow_up.c.account_id)
        .outerjoin(contact, contact.c.id == follow_up.c.contact_id)
    )


def by_id(tx: Connection, follow_ups: Collection[str]) -> Mapping[str, NamedFollowUp]:
    """Return follow-ups with their names, by id."""
    parts = (tx.execute(with_names().where(follow_up.c.id.in_(part))) for part in chunks(follow_ups))
    return {row.id: named_follow_up_of(row) for rows in parts for row in rows}


def not_closed(tx: Connection, customers: Collection[str]) -> Mapping[str, list[NamedFollowUp]]:
    """Return each customer's follow-ups that are not closed, with the names of their persons and accounts.

    A customer with none is absent.
    Those that wait for an outcome are among them until they have waited for too long, see `end_attention`.
    """
    follow_ups: dict[str, list[NamedFollowUp]] = {}
    for row in tx.execute(_not_closed(tx.dialect.name), listed(tx, customers)):
        follow_ups.setdefault(row.customer, []).append(named_follow_up_of(row))
    return follow_ups


@cache
def _not_closed(dialect: str) -> AnySelect:
    return (
        with_names()
        .where(is_listed(dialect, follow_up.c.customer), follow_up.c.state != FollowUpState.CLOSED)
        .where(follow_up.c.attention_ended_at.is_(None))
        .order_by(follow_up.c.due_at, follow_up.c.id)
    )


def answers_about(tx: Connection, follow_ups: Collection[str]) -> Mapping[str, list[NamedResponse]]:
    """Return the answers that each follow-up is about, those that count, the newest first.

    Their words are those of users of the CRMs that they came through, see `NamedResponse.read_in`.
    """
    if not follow_ups:
        return {}
    rows = tx.execute(_answers_about(tx.dialect.name), listed(tx, follow_ups)).all()
    ratings = ratings_of(tx, [row.id for row in rows])
    about: dict[str, list[NamedResponse]] = {}
    for row in rows:
        if row.id in ratings:
            about.setdefault(row.follow_up_id, []).append(named_response(row, ratings[row.id]))
    return about


@cache
def _answers_about(dialect: str) -> AnySelect:
    return (
        answers()
        .join(follow_up_response, follow_up_response.c.response_id == response.c.id)
        .add_columns(follow_up_response.c.follow_up_id)
        .where(is_listed(dialect, follow_up_response.c.follow_up_id))
        .order_by(response.c.at.desc(), response.c.id)
    )


def last_answer(tx: Connection, customer: str, until: datetime) -> datetime | None:
    """Return when a customer's people last answered before some moment."""
    of_customer = select(account.c.id).where(account.c.customer == customer)
    latest = select(func.max(response.c.at)).where(
        response.c.counts, response.c.account_id.in_(of_customer), response.c.at <= until
    )
    return tx.execute(latest).scalar()


def asked_in_vain(
    tx: Connection, customer: str, until: datetime, *, crm: str
) -> tuple[list[UnansweredInvitation], int]:
    """Return who was asked since a customer's last answer and let it run out by some moment, the earliest first.

    Those who were asked through a CRM are named; how many there are besides is counted.
    """
    of_customer = select(account.c.id).where(account.c.customer == customer)
    ran_out = (
        select(invitation, WHO, contact.c.deleted_at.label("gone_at"), interaction.c.facts.label("facts"))
        .outerjoin(contact, contact.c.id == invitation.c.contact_id)
        .outerjoin(interaction, interaction.c.id == invitation.c.interaction_id)
        .where(invitation.c.account_id.in_(of_customer))
        .where(invitation.c.state == Delivery.SENT, invitation.c.expires_at <= until)
        .order_by(invitation.c.sent_at, invitation.c.id)
    )
    if (last := last_answer(tx, customer, until)) is not None:
        ran_out = ran_out.where(invitation.c.sent_at > last)
    rows = tx.execute(ran_out).all()
    named = [
        UnansweredInvitation(_asked(row), row.label, row.sent_at, _subject(row.facts), row.reminded_at)
        for row in rows
        if row.connection == crm
    ]
    return named, len(rows) - len(named)


def _asked(row: AnyRow) -> str | None:
    """Return the name of somebody who was asked: the contact's, or that of the time where there is no contact any more."""
    return None if row.gone_at is not None else row.who or row.name or None


def naming(tx: Connection, contacts: Iterable[str]) -> list[str]:
    """Return the customers on whose records these contacts may be named: they were asked, or answered, or are to be called."""
    customers: set[str] = set()
    for part in chunks(contacts):
        for table in (response, invitation, follow_up):
            named = select(account.c.customer).join(table, table.c.account_id == account.c.id)
            customers.update(tx.execute(named.where(table.c.contact_id.in_(part))).scalars())
    return sorted(customers)


def outdated(tx: Connection, now: datetime, *, after: str, limit: int) -> list[str]:
    """Return customers behind `after` of whose follow-ups the records say what has ceased to be true by time alone.

    A clock that was ahead may have called something overdue that is due only now: that is among them. Those who are waiting to be
    looked at anyway are left out.
    """
    too_early = and_(
        follow_up.c.state == FollowUpState.OPEN, follow_up.c.shown_until.is_(None), follow_up.c.due_at > now
    )
    rows = tx.execute(
        select(follow_up.c.customer)
        .outerjoin(customer_score, customer_score.c.customer == follow_up.c.customer)
        .where(or_(follow_up.c.shown_until <= now, too_early))
        .where(follow_up.c.customer > after, customer_score.c.stale_at.is_(None))
        .group_by(follow_up.c.customer)
        .order_by(follow_up.c.customer)
        .limit(limit)
    )
    return list(rows.scalars())


def note_shown(tx: Connection, customers: Collection[str], until: Mapping[str, datetime]) -> None:
    """Note until when the records tell the truth about each follow-up of these customers.

    About one that is not given they do until something happens.
    """
    rows = tx.execute(_shown(tx.dialect.name), listed(tx, customers) | listed(tx, until, "ids"))
    changed = [{"of": row.id, "until": until.get(row.id)} for row in rows if row.shown_until != until.get(row.id)]
    if changed:
        by_id = update(follow_up).where(follow_up.c.id == bindparam("of")).values(shown_until=bindparam("until"))
        tx.execute(by_id, changed)


@cache
def _shown(dialect: str) -> AnySelect:
    shown = or_(is_listed(dialect, follow_up.c.id, "ids"), follow_up.c.shown_until.is_not(None))
    columns = (follow_up.c.id, follow_up.c.shown_until)
    return select(*columns).where(is_listed(dialect, follow_up.c.customer), shown)
