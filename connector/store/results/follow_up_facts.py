"""Queries of `follow_up`: what is known about a customer, and the follow-ups opened for it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, bindparam, exists, func, or_, select, update

from connector.model import Delivery, Ref
from connector.model.stored import StoredAccount, StoredContact, StoredInteraction, StoredOwner
from connector.sentences.content import NamedResponse
from connector.store import tables
from connector.store.crm.refs import chunks
from connector.store.db import row_readers
from connector.store.db.types import AnyRow, AnySelect
from connector.store.results import record_texts
from connector.store.tables import (
    account,
    contact,
    customer_score,
    follow_up,
    follow_up_rule,
    invitation,
    owner,
    ref_text,
    response,
)

AT_ONCE: Final = 500
"""How many answers of one customer that no rule has looked at are taken in together: after a long pause they may be very many."""
REACHED = (Delivery.SENT, Delivery.IN_DOUBT)
"""States of an invitation that reached its person, or may have; one that expired was never sent."""


@dataclass(frozen=True, slots=True)
class JudgedResponse:
    """One answer, with all that the rules of follow-ups look at."""

    response: NamedResponse
    account_id: str
    source: str
    considered: bool
    """Whether the rules have looked at it."""
    person: str = ""
    """The same for all contacts of one human; empty where nobody knows who answered."""
    invitation_id: str | None = None
    counts: bool = True
    """False for a correction that came after a follow-up was opened on the first answer."""
    after_contact: bool = False
    """Whether it was changed after somebody had spoken with the person."""
    placed: bool = False
    """Whether it is in a follow-up already."""
    owed_by: str | None = None
    """The rule of the follow-up that it is in, which is about somebody else now: this person is owed one of their own."""
    owed_at: datetime | None = None
    """Since when."""


def accounts_of(tx: Connection, customer: str) -> list[StoredAccount]:
    """Return the accounts that are this customer, over all connections, deleted ones left out."""
    rows = tx.execute(
        select(account).where(account.c.customer == customer, account.c.deleted_at.is_(None)).order_by(account.c.id)
    )
    return [row_readers.account_of(row) for row in rows]


def answers_of(tx: Connection, customer: str, *, crms: Collection[str], limit: int = 50) -> list[JudgedResponse]:
    """Return the newest answers that count, newest first.

    Those that no rule has looked at yet, and that came on these connections, are all among them. Where they are more than
    `AT_ONCE`, the first of them come, and nothing of what came later: the others follow when these have been looked at.
    """
    answers = _answers().where(account.c.customer == customer, response.c.counts)
    unseen = answers.where(response.c.considered_at.is_(None), response.c.connection.in_(crms))
    fresh = tx.execute(unseen.order_by(None).order_by(response.c.at, response.c.id).limit(AT_ONCE + 1)).all()
    if len(fresh) > AT_ONCE:
        fresh = fresh[:AT_ONCE]
        answers = answers.where(response.c.at <= fresh[-1].at)
    newest = tx.execute(answers.limit(limit)).all()
    known = {row.id for row in newest}
    return _with_ratings(tx, [*newest, *(row for row in reversed(fresh) if row.id not in known)])


def second_thoughts(tx: Connection, customer: str) -> list[JudgedResponse]:
    """Return the corrections that came after a follow-up was opened and that no rule has looked at: they count in no figure."""
    fresh = and_(response.c.after_contact, ~response.c.counts, response.c.considered_at.is_(None))
    rows = _answers().where(account.c.customer == customer, fresh).limit(AT_ONCE)
    return _with_ratings(tx, tx.execute(rows).all())


def answers_by_id(tx: Connection, responses: Collection[str]) -> list[JudgedResponse]:
    """Return answers, the newest first."""
    return _with_ratings(tx, tx.execute(_answers().where(response.c.id.in_(responses))).all())


def _answers() -> AnySelect:
    return record_texts.every_answer().order_by(response.c.at.desc(), response.c.id)


def _with_ratings(tx: Connection, rows: Sequence[AnyRow]) -> list[JudgedResponse]:
    ratings = record_texts.ratings_of(tx, [row.id for row in rows])
    return [
        JudgedResponse(
            response=record_texts.named_response(row, ratings[row.id]),
            account_id=row.account_id,
            source=row.source,
            considered=row.considered_at is not None,
            person=row.person or row.contact_id or "",
            invitation_id=row.invitation_id,
            counts=row.counts,
            after_contact=row.after_contact,
        )
        for row in rows
        if row.id in ratings
    ]


def lock_answers(tx: Connection, customer: str) -> None:
    """Let no answer that no rule has looked at yet be corrected until the transaction ends.

    A correction is recorded beside the answer once a follow-up is about it, and replaces it before: which of the two, is not known
    while a follow-up is being opened.
    """
    account_ids = select(account.c.id).where(account.c.customer == customer)
    fresh = select(response.c.invitation_id).where(
        response.c.account_id.in_(account_ids), response.c.considered_at.is_(None)
    )
    locked = select(invitation.c.id).where(invitation.c.id.in_(fresh)).order_by(invitation.c.id).with_for_update()
    tx.execute(locked).all()


def considered(
    tx: Connection, customer: str, answers: Collection[str], *, crms: Collection[str], now: datetime
) -> bool:
    """Note that the rules have looked at these answers, as far as they came on these connections; False: there are others.

    One that came in meanwhile is not among them: PostgreSQL shows it to whoever asks again in the same transaction. What a correction
    has replaced is never looked at.
    """
    account_ids = select(account.c.id).where(account.c.customer == customer)
    fresh = and_(response.c.account_id.in_(account_ids), response.c.considered_at.is_(None))
    here = and_(fresh, response.c.connection.in_(crms))
    for part in chunks(answers):
        tx.execute(update(response).where(here, response.c.id.in_(part)).values(considered_at=now))
    void = and_(~response.c.counts, ~response.c.after_contact)
    tx.execute(update(response).where(here, void).values(considered_at=now))
    return tx.execute(select(response.c.id).where(fresh).limit(1)).first() is None


def people_asked(tx: Connection, customer: str) -> tuple[int, int, datetime | None]:
    """Return how many different people of a customer were reached by a survey, how many of them answered, and up to when.

    That is when the last of them answered, or, where nobody has, when the last of them was asked; None: nobody was asked.
    """
    account_ids = select(account.c.id).where(account.c.customer == customer)
    theirs = invitation.c.account_id.in_(account_ids)
    reached = func.coalesce(invitation.c.sent_at, invitation.c.created_at)
    answered = exists().where(response.c.invitation_id == invitation.c.id, response.c.counts)
    asked = and_(theirs, or_(invitation.c.state.in_(REACHED), answered))
    answer_time = select(func.max(response.c.at)).join(invitation, invitation.c.id == response.c.invitation_id)
    last = tx.execute(answer_time.where(theirs, response.c.counts)).scalar()
    by = last if last is not None else tx.execute(select(func.max(reached)).where(asked)).scalar()
    if by is None:
        return 0, 0, None
    who = select(func.count(func.distinct(invitation.c.person)))
    number = tx.execute(who.where(asked, or_(answered, reached <= by))).scalar_one()
    return int(number), int(tx.execute(who.where(theirs, answered)).scalar_one()), by


def owner_at(tx: Connection, ref: Ref | None) -> StoredOwner | None:
    """Return an owner by ref, deleted and inactive ones too."""
    if ref is None:
        return None
    row = tx.execute(_OWNER_AT, {"crm": ref.connection, "at": ref_text(ref)}).one_or_none()
    return None if row is None else row_readers.owner_of(row)


def _owners() -> AnySelect:
    """Return the select of owners; whose CRM tells no time zone is where another one says that has the same person as a user."""
    same = owner.alias()
    elsewhere = (
        select(same.c.timezone)
        .where(func.lower(same.c.email) == func.lower(owner.c.email), same.c.timezone.is_not(None))
        .where(same.c.deleted_at.is_(None))
        .order_by(same.c.connection, same.c.ref)
        .limit(1)
        .scalar_subquery()
    )
    others = [column for column in owner.c if column is not owner.c.timezone]
    return select(*others, func.coalesce(owner.c.timezone, elsewhere).label("timezone"))


_OWNER_AT: Final = _owners().where(owner.c.connection == bindparam("crm"), owner.c.ref == bindparam("at"))
"""Made once: each lap asks for the owners of everything that is open."""


def owner_by_email(tx: Connection, crm: str, email: str) -> StoredOwner | None:
    """Return the owner with this address."""
    same = _owners().where(owner.c.connection == crm, func.lower(owner.c.email) == email.lower())
    row = tx.execute(same.order_by(owner.c.active.desc()).limit(1)).one_or_none()
    return None if row is None else row_readers.owner_of(row)


def contact_in(tx: Connection, crm: str, contacts: Sequence[str], person: str) -> str | None:
    """Return which contact a person has in a CRM: the first of those given that is there, else one of the same address."""
    here = select(contact.c.id).where(contact.c.connection == crm, contact.c.deleted_at.is_(None))
    contact_ids = set(tx.execute(here.where(contact.c.id.in_(contacts))).scalars())
    same = here.where(contact.c.person == person).order_by(contact.c.id).limit(1)
    return (
        next((contact_id for contact_id in contacts if contact_id in contact_ids), None)
        or tx.execute(same).scalar_one_or_none()
    )


def contact_of(tx: Connection, contact_id: str | None) -> StoredContact | None:
    """Return a contact."""
    row = tx.execute(select(contact).where(contact.c.id == contact_id)).one_or_none()
    return None if row is None else row_readers.contact_of(row)


def account_of(tx: Connection, account_id: str) -> StoredAccount:
    """Return an account."""
    return row_readers.account_of(tx.execute(select(account).where(account.c.id == account_id)).one())


def contacts_of_the_person(tx: Connection, contact_id: str) -> list[StoredContact]:
    """Return this contact with the others, over all connections, that are the same person; deleted ones are left out."""
    person = select(contact.c.person).where(contact.c.id == contact_id).scalar_subquery()
    same = or_(contact.c.id == contact_id, contact.c.person == person)
    rows = tx.execute(select(contact).where(same, contact.c.deleted_at.is_(None)).order_by(contact.c.id))
    return [row_readers.contact_of(row) for row in rows]


def newest_response(tx: Connection, contacts: Collection[str]) -> NamedResponse | None:
    """Return the newest answer that counts of these contacts, whatever customer it was about; None without one."""
    theirs = record_texts.answers().where(response.c.contact_id.in_(contacts), account.c.deleted_at.is_(None))
    row = tx.execute(theirs.order_by(response.c.at.desc(), response.c.id).limit(1)).one_or_none()
    ratings = record_texts.ratings_of(tx, [row.id]) if row is not None else {}
    return record_texts.named_response(row, ratings[row.id]) if row is not None and row.id in ratings else None


def interaction_of(tx: Connection, interaction_id: str | None) -> StoredInteraction | None:
    """Return an interaction."""
    table = tables.interaction
    row = tx.execute(select(table).where(table.c.id == interaction_id)).one_or_none()
    return None if row is None else row_readers.interaction_of(row)


def live_since(tx: Connection, subject: str) -> Mapping[str, datetime]:
    """Return since when a survey or a rule is live, by connection."""
    go_live = tables.go_live
    rows = tx.execute(select(go_live.c.connection, go_live.c.at).where(go_live.c.subject == subject))
    return {row.connection: row.at for row in rows}


def silence_of(tx: Connection, customer: str, now: datetime) -> tuple[int, datetime | None]:
    """Return how many invitations ran out unanswered since a customer's last answer, and when that was."""
    account_ids = select(account.c.id).where(account.c.customer == customer)
    last = tx.execute(
        select(func.max(response.c.at)).where(response.c.counts, response.c.account_id.in_(account_ids))
    ).scalar()
    ran_out = [invitation.c.account_id.in_(account_ids), _ran_out(now)]
    if last is not None:
        ran_out.append(invitation.c.sent_at > last)
    return int(tx.execute(select(func.count()).select_from(invitation).where(*ran_out)).scalar_one()), last


def _ran_out(now: datetime) -> ColumnElement[bool]:
    """Mail that bounced is no silence: nobody got it."""
    return and_(invitation.c.state == Delivery.SENT, invitation.c.expires_at <= now)


def newly_silent(tx: Connection, rule: str, now: datetime, *, least: int, after: str, limit: int) -> list[str]:
    """Return customers behind `after` who let `least` invitations run out since their last answer, if `rule` has opened nothing since.

    Those who are waiting to be looked at anyway are left out.
    """
    answers = (
        select(account.c.customer, func.max(response.c.at).label("at"))
        .join(response, response.c.account_id == account.c.id)
        .where(response.c.counts)
        .group_by(account.c.customer)
        .subquery()
    )
    opened = (
        select(follow_up.c.customer, func.max(follow_up_rule.c.at).label("at"))
        .join(follow_up_rule, follow_up_rule.c.follow_up_id == follow_up.c.id)
        .where(follow_up_rule.c.rule == rule)
        .group_by(follow_up.c.customer)
        .subquery()
    )
    rows = tx.execute(
        select(account.c.customer)
        .join(invitation, invitation.c.account_id == account.c.id)
        .outerjoin(answers, answers.c.customer == account.c.customer)
        .outerjoin(opened, opened.c.customer == account.c.customer)
        .outerjoin(customer_score, customer_score.c.customer == account.c.customer)
        .where(_ran_out(now), or_(answers.c.at.is_(None), invitation.c.sent_at > answers.c.at))
        .where(or_(opened.c.at.is_(None), opened.c.at < answers.c.at))
        .where(account.c.deleted_at.is_(None), customer_score.c.stale_at.is_(None), account.c.customer > after)
        .group_by(account.c.customer)
        .having(func.count() >= least)
        .order_by(account.c.customer)
        .limit(limit)
    )
    return list(rows.scalars())


def last_opened(tx: Connection, customer: str) -> Mapping[str, datetime]:
    """Return when each rule last came to hold for a customer: it opened a follow-up then, or went into one."""
    rows = tx.execute(
        select(follow_up_rule.c.rule, func.max(follow_up_rule.c.at).label("at"))
        .join(follow_up, follow_up.c.id == follow_up_rule.c.follow_up_id)
        .where(follow_up.c.customer == customer)
        .group_by(follow_up_rule.c.rule)
    )
    return {row.rule: row.at for row in rows}
