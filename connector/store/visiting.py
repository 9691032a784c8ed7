"""Users of the CRM who open an account's page: their one-time links, and what the page shows."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, Table, func, select, update

from connector.store.people import people
from connector.store.refs import Address, rows_by_address
from connector.store.tables import account, contact, follow_up, invitation, owner, rating, response, sign_in, standing
from connector.store.upsert import insert_or_ignore

LINK_LIFE: Final = timedelta(minutes=15)
"""How long a sign-in link can be used."""
MOST_LINKS: Final = 5
"""Links to one address in that time: nobody's mailbox is filled by others who type their address."""
LATEST: Final = 200
"""How many answers and how many invitations the page shows, the latest ones."""


def connections_of(connection: Connection, email: str) -> frozenset[str]:
    """Return the names of the CRMs in which this (normalised) address is an active user of the firm's own.

    Until it was read whether somebody is one, they are not.
    """
    rows = connection.execute(
        select(owner.c.connection).where(
            func.lower(owner.c.email) == email,
            owner.c.active.is_(True),
            owner.c.standard.is_(True),
            owner.c.deleted_at.is_(None),
        )
    )
    return frozenset(rows.scalars())


def keep_link(connection: Connection, nonce: str, email: str, now: datetime) -> bool:
    """Note that a link is sent; False when enough were sent to this address lately."""
    lately = select(func.count()).where(sign_in.c.email == email, sign_in.c.made_at > now - LINK_LIFE)
    if connection.execute(lately).scalar_one() >= MOST_LINKS:
        return False
    insert_or_ignore(connection, sign_in, [{"nonce": nonce, "email": email, "made_at": now}])
    return True


def use_link(connection: Connection, nonce: str, now: datetime) -> str | None:
    """Use up a link; returns whose it is, or None when it was used before or is too old."""
    used = connection.execute(
        update(sign_in)
        .where(sign_in.c.nonce == nonce, sign_in.c.used_at.is_(None), sign_in.c.made_at > now - LINK_LIFE)
        .values(used_at=now)
    )
    if used.rowcount != 1:
        return None
    return str(connection.execute(select(sign_in.c.email).where(sign_in.c.nonce == nonce)).scalar_one())


@dataclass(frozen=True, slots=True)
class Answer:
    """One response with what stands around it."""

    row: Row[Any]
    contact: str | None
    ratings: Sequence[Row[Any]]


@dataclass(frozen=True, slots=True)
class AccountView:
    """Everything known about one customer's satisfaction."""

    name: str
    accounts: Sequence[Row[Any]]
    """The account and those of other CRMs that are linked with it, as far as the visitor may see them."""
    score: Mapping[str, Any]
    """The figures as published; empty when there are none."""
    answers: Sequence[Answer]
    invitations: Sequence[Row[Any]]
    follow_ups: Sequence[Row[Any]]
    owners: Mapping[Address, str]
    """Names of those to whom the follow-ups are assigned, by connection and ref."""
    people: Mapping[str, Row[Any]]
    """What is known of the persons asked: who wants no surveys any more, and whom mail does not reach."""

    def assignee(self, one: Row[Any]) -> str:
        """Return who has a follow-up to do; empty when nobody has."""
        return self.owners.get((one.connection, one.owner_ref), one.owner_ref) if one.owner_ref else ""

    @property
    def answered(self) -> frozenset[str]:
        """The invitations that were answered."""
        return frozenset(answer.row.invitation_id for answer in self.answers if answer.row.invitation_id)


def account_view(connection: Connection, account_id: str, *, crms: Collection[str]) -> AccountView | None:
    """Return what the page of an account shows to a user of these CRMs; None when none of them has it.

    The figures are those of the customer. Of accounts that are linked with it, the rows of those CRMs alone are shown.
    """
    mine = account.c.connection.in_(crms)
    row = connection.execute(select(account).where(account.c.id == account_id, mine)).one_or_none()
    if row is None:
        return None
    of_customer = select(account).where(account.c.customer == row.customer, mine).order_by(account.c.id)
    linked = connection.execute(of_customer).all()
    ids = [one.id for one in linked]
    score = connection.execute(select(standing.c.score).where(standing.c.customer == row.customer)).scalar_one_or_none()
    opened = (
        select(follow_up)
        .where(follow_up.c.customer == row.customer, follow_up.c.connection.in_(crms))
        .order_by(follow_up.c.opened_at.desc())
    )
    follow_ups = connection.execute(opened.limit(LATEST)).all()
    invitations = _latest(connection, invitation, ids, newest="created_at")
    owners = rows_by_address(
        connection, owner, [(one.connection, one.owner_ref) for one in follow_ups if one.owner_ref]
    )
    return AccountView(
        name=row.name,
        accounts=linked,
        score=score or {},
        answers=_answers(connection, ids),
        invitations=invitations,
        follow_ups=follow_ups,
        owners={address: one.name for address, one in owners.items()},
        people=people(connection, {one.person for one in invitations}),
    )


def _latest(connection: Connection, table: Table, accounts: Sequence[str], *, newest: str) -> Sequence[Row[Any]]:
    chosen = select(table).where(table.c.account_id.in_(accounts)).order_by(table.c[newest].desc(), table.c.id)
    return connection.execute(chosen.limit(LATEST)).all()


def _answers(connection: Connection, accounts: Sequence[str]) -> list[Answer]:
    rows = _latest(connection, response, accounts, newest="at")
    names = _names(connection, [row.contact_id for row in rows if row.contact_id])
    ratings = connection.execute(
        select(rating).where(rating.c.response_id.in_([row.id for row in rows])).order_by(rating.c.id)
    ).all()
    return [
        Answer(row, names.get(row.contact_id or ""), [one for one in ratings if one.response_id == row.id])
        for row in rows
    ]


def _names(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    found = connection.execute(select(contact.c.id, contact.c.name).where(contact.c.id.in_(ids)))
    return {row.id: row.name for row in found}
