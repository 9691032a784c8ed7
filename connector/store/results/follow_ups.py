"""Follow-ups: those that are not closed, with their person, answers and rules; opening, joining and closing them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Unpack

from sqlalchemy import ColumnElement, Connection, and_, delete, func, or_, select, update

from connector.model import ClosedBy, FollowUpState, Ref
from connector.model.follow_up import UNSETTLED, FollowUp, FollowUpChange, PersonalFollowUp
from connector.store.db.among import is_listed, listed
from connector.store.db.row_readers import follow_up_columns, follow_up_of, new_follow_up_columns
from connector.store.db.types import AnySelect
from connector.store.db.upsert import insert_or_ignore, insert_or_update
from connector.store.tables import (
    account,
    contact,
    follow_up,
    follow_up_response,
    follow_up_rule,
    invitation,
    owed_follow_up,
    ref_of,
    response,
)

_PRIORITIES = ("low", "normal", "high")

_person = func.coalesce(contact.c.person, follow_up.c.about)
"""Which human a follow-up is about: contacts of one address are one. '' where it is about the account."""


@dataclass(frozen=True, slots=True)
class PlacedAnswer:
    """An answer that is in a follow-up."""

    follow_up_id: str
    response_id: str
    invitation_id: str | None
    at: datetime
    connection: str


@dataclass(frozen=True, slots=True)
class OwedAnswer:
    """An answer whose person is owed a follow-up of their own: the one that it is in is about somebody else."""

    response_id: str
    rule: str
    """Of the follow-up that it is in."""
    at: datetime
    """Since when."""


def unclosed(tx: Connection, customers: Collection[str]) -> list[PersonalFollowUp]:
    """Return the follow-ups of customers that are not closed, each with its person; the order is that in which two are joined.

    One that is open comes before one that waits for an outcome: somebody is at it. Of these the one that is due first.
    """
    return _with_person(tx, _unclosed(tx.dialect.name), customers)


@cache
def _unclosed(dialect: str) -> AnySelect:
    return _of_customers(dialect, follow_up.c.state.in_(UNSETTLED))


def to_be_worded(tx: Connection, customers: Collection[str]) -> list[PersonalFollowUp]:
    """Return the follow-ups of customers whose words may have changed: those that are not closed, and what just came to be closed."""
    return _with_person(tx, _to_be_worded(tx.dialect.name), customers)


@cache
def _to_be_worded(dialect: str) -> AnySelect:
    return _of_customers(dialect, or_(follow_up.c.state.in_(UNSETTLED), follow_up.c.text_fingerprint == ""))


def gone_with_account(tx: Connection, customers: Collection[str]) -> list[PersonalFollowUp]:
    """Return the follow-ups that were closed because the last account of a customer was deleted, each with its person."""
    return _with_person(tx, _gone_with_account(tx.dialect.name), customers)


@cache
def _gone_with_account(dialect: str) -> AnySelect:
    return _of_customers(dialect, follow_up.c.closed_by == ClosedBy.ACCOUNT_GONE)


def _of_customers(dialect: str, condition: ColumnElement[bool]) -> AnySelect:
    return (
        select(follow_up, _person.label("person"))
        .outerjoin(contact, contact.c.id == follow_up.c.about)
        .where(is_listed(dialect, follow_up.c.customer), condition)
        .order_by(follow_up.c.state != FollowUpState.OPEN, follow_up.c.due_at, follow_up.c.opened_at, follow_up.c.id)
    )


def _with_person(tx: Connection, statement: AnySelect, customers: Collection[str]) -> list[PersonalFollowUp]:
    rows = tx.execute(statement, listed(tx, customers))
    return [PersonalFollowUp(follow_up_of(row), row.person) for row in rows]


def by_id(tx: Connection, follow_up_id: str) -> FollowUp:
    """Return a follow-up."""
    return follow_up_of(tx.execute(select(follow_up).where(follow_up.c.id == follow_up_id)).one())


def find(tx: Connection, follow_up_id: str) -> FollowUp | None:
    """Return a follow-up; None where there is no such one (any more)."""
    row = tx.execute(select(follow_up).where(follow_up.c.id == follow_up_id)).one_or_none()
    return None if row is None else follow_up_of(row)


def locked(tx: Connection, ids: Collection[str]) -> Mapping[str, FollowUp]:
    """Return follow-ups by id, locked until the end of the transaction: two who note an outcome come one after the other."""
    rows = tx.execute(select(follow_up).where(follow_up.c.id.in_(ids)).with_for_update())
    return {row.id: follow_up_of(row) for row in rows}


def answers_in(tx: Connection, follow_ups: Collection[str]) -> list[PlacedAnswer]:
    """Return the answers that are in follow-ups."""
    if not follow_ups:
        return []
    rows = tx.execute(_answers_in(tx.dialect.name), listed(tx, follow_ups))
    return [PlacedAnswer(row.follow_up_id, row.id, row.invitation_id, row.at, row.connection) for row in rows]


def answers_by_follow_up(tx: Connection, follow_ups: Collection[str]) -> Mapping[str, list[PlacedAnswer]]:
    """Return the same by follow-up."""
    answers: dict[str, list[PlacedAnswer]] = {}
    for answer in answers_in(tx, follow_ups):
        answers.setdefault(answer.follow_up_id, []).append(answer)
    return answers


@cache
def _answers_in(dialect: str) -> AnySelect:
    columns = (response.c.id, response.c.invitation_id, response.c.at, response.c.connection)
    return (
        select(follow_up_response.c.follow_up_id, *columns)
        .join(response, response.c.id == follow_up_response.c.response_id)
        .where(is_listed(dialect, follow_up_response.c.follow_up_id))
    )


def placed(tx: Connection, responses: Collection[str]) -> set[str]:
    """Return which of these answers are in a follow-up, be it closed."""
    return set(tx.execute(_placed(tx.dialect.name), listed(tx, responses)).scalars())


@cache
def _placed(dialect: str) -> AnySelect:
    in_any = is_listed(dialect, follow_up_response.c.response_id)
    return select(follow_up_response.c.response_id).where(in_any).distinct()


def owed_to(tx: Connection, customers: Collection[str]) -> Mapping[str, list[OwedAnswer]]:
    """Return the answers of customers' people that are owed a follow-up of their own; a customer with none is absent."""
    owed: dict[str, list[OwedAnswer]] = {}
    for row in tx.execute(_owed_to(tx.dialect.name), listed(tx, customers)):
        owed.setdefault(row.customer, []).append(OwedAnswer(row.response_id, row.rule, row.at))
    return owed


@cache
def _owed_to(dialect: str) -> AnySelect:
    return (
        select(account.c.customer, owed_follow_up.c.response_id, follow_up.c.rule, owed_follow_up.c.at)
        .join(response, response.c.id == owed_follow_up.c.response_id)
        .join(account, account.c.id == response.c.account_id)
        .join(follow_up, follow_up.c.id == owed_follow_up.c.follow_up_id)
        .where(is_listed(dialect, account.c.customer))
    )


def people_owed_one(tx: Connection) -> int:
    """Return how many people have an answer in a follow-up about somebody else, and are to get one of their own."""
    person = func.coalesce(contact.c.person, response.c.contact_id, "")
    people = (
        select(account.c.customer, person)
        .select_from(owed_follow_up)
        .join(response, response.c.id == owed_follow_up.c.response_id)
        .join(account, account.c.id == response.c.account_id)
        .outerjoin(contact, contact.c.id == response.c.contact_id)
        .distinct()
    )
    return int(tx.execute(select(func.count()).select_from(people.subquery())).scalar_one())


def opened_for_the_owed(tx: Connection, since: datetime | None = None) -> list[str]:
    """Return the follow-ups that people whose answer had been in one about somebody else have got, in all or since then."""
    is_kept = or_(follow_up.c.closed_by.is_(None), follow_up.c.closed_by != ClosedBy.JOINED)
    is_theirs = follow_up.c.separated_at.is_not(None) if since is None else follow_up.c.separated_at >= since
    return list(tx.execute(select(follow_up.c.id).where(is_theirs, is_kept)).scalars())


def rules_of(tx: Connection, follow_ups: Collection[str]) -> Mapping[str, Sequence[str]]:
    """Return the rules that stand in each follow-up, those that held longest ago first."""
    rules: dict[str, list[str]] = {}
    if not follow_ups:
        return rules
    for row in tx.execute(_rules_of(tx.dialect.name), listed(tx, follow_ups)):
        rules.setdefault(row.follow_up_id, []).append(row.rule)
    return rules


@cache
def _rules_of(dialect: str) -> AnySelect:
    in_these = is_listed(dialect, follow_up_rule.c.follow_up_id)
    return select(follow_up_rule).where(in_these).order_by(follow_up_rule.c.at, follow_up_rule.c.rule)


def rated_by(tx: Connection, responses: Collection[str]) -> set[Ref]:
    """Return the refs of those who owned what these answers are about, when it was asked about: they are the ones who were rated."""
    rows = tx.execute(
        select(invitation.c.connection, invitation.c.owner_ref)
        .join(response, response.c.invitation_id == invitation.c.id)
        .where(response.c.id.in_(responses), invitation.c.owner_ref.is_not(None))
        .distinct()
    )
    return {ref_of(*row) for row in rows}


def rated_in(tx: Connection, follow_up_id: str) -> set[Ref]:
    """Return the refs of those whom the answers in a follow-up rate."""
    return rated_by(tx, [answer.response_id for answer in answers_in(tx, [follow_up_id])])


# ── changes ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def insert(tx: Connection, new: FollowUp) -> bool:
    """Insert a follow-up; False when there is one that is not closed about the same person, or this very one."""
    insert_or_ignore(tx, follow_up, [new_follow_up_columns(new)])
    there = select(follow_up.c.id).where(follow_up.c.id == new.id, follow_up.c.opened_at == new.opened_at)
    return tx.execute(there).first() is not None


def change(tx: Connection, follow_up_id: str, values: FollowUpChange) -> None:
    """Change what is given of one follow-up."""
    tx.execute(update(follow_up).where(follow_up.c.id == follow_up_id).values(**follow_up_columns(values)))


def link(tx: Connection, follow_up_id: str, responses: Collection[str]) -> set[str]:
    """Put answers into a follow-up; those that were owed one leave where they waited for it: returns whose follow-ups these were."""
    owed = list(
        tx.execute(select(owed_follow_up.c.response_id).where(owed_follow_up.c.response_id.in_(responses))).scalars()
    )
    left = and_(follow_up_response.c.response_id.in_(owed), follow_up_response.c.follow_up_id != follow_up_id)
    poorer = tx.execute(
        select(follow_up.c.id, follow_up.c.customer)
        .join(follow_up_response, follow_up_response.c.follow_up_id == follow_up.c.id)
        .where(left)
    ).all()
    tx.execute(delete(follow_up_response).where(left))
    tx.execute(delete(owed_follow_up).where(owed_follow_up.c.response_id.in_(owed)))
    rows = [{"follow_up_id": follow_up_id, "response_id": response_id} for response_id in responses]
    insert_or_ignore(tx, follow_up_response, rows)
    return {row.customer for row in poorer}


def add_rules(tx: Connection, follow_up_id: str, rules: Sequence[str], now: datetime) -> None:
    """Note which rules stand in a follow-up, and that they hold now."""
    rows = [{"follow_up_id": follow_up_id, "rule": rule, "at": now} for rule in dict.fromkeys(rules)]
    insert_or_update(tx, follow_up_rule, rows)


def reopen(tx: Connection, follow_up_id: str) -> None:
    """Open a closed follow-up again."""
    opened: FollowUpChange = {"state": FollowUpState.OPEN, "closed_by": None, "closed_at": None, "waiting_since": None}
    change(tx, follow_up_id, opened)


def close(tx: Connection, follow_up_id: str, by: ClosedBy, now: datetime, **others: Unpack[FollowUpChange]) -> None:
    """Close a follow-up, and change what else is given."""
    closed: FollowUpChange = {"state": FollowUpState.CLOSED, "closed_by": by, "closed_at": now, "waiting_since": None}
    change(tx, follow_up_id, {**others, **closed})


def take_over(tx: Connection, keeper: FollowUp, others: Sequence[FollowUp], now: datetime) -> None:
    """Give the answers and rules of other follow-ups to the one that is kept, and close the others as joined."""
    tables = ((follow_up_response, follow_up_response.c.response_id), (follow_up_rule, follow_up_rule.c.rule))
    for other in others:
        for table, key in tables:
            there = select(key).where(table.c.follow_up_id == keeper.id).scalar_subquery()
            tx.execute(delete(table).where(table.c.follow_up_id == other.id, key.in_(there)))
            tx.execute(update(table).where(table.c.follow_up_id == other.id).values(follow_up_id=keeper.id))
        owed = update(owed_follow_up).where(owed_follow_up.c.follow_up_id == other.id)
        tx.execute(owed.values(follow_up_id=keeper.id))
        close(tx, other.id, ClosedBy.JOINED, now, joined_into=keeper.id, text_fingerprint="")
    if others:
        together = (keeper, *others)
        spoken = [joined.first_contact_at for joined in together if joined.first_contact_at is not None]
        own = [joined.separated_at for joined in together if joined.separated_at is not None]
        changes: FollowUpChange = {
            "priority": raised_priority(*(joined.priority for joined in together)),
            "text_fingerprint": "",
            "first_contact_at": min(spoken, default=None),
            "separated_at": max(own, default=None),
        }
        change(tx, keeper.id, changes)


def raised_priority(*priorities: str) -> str:
    """Return the highest of several priorities."""
    return max(priorities, key=_PRIORITIES.index)


def owe_strays(tx: Connection, customers: Collection[str], now: datetime) -> set[str]:
    """Note which answers are in an unclosed follow-up of a customer that is not theirs any more; returns whose they are."""
    return _owe(tx, now, _strays(tx.dialect.name), customers)


@cache
def _strays(dialect: str) -> AnySelect:
    elsewhere = follow_up.c.customer != account.c.customer
    theirs = or_(is_listed(dialect, follow_up.c.customer), is_listed(dialect, account.c.customer))
    return _placed_wrongly().where(elsewhere, theirs)


def owe_others(tx: Connection, customers: Collection[str], now: datetime) -> None:
    """Note which answers are in an unclosed follow-up of one of these customers that is about somebody else by now.

    Contacts of one address have one follow-up: one of them has got another address since, or was merged into somebody who has.
    """
    _owe(tx, now, _of_others(tx.dialect.name), customers)


@cache
def _of_others(dialect: str) -> AnySelect:
    about, author = contact.alias("about"), contact.alias("author")
    whose = func.coalesce(
        select(about.c.person).where(about.c.id == follow_up.c.about).scalar_subquery(), follow_up.c.about
    )
    by = select(author.c.person).where(author.c.id == response.c.contact_id).scalar_subquery()
    somebody_else = func.coalesce(by, response.c.contact_id) != whose
    return _placed_wrongly().where(is_listed(dialect, follow_up.c.customer), follow_up.c.about != "", somebody_else)


def _placed_wrongly() -> AnySelect:
    return (
        select(follow_up_response.c.response_id, follow_up_response.c.follow_up_id, account.c.customer)
        .join(follow_up, follow_up.c.id == follow_up_response.c.follow_up_id)
        .join(response, response.c.id == follow_up_response.c.response_id)
        .join(account, account.c.id == response.c.account_id)
        .where(follow_up.c.state.in_(UNSETTLED))
    )


def _owe(tx: Connection, now: datetime, answers: AnySelect, customers: Collection[str]) -> set[str]:
    owed = tx.execute(answers, listed(tx, customers)).all()
    rows = [{"response_id": row.response_id, "follow_up_id": row.follow_up_id, "at": now} for row in owed]
    insert_or_ignore(tx, owed_follow_up, rows)
    return {row.customer for row in owed}
