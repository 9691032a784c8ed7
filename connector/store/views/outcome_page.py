"""What the page that asks for a follow-up's outcome shows."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from connector.model import FollowUpState
from connector.store.tables import contact, follow_up


@dataclass(frozen=True, slots=True)
class OutcomeView:
    """A follow-up as whoever has its link may see it: what is to be done, and how it ended. No answers, no names, no words
    of who noted an earlier outcome."""

    id: str
    subject: str
    state: FollowUpState
    outcome: str | None
    attempts: int
    """How many attempts that settled nothing were noted."""

    @property
    def open(self) -> bool:
        """Whether an outcome may be noted."""
        return self.state is not FollowUpState.CLOSED


def outcome_view(tx: Connection, follow_up_id: str) -> OutcomeView | None:
    """Return what the link to a follow-up's outcome shows; None where there is no such follow-up (any more).

    Of a person whom the CRM has deleted since, nothing: how it ended may still be noted.
    """
    known = select(follow_up, contact.c.deleted_at.label("gone_at")).where(follow_up.c.id == follow_up_id)
    row = tx.execute(known.outerjoin(contact, contact.c.id == follow_up.c.contact_id)).one_or_none()
    if row is None:
        return None
    subject = row.subject if row.gone_at is None else ""
    return OutcomeView(row.id, subject, FollowUpState(row.state), row.outcome, row.attempts)
