"""Queries on the throw-away copy in which `plan --since` lets the past go by again."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from connector.model import Decision, Delivery
from connector.store.tables import (
    account,
    attempt,
    connection_state,
    contact,
    decision,
    follow_up_response,
    go_live,
    interaction,
    invitation,
    owed_follow_up,
    rating,
    response,
)


def begin(tx: Connection, subjects: Sequence[str], crms: Sequence[str], since: datetime) -> None:
    """Make as if everything had gone live at `since`, and nothing had been decided before."""
    for table in (
        follow_up_response,
        owed_follow_up,
        rating,
        response,
        attempt,
        invitation,
        decision,
        go_live,
    ):  # what refers to a row goes before it
        tx.execute(table.delete())
    rows = [{"subject": subject, "connection": crm, "at": since} for subject in subjects for crm in crms]
    if rows:
        tx.execute(go_live.insert(), rows)
    tx.execute(update(connection_state).values(mapping_since=None))
    ended_later = (interaction.c.ended_at >= since) & interaction.c.deleted_at.is_(None)
    tx.execute(update(interaction).values(decide_at=None))
    tx.execute(update(interaction).where(ended_later).values(decide_at=interaction.c.ended_at))


def pretend_sent(tx: Connection, now: datetime) -> None:
    """Make as if what is due had been sent: on the copy nobody sends, and limits count what was."""
    due = invitation.c.state == Delivery.DUE
    tx.execute(update(invitation).where(due).values(state=Delivery.SENT.value, sent_at=now))


def ended(tx: Connection, crms: Collection[str], since: datetime, until: datetime) -> Mapping[str, int]:
    """Return how many interactions of these CRMs ended in a time, by event (case.closed)."""
    rows = tx.execute(
        select(interaction.c.kind, interaction.c.ended, func.count().label("n"))
        .where(interaction.c.ended_at >= since, interaction.c.ended_at <= until, interaction.c.deleted_at.is_(None))
        .where(interaction.c.connection.in_(crms))
        .group_by(interaction.c.kind, interaction.c.ended)
    )
    return {f"{row.kind}.{row.ended}": row.n for row in rows}


@dataclass(frozen=True, slots=True)
class DecisionCount:
    """How many decisions came out in one way."""

    survey: str
    state: Decision
    reason: str | None
    count: int


@dataclass(frozen=True, slots=True)
class ExampleInvitation:
    """An invitation, with what it is about."""

    survey: str
    decided_at: datetime
    label: str
    account: str | None
    contact: str | None


def outcomes(tx: Connection) -> list[DecisionCount]:
    """Return how many decisions came out how. The database counts, however many there are."""
    of = (decision.c.survey, decision.c.state, decision.c.reason)
    rows = tx.execute(select(*of, func.count()).group_by(*of))
    return [DecisionCount(survey, Decision(state), reason, count) for survey, state, reason, count in rows]


def asked_at(tx: Connection) -> list[tuple[datetime, int]]:
    """Return how many were invited at which moment, oldest first. There are as many moments as days that went by."""
    moments = select(decision.c.decided_at, func.count().label("n")).where(decision.c.state == Decision.INVITED)
    rows = tx.execute(moments.group_by(decision.c.decided_at).order_by(decision.c.decided_at))
    return [(at, count) for at, count in rows]


def examples(tx: Connection, limit: int) -> list[ExampleInvitation]:
    """Return the first invitations, with what each is about, in the order of time."""
    rows = tx.execute(
        select(
            decision.c.survey,
            decision.c.decided_at,
            interaction.c.label,
            account.c.name.label("account"),
            contact.c.name.label("contact"),
        )
        .join(interaction, interaction.c.id == decision.c.interaction_id)
        .outerjoin(account, account.c.id == decision.c.account_id)
        .outerjoin(contact, contact.c.id == decision.c.contact_id)
        .where(decision.c.state == Decision.INVITED)
        .order_by(decision.c.decided_at, interaction.c.ended_at, decision.c.id)
        .limit(limit)
    )
    return [ExampleInvitation(*row) for row in rows]
