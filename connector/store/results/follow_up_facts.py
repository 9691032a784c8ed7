"""Queries of `follow_up`: what is known about a customer, and the follow-ups opened for it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import chain
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, or_, select, update

from connector.model import Delivery, Ref
from connector.model.stored import StoredAccount, StoredContact, StoredInteraction, StoredOwner
from connector.sentences.content import NamedResponse
from connector.store import tables
from connector.store.db import row_readers
from connector.store.db.among import among, is_listed, listed
from connector.store.db.types import AnyRow, AnySelect, Utc
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


def accounts_of(tx: Connection, customers: Collection[str]) -> Mapping[str, list[StoredAccount]]:
    """Return the accounts that are each of these customers, over all connections, deleted ones left out.

    Every customer is there, one without an account with none.
    """
    accounts: dict[str, list[StoredAccount]] = {customer: [] for customer in customers}
    for row in tx.execute(_accounts_of(tx.dialect.name), listed(tx, accounts)):
        accounts[row.customer].append(row_readers.account_of(row))
    return accounts


@cache
def _accounts_of(dialect: str) -> AnySelect:
    there = (is_listed(dialect, account.c.customer), account.c.deleted_at.is_(None))
    return select(account).where(*there).order_by(account.c.id)


def answers_of(
    tx: Connection, customers: Collection[str], *, crms: Collection[str], limit: int = 50
) -> Mapping[str, list[JudgedResponse]]:
    """Return the newest answers that count of each customer, newest first.

    Those that no rule has looked at yet, and that came on these connections, are all among them. Where they are more than
    `AT_ONCE`, the first of them come, and nothing of what came later: the others follow when these have been looked at.
    """
    fresh = _fresh_ids(tx, customers, crms)
    crowded = {customer: ids[AT_ONCE - 1] for customer, ids in fresh.items() if len(ids) > AT_ONCE}
    ids = _newest_ids(tx, [customer for customer in customers if customer not in crowded], limit)
    for customer, last in crowded.items():
        ids |= _newest_ids(tx, [customer], limit, until=last)
    for customer, unseen in fresh.items():
        newest = ids.setdefault(customer, [])
        known = set(newest)
        newest.extend(id_ for id_ in reversed(unseen[:AT_ONCE]) if id_ not in known)
    answers = {answer.response.response_id: answer for answer in answers_by_id(tx, [*chain(*ids.values())])}
    return {customer: [answers[id_] for id_ in theirs if id_ in answers] for customer, theirs in ids.items()}


def _fresh_ids(tx: Connection, customers: Collection[str], crms: Collection[str]) -> Mapping[str, list[str]]:
    """Return the answers of each customer that no rule has looked at, the oldest first: `AT_ONCE` of them and one more at most."""
    chosen = listed(tx, customers) | listed(tx, crms, "crms") | {"most": AT_ONCE + 1}
    return _ids(tx, _fresh(tx.dialect.name), chosen)


@cache
def _fresh(dialect: str) -> AnySelect:
    in_order = func.row_number().over(partition_by=account.c.customer, order_by=(response.c.at, response.c.id))
    here = is_listed(dialect, response.c.connection, "crms")
    return _up_to_most(_numbered(dialect, in_order).where(response.c.considered_at.is_(None), here))


def _newest_ids(
    tx: Connection, customers: Collection[str], limit: int, until: str | None = None
) -> dict[str, list[str]]:
    """Return the answers of each customer that came last, newest first; of those that did not come after the one named by `until`."""
    if not customers:
        return {}
    chosen = listed(tx, customers) | {"most": limit} | ({} if until is None else {"last": until})
    return _ids(tx, _newest(tx.dialect.name, is_until=until is not None), chosen)


@cache
def _newest(dialect: str, *, is_until: bool) -> AnySelect:
    in_order = func.row_number().over(partition_by=account.c.customer, order_by=(response.c.at.desc(), response.c.id))
    answers = _numbered(dialect, in_order)
    if is_until:
        last = response.alias()
        at = select(last.c.at).where(last.c.id == bindparam("last")).scalar_subquery()
        answers = answers.where(response.c.at <= at)
    return _up_to_most(answers)


def _numbered(dialect: str, number: ColumnElement[int]) -> AnySelect:
    return (
        select(account.c.customer, response.c.id, number.label("place"))
        .join(response, response.c.account_id == account.c.id)
        .where(is_listed(dialect, account.c.customer), response.c.counts)
    )


def _up_to_most(numbered: AnySelect) -> AnySelect:
    places = numbered.subquery()
    rows = select(places.c.customer, places.c.id).where(places.c.place <= bindparam("most"))
    return rows.order_by(places.c.customer, places.c.place)


def _ids(tx: Connection, statement: AnySelect, chosen: Mapping[str, object]) -> dict[str, list[str]]:
    ids: dict[str, list[str]] = {}
    for row in tx.execute(statement, chosen):
        ids.setdefault(row.customer, []).append(row.id)
    return ids


def second_thoughts(tx: Connection, customers: Collection[str]) -> Mapping[str, list[JudgedResponse]]:
    """Return the corrections that came after a follow-up was opened and that no rule has looked at: they count in no figure.

    There are `AT_ONCE` of them at most; the others follow when these have been looked at.
    """
    rows = tx.execute(_second_thoughts(tx.dialect.name), listed(tx, customers) | {"most": AT_ONCE}).all()
    customer_of = {row.id: row.customer for row in rows}
    corrections: dict[str, list[JudgedResponse]] = {}
    for answer in _with_ratings(tx, rows):
        corrections.setdefault(customer_of[answer.response.response_id], []).append(answer)
    return corrections


@cache
def _second_thoughts(dialect: str) -> AnySelect:
    fresh = and_(response.c.after_contact, ~response.c.counts, response.c.considered_at.is_(None))
    return _answers().where(is_listed(dialect, account.c.customer), fresh).limit(bindparam("most"))


def answers_by_id(tx: Connection, responses: Collection[str]) -> list[JudgedResponse]:
    """Return answers, the newest first."""
    if not responses:
        return []
    return _with_ratings(tx, tx.execute(_answers_by_id(tx.dialect.name), listed(tx, responses)).all())


@cache
def _answers_by_id(dialect: str) -> AnySelect:
    return _answers().where(is_listed(dialect, response.c.id))


def _answers() -> AnySelect:
    customers = record_texts.every_answer().add_columns(account.c.customer)
    return customers.order_by(response.c.at.desc(), response.c.id)


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


def lock_answers(tx: Connection, customers: Collection[str]) -> None:
    """Let no answer of these customers that no rule has looked at yet be corrected until the transaction ends.

    A correction is recorded beside the answer once a follow-up is about it, and replaces it before: which of the two, is not known
    while a follow-up is being opened.
    """
    tx.execute(_fresh_invitations(tx.dialect.name), listed(tx, customers)).all()


@cache
def _fresh_invitations(dialect: str) -> AnySelect:
    account_ids = select(account.c.id).where(is_listed(dialect, account.c.customer))
    fresh = select(response.c.invitation_id).where(
        response.c.account_id.in_(account_ids), response.c.considered_at.is_(None)
    )
    return select(invitation.c.id).where(invitation.c.id.in_(fresh)).order_by(invitation.c.id).with_for_update()


def considered(
    tx: Connection, answers: Mapping[str, Collection[str]], *, crms: Collection[str], now: datetime
) -> set[str]:
    """Note that the rules have looked at these answers of each customer, as far as they came on these connections.

    Returns the customers of whom they have looked at every answer. One that came in meanwhile is not among those that were looked at:
    PostgreSQL shows it to whoever asks again in the same transaction. What a correction has replaced is never looked at.
    """
    done: list[str] = []
    left: set[str] = set()
    for row in tx.execute(_unconsidered(tx.dialect.name), listed(tx, answers)):
        is_void = not row.counts and not row.after_contact
        if row.connection in crms and (is_void or row.id in answers[row.customer]):
            done.append(row.id)
        else:
            left.add(row.customer)
    if done:
        tx.execute(update(response).where(among(tx, response.c.id, done)).values(considered_at=now))
    return set(answers) - left


@cache
def _unconsidered(dialect: str) -> AnySelect:
    columns = (response.c.id, response.c.connection, response.c.counts, response.c.after_contact)
    return (
        select(account.c.customer, *columns)
        .join(response, response.c.account_id == account.c.id)
        .where(is_listed(dialect, account.c.customer), response.c.considered_at.is_(None))
    )


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


def owners_at(tx: Connection, refs: Iterable[Ref | None]) -> Mapping[Ref, StoredOwner]:
    """Return owners by ref, deleted and inactive ones too; who is not known is absent."""
    texts: dict[str, set[str]] = {}
    for ref in refs:
        if ref is not None:
            texts.setdefault(ref.connection, set()).add(ref_text(ref) or "")
    owners: dict[Ref, StoredOwner] = {}
    for crm, named in texts.items():
        rows = tx.execute(_owners_at(tx.dialect.name), {"crm": crm, **listed(tx, named)})
        owners.update((known.ref, known) for known in map(row_readers.owner_of, rows))
    return owners


@cache
def _owners_at(dialect: str) -> AnySelect:
    return _owners().where(owner.c.connection == bindparam("crm"), is_listed(dialect, owner.c.ref))


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


def silence_of(tx: Connection, customers: Collection[str], now: datetime) -> Mapping[str, tuple[int, datetime | None]]:
    """Return how many invitations ran out unanswered since each customer's last answer, and when that was."""
    chosen = listed(tx, customers)
    last = {row.customer: row.at for row in tx.execute(_last_answers(tx.dialect.name), chosen)}
    rows = tx.execute(_unanswered(tx.dialect.name), chosen | {"now": now})
    since = {row.customer: row.number for row in rows}
    return {customer: (since.get(customer, 0), last.get(customer)) for customer in customers}


@cache
def _last_answers(dialect: str) -> AnySelect:
    return (
        select(account.c.customer, func.max(response.c.at).label("at"))
        .join(response, response.c.account_id == account.c.id)
        .where(is_listed(dialect, account.c.customer), response.c.counts)
        .group_by(account.c.customer)
    )


@cache
def _unanswered(dialect: str) -> AnySelect:
    last = _last_answers(dialect).subquery()
    return (
        select(account.c.customer, func.count().label("number"))
        .join(invitation, invitation.c.account_id == account.c.id)
        .outerjoin(last, last.c.customer == account.c.customer)
        .where(is_listed(dialect, account.c.customer), _ran_out(bindparam("now", type_=Utc)))
        .where(or_(last.c.at.is_(None), invitation.c.sent_at > last.c.at))
        .group_by(account.c.customer)
    )


def _ran_out(now: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
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


def last_opened(tx: Connection, customers: Collection[str]) -> Mapping[str, Mapping[str, datetime]]:
    """Return when each rule last came to hold for each customer: it opened a follow-up then, or went into one."""
    opened: dict[str, dict[str, datetime]] = {}
    for row in tx.execute(_last_opened(tx.dialect.name), listed(tx, customers)):
        opened.setdefault(row.customer, {})[row.rule] = row.at
    return opened


@cache
def _last_opened(dialect: str) -> AnySelect:
    return (
        select(follow_up.c.customer, follow_up_rule.c.rule, func.max(follow_up_rule.c.at).label("at"))
        .join(follow_up, follow_up.c.id == follow_up_rule.c.follow_up_id)
        .where(is_listed(dialect, follow_up.c.customer))
        .group_by(follow_up.c.customer, follow_up_rule.c.rule)
    )
