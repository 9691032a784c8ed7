"""What an account's page shows to users of the CRM."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, select

from connector.model import Rating, Ref
from connector.model.follow_up import FollowUp
from connector.model.stored import StoredAccount
from connector.model.surveys import Invitation
from connector.store.crm.refs import chunks, owners_at
from connector.store.db import row_readers
from connector.store.db.types import AnyRow, AnyTable
from connector.store.results.record_texts import ratings_of
from connector.store.surveys.people import PersonMarks, people
from connector.store.tables import account, contact, customer_score, follow_up, invitation, response

LATEST: Final = 200
"""How many answers and how many invitations the page shows, the latest ones."""


@dataclass(frozen=True, slots=True)
class ShownResponse:
    """One response with what stands around it."""

    at: datetime
    label: str
    """What was asked about."""
    contact: str | None
    """None: the CRM has deleted them."""
    ratings: Sequence[Rating]
    comment: str | None
    counts: bool
    after_contact: bool
    invitation_id: str | None


@dataclass(frozen=True, slots=True)
class AccountView:
    """Everything known about one customer's satisfaction."""

    name: str
    accounts: Sequence[StoredAccount]
    """The account and those of other CRMs that are linked with it, as far as the visitor may see them."""
    score: Mapping[str, object]
    """The figures as published; empty when there are none."""
    answers: Sequence[ShownResponse]
    invitations: Sequence[Invitation]
    follow_ups: Sequence[FollowUp]
    owners: Mapping[Ref, str]
    """Names of those to whom the follow-ups are assigned."""
    people: Mapping[str, PersonMarks]
    """What is known of the persons asked: who wants no surveys any more, and whom mail does not reach."""
    gone: Collection[str]
    """The contacts whom the CRM has deleted: they are named nowhere."""

    def assignee(self, follow_up: FollowUp) -> str:
        """Return who has a follow-up to do; empty when nobody has."""
        owner = follow_up.owner
        return self.owners.get(owner, f"{owner.object}/{owner.id}") if owner is not None else ""

    @property
    def answered(self) -> frozenset[str]:
        """The invitations that were answered."""
        return frozenset(answer.invitation_id for answer in self.answers if answer.invitation_id)


def account_view(tx: Connection, account_id: str, *, crms: Collection[str]) -> AccountView | None:
    """Return what the page of an account shows to a user of these CRMs; None when none of them has it (any more).

    The figures are those of the customer. Of accounts that are linked with it, the rows of those CRMs alone are shown. An account that
    the CRM has deleted is not there, nor is anything about it.
    """
    visible = and_(account.c.connection.in_(crms), account.c.deleted_at.is_(None))
    row = tx.execute(select(account).where(account.c.id == account_id, visible)).one_or_none()
    if row is None:
        return None
    of_customer = select(account).where(account.c.customer == row.customer, visible).order_by(account.c.id)
    linked = [row_readers.account_of(known) for known in tx.execute(of_customer)]
    ids = [known.id for known in linked]
    score = tx.execute(
        select(customer_score.c.figures).where(customer_score.c.customer == row.customer)
    ).scalar_one_or_none()
    deleted = select(account.c.id).where(account.c.customer == row.customer, account.c.deleted_at.is_not(None))
    opened = (
        select(follow_up)
        .where(follow_up.c.customer == row.customer, follow_up.c.connection.in_(crms))
        .where(follow_up.c.account_id.not_in(deleted))
        .order_by(follow_up.c.opened_at.desc())
    )
    follow_ups = [row_readers.follow_up_of(known) for known in tx.execute(opened.limit(LATEST))]
    invitations = [row_readers.invitation_of(known) for known in _latest(tx, invitation, ids, newest="created_at")]
    owners = owners_at(tx, (follow_up.owner for follow_up in follow_ups if follow_up.owner is not None))
    return AccountView(
        name=row.name,
        accounts=linked,
        score=score or {},
        answers=_answers(tx, ids),
        invitations=invitations,
        follow_ups=follow_ups,
        owners={ref: owner.name for ref, owner in owners.items()},
        people=people(tx, {asked.person for asked in invitations}),
        gone=_gone(tx, [*_contacts(invitations), *_contacts(follow_ups)]),
    )


def _contacts(about: Iterable[Invitation | FollowUp]) -> list[str]:
    return [known.contact_id for known in about if known.contact_id]


def _latest(
    tx: Connection, table: AnyTable, accounts: Sequence[str], *conditions: ColumnElement[bool], newest: str
) -> Sequence[AnyRow]:
    chosen = select(table).where(table.c.account_id.in_(accounts), *conditions)
    return tx.execute(chosen.order_by(table.c[newest].desc(), table.c.id).limit(LATEST)).all()


def _answers(tx: Connection, accounts: Sequence[str]) -> list[ShownResponse]:
    """Return the latest answers that count, each with what was given to the same invitation before and after it."""
    counting = _latest(tx, response, accounts, response.c.counts, newest="at")
    rows = [*counting, *_others(tx, [row.invitation_id for row in counting if row.invitation_id])]
    rows.sort(key=lambda row: (row.at, row.revision), reverse=True)
    names = _names(tx, [row.contact_id for row in rows if row.contact_id])
    parts = (ratings_of(tx, part) for part in chunks([row.id for row in rows]))
    ratings = {response_id: rated for part in parts for response_id, rated in part.items()}
    return [
        ShownResponse(
            at=row.at,
            label=row.label,
            contact=names.get(row.contact_id or ""),
            ratings=ratings.get(row.id, []),
            comment=row.comment,
            counts=row.counts,
            after_contact=row.after_contact,
            invitation_id=row.invitation_id,
        )
        for row in rows
    ]


def _others(tx: Connection, invitations: Sequence[str]) -> list[AnyRow]:
    """Return the answers to these invitations that do not count."""
    rows: list[AnyRow] = []
    for part in chunks(invitations):
        rows += tx.execute(select(response).where(response.c.invitation_id.in_(part), ~response.c.counts))
    return rows


def _names(tx: Connection, ids: Sequence[str]) -> dict[str, str]:
    """Return the names of contacts by id, without those whom the CRM has deleted."""
    known = select(contact.c.id, contact.c.name).where(contact.c.deleted_at.is_(None))
    return {row.id: row.name for part in chunks(ids) for row in tx.execute(known.where(contact.c.id.in_(part)))}


def _gone(tx: Connection, ids: Sequence[str]) -> frozenset[str]:
    """Return which of these contacts the CRM has deleted."""
    deleted = select(contact.c.id).where(contact.c.deleted_at.is_not(None))
    return frozenset(id_ for part in chunks(ids) for id_ in tx.scalars(deleted.where(contact.c.id.in_(part))))
