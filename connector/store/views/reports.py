"""Queries of the reports to managers: what came in within a time, what is late, who was not heard, and why so few were asked."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, ColumnElement, Connection, and_, exists, func, or_, select

from connector.model import Decision, Delivery, FollowUpState
from connector.model.follow_up import NamedFollowUp
from connector.sentences.content import NamedResponse
from connector.store.crm.refs import chunks
from connector.store.db.row_readers import named_follow_up_of
from connector.store.results import record_texts
from connector.store.tables import (
    account,
    contact,
    decision,
    follow_up,
    follow_up_response,
    go_live,
    invitation,
    response,
    staff_mail,
)

PAGE = 500
HEARD_WITHIN = timedelta(days=365)
"""A customer who has answered within so long counts as heard."""
_REACHED = (Delivery.SENT.value, Delivery.IN_DOUBT.value)
_NOT_ASKED = (Decision.REFUSED.value, Decision.CANCELLED.value)


@dataclass(frozen=True, slots=True)
class ReportedResponse:
    """An answer that counts, and where it came from."""

    response: NamedResponse
    account_id: str
    account: str


@dataclass(frozen=True, slots=True)
class Asking:
    """How many invitations of a time reached somebody, and how many of those have been answered by now."""

    asked: int
    answered: int


@dataclass(frozen=True, slots=True)
class Unheard:
    """A customer of whom people were asked, and nobody has answered."""

    account: str
    people: int
    last_asked: datetime


def live_since(tx: Connection, crms: Collection[str]) -> datetime | None:
    """Return when the first survey or follow-up rule went live on these connections; None: nothing has."""
    return tx.execute(select(func.min(go_live.c.at)).where(go_live.c.connection.in_(crms))).scalar()


def answers(tx: Connection, crms: Collection[str], since: datetime, until: datetime) -> Iterator[ReportedResponse]:
    """Yield the answers that count and were given in a time, in its order, page by page."""
    after = (since, "")
    while True:
        later = or_(response.c.at > after[0], and_(response.c.at == after[0], response.c.id > after[1]))
        query = (
            record_texts.answers()
            .add_columns(account.c.name.label("account_name"))
            .where(account.c.connection.in_(crms), response.c.at < until, later)
            .order_by(response.c.at, response.c.id)
            .limit(PAGE)
        )
        page = tx.execute(query).all()
        ratings = record_texts.ratings_of(tx, [row.id for row in page])
        for row in page:
            if row.id in ratings:
                yield ReportedResponse(
                    record_texts.named_response(row, ratings[row.id]), row.account_id, row.account_name
                )
        if len(page) < PAGE:
            return
        after = (page[-1].at, page[-1].id)


def follow_ups_about(tx: Connection, responses: Collection[str]) -> dict[str, NamedFollowUp]:
    """Return the follow-up that each of these answers is in, if any, with the names of its person and account.

    Of several the last opened. One that was joined into another has given its answers to that one.
    """
    link = follow_up_response
    about: dict[str, NamedFollowUp] = {}
    for part in chunks(responses):
        rows = (
            record_texts.with_names()
            .join(link, link.c.follow_up_id == follow_up.c.id)
            .add_columns(link.c.response_id.label("about_response"))
            .where(link.c.response_id.in_(part))
            .order_by(follow_up.c.joined_into.is_(None), follow_up.c.opened_at, follow_up.c.id)
        )
        about |= {row.about_response: named_follow_up_of(row) for row in tx.execute(rows)}
    return about


def late(
    tx: Connection, crms: Collection[str], now: datetime, *, besides: Collection[str], limit: int
) -> tuple[Sequence[NamedFollowUp], int]:
    """Return open follow-ups that should have been done by now, without those of `besides`, the oldest first, and how many they are."""
    wanted = (
        follow_up.c.state == FollowUpState.OPEN.value,
        follow_up.c.due_at <= now,
        follow_up.c.connection.in_(crms),
        follow_up.c.id.not_in(besides),
    )
    return _counted(tx, wanted, follow_up.c.due_at, limit)


def without_outcome(
    tx: Connection, crms: Collection[str], *, besides: Collection[str], limit: int
) -> tuple[Sequence[NamedFollowUp], int]:
    """Return follow-ups whose task is done and whose outcome nobody has noted, the oldest first, and how many there are."""
    wanted = (
        follow_up.c.state == FollowUpState.WAITING_FOR_OUTCOME.value,
        follow_up.c.connection.in_(crms),
        follow_up.c.id.not_in(besides),
    )
    return _counted(tx, wanted, follow_up.c.waiting_since, limit)


def _counted(
    tx: Connection, wanted: Sequence[ColumnElement[bool]], order: Column[datetime], limit: int
) -> tuple[Sequence[NamedFollowUp], int]:
    rows = tx.execute(record_texts.with_names().where(*wanted).order_by(order, follow_up.c.id).limit(limit)).all()
    count = select(func.count()).select_from(follow_up).join(account, account.c.id == follow_up.c.account_id)
    return [named_follow_up_of(row) for row in rows], int(tx.execute(count.where(*wanted)).scalar_one())


def asking(tx: Connection, crms: Collection[str], since: datetime, until: datetime) -> Asking:
    """Return how many invitations of a time reached somebody, and how many of them were answered by now."""
    count = select(func.count()).select_from(invitation)
    count = count.where(invitation.c.connection.in_(crms), invitation.c.state.in_(_REACHED))
    count = count.where(invitation.c.sent_at >= since, invitation.c.sent_at < until)
    answered = count.where(exists().where(response.c.invitation_id == invitation.c.id, response.c.counts))
    return Asking(int(tx.execute(count).scalar_one()), int(tx.execute(answered).scalar_one()))


def unheard(
    tx: Connection, crms: Collection[str], since: datetime, until: datetime, *, limit: int
) -> tuple[Sequence[Unheard], int]:
    """Return customers whose last chance to answer ran out in a time and who have not answered for a year, and how many they are.

    Linked accounts are one customer. Those of whom most people were asked come first.
    """
    answered = (
        select(account.c.customer)
        .join(response, response.c.account_id == account.c.id)
        .where(response.c.counts, response.c.at >= since - HEARD_WITHIN)
    )
    people = func.count(func.distinct(invitation.c.person))
    ended = func.max(invitation.c.expires_at)
    silent = (
        select(
            func.min(account.c.name).label("name"), people.label("people"), func.max(invitation.c.sent_at).label("last")
        )
        .join(account, account.c.id == invitation.c.account_id)
        .where(account.c.connection.in_(crms), account.c.deleted_at.is_(None), account.c.customer.not_in(answered))
        .where(invitation.c.state.in_(_REACHED))
        .group_by(account.c.customer)
        .having(ended >= since, ended < until)
    )
    count = int(tx.execute(select(func.count()).select_from(silent.subquery())).scalar_one())
    rows = tx.execute(silent.order_by(people.desc(), func.min(account.c.name)).limit(limit))
    return [Unheard(row.name, row.people, row.last) for row in rows], count


def never_asked(tx: Connection, crms: Collection[str]) -> int:
    """Return of how many customers nobody has ever been asked, though somebody there has an address."""
    asked = select(account.c.customer).join(invitation, invitation.c.account_id == account.c.id)
    has_contact = exists().where(
        contact.c.connection == account.c.connection,
        contact.c.account_ref == account.c.ref,
        contact.c.email.is_not(None),
        contact.c.deleted_at.is_(None),
    )
    count = select(func.count(func.distinct(account.c.customer))).where(
        account.c.connection.in_(crms), account.c.is_customer, account.c.deleted_at.is_(None), has_contact
    )
    return int(tx.execute(count.where(account.c.customer.not_in(asked))).scalar_one())


def not_asked(tx: Connection, crms: Collection[str], since: datetime, until: datetime) -> Counter[str]:
    """Return on how many occasions somebody was not asked in a time, by the reason."""
    rows = tx.execute(
        select(decision.c.reason, func.count().label("times"))
        .where(decision.c.connection.in_(crms), decision.c.state.in_(_NOT_ASKED), decision.c.reason.is_not(None))
        .where(decision.c.decided_at >= since, decision.c.decided_at < until)
        .group_by(decision.c.reason)
    )
    return Counter({row.reason: int(row.times) for row in rows})


def was_begun(tx: Connection, key: str) -> bool:
    """Tell whether the mail of this key was begun."""
    return tx.execute(select(staff_mail.c.key).where(staff_mail.c.key == key)).first() is not None
