"""Whom a lap would keep from being asked who was to be asked until now."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from connector.model import Decision
from connector.store.tables import account, contact, decision, decision_log, interaction


@dataclass(frozen=True, slots=True)
class CancelledDecision:
    """A decision by which somebody is not asked any more, with what it is about."""

    connection: str
    survey: str
    reason: str | None
    label: str
    account: str | None
    contact: str | None


def last_move(tx: Connection) -> int:
    """Return the newest line of the decision log; 0 when there is none."""
    return int(tx.execute(select(func.coalesce(func.max(decision_log.c.id), 0))).scalar_one())


def since(tx: Connection, line: int, limit: int) -> list[CancelledDecision]:
    """Return decisions that were waiting or invited at a line of the log and are refused or cancelled now, with what they are about."""
    earlier = decision_log.alias("earlier")
    over = (Decision.REFUSED.value, Decision.CANCELLED.value)
    before = (
        select(earlier.c.state)
        .where(earlier.c.decision_id == decision.c.id, earlier.c.id <= line)
        .order_by(earlier.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    moved = select(decision_log.c.decision_id).where(decision_log.c.id > line, decision_log.c.state.in_(over))
    about = (
        select(
            decision.c.connection,
            decision.c.survey,
            decision.c.reason,
            interaction.c.label,
            account.c.name.label("account"),
            contact.c.name.label("contact"),
        )
        .join(interaction, interaction.c.id == decision.c.interaction_id)
        .outerjoin(account, account.c.id == decision.c.account_id)
        .outerjoin(contact, contact.c.id == decision.c.contact_id)
        .where(decision.c.id.in_(moved), decision.c.state.in_(over))
        .where(before.in_((Decision.WAITING.value, Decision.INVITED.value)))
        .order_by(decision.c.decided_at, decision.c.id)
    )
    return [CancelledDecision(*row) for row in tx.execute(about.limit(limit))]
