"""What ended before a survey went live: nobody is asked about it. That follows from the go-live mark, without a decision for each."""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Text, and_, cast, exists, false, or_, select, update

from connector.model import Decision, Reason
from connector.model.stored import StoredAccount, StoredContact, StoredInteraction
from connector.model.surveys import StoredDecision
from connector.store.crm.refs import ids_of
from connector.store.db import row_readers
from connector.store.db.among import among
from connector.store.db.documents import encoded
from connector.store.surveys.decisions import live_since
from connector.store.tables import binding, decision, interaction

Logged = StoredAccount | StoredContact | StoredInteraction
Events = Mapping[str, str]
"""By survey, the event that it asks about: case.closed."""


def take_off(tx: Connection, crms: Collection[str], events: Events, now: datetime, limit: int) -> tuple[int, int]:
    """Take interactions off the work list about which no survey asks, at most `limit`, unless something was decided on them.

    Returns how many that were, and on how many occasions somebody is not asked because a survey was not live yet.
    """
    by_event, marks = Counter(events.values()), live_since(tx)
    rows = tx.execute(
        select(interaction.c.id, interaction.c.kind, interaction.c.ended)
        .where(
            interaction.c.decide_at.is_not(None),
            or_(interaction.c.ended_at.is_(None), interaction.c.ended_at <= now),
            ~exists().where(decision.c.interaction_id == interaction.c.id),
            or_(*(_is_history(crm, marks, events, now) for crm in crms)) if crms else false(),
        )
        .limit(limit)
    ).all()
    if rows:
        here = among(tx, interaction.c.id, [row.id for row in rows])
        tx.execute(update(interaction).where(here).values(decide_at=None))
    return len(rows), sum(by_event[f"{row.kind}.{row.ended}"] for row in rows)


def _is_history(
    crm: str, marks: Mapping[tuple[str, str], datetime], events: Events, now: datetime
) -> ColumnElement[bool]:
    """Return whether every survey that asks about an interaction of a connection went live after its end, or none asks about it."""
    since: dict[str, datetime] = {}
    for survey, event in events.items():
        # Without a mark nobody has gone live yet: what has ended until now is not asked about.
        mark = marks.get((crm, survey), now)
        since[event] = min(mark, since.get(event, mark))
    asked = [_is(event) for event in since]
    before = [and_(_is(event), interaction.c.ended_at < mark) for event, mark in since.items()]
    nobody_asks = or_(interaction.c.ended.is_(None), interaction.c.ended_at.is_(None), ~or_(false(), *asked))
    return and_(interaction.c.connection == crm, or_(nobody_asks, *before))


def _is(event: str) -> ColumnElement[bool]:
    kind, _, ended = event.partition(".")
    return and_(interaction.c.kind == kind, interaction.c.ended == ended)


def as_decisions(tx: Connection, logged: Logged, events: Events, limit: int) -> list[StoredDecision]:
    """Return what the go-live marks say of a record, or of the interactions of an account or contact, as decisions: the latest first.

    They have no ids. Each is dated to when the survey, or the mapping of today, went live.
    """
    crm = logged.ref.connection
    marks = {survey: at for (of, survey), at in live_since(tx).items() if of == crm and survey in events}
    unasked = {
        survey: and_(
            _is(events[survey]),
            interaction.c.ended_at < mark,
            ~exists().where(decision.c.interaction_id == interaction.c.id, decision.c.survey == survey),
        )
        for survey, mark in marks.items()
    }
    decisions: list[StoredDecision] = []
    for survey, is_unasked in unasked.items():
        rows = tx.execute(
            select(interaction)
            .where(interaction.c.connection == crm, _is_about(tx, logged), is_unasked)
            .order_by(interaction.c.ended_at.desc(), interaction.c.ref)
            .limit(limit)
        )
        ended = [row_readers.interaction_of(row) for row in rows]
        decisions += _decisions(tx, ended, logged, survey, marks[survey])
    return sorted(decisions, key=lambda made: made.decided_at, reverse=True)[:limit]


def _is_about(tx: Connection, logged: Logged) -> ColumnElement[bool]:
    if isinstance(logged, StoredInteraction):
        return interaction.c.id == logged.id
    refs = tx.execute(select(binding.c.ref).where(binding.c.id == logged.id)).scalars().all()
    if isinstance(logged, StoredAccount):
        return interaction.c.account_ref.in_(refs)
    listed = cast(interaction.c.contact_refs, Text)
    return or_(false(), *(listed.contains(encoded(ref), autoescape=True) for ref in refs))


def _decisions(
    tx: Connection, ended: list[StoredInteraction], logged: Logged, survey: str, mark: datetime
) -> list[StoredDecision]:
    named = [
        ref for interaction in ended for ref in (interaction.account, *interaction.contacts[:1]) if ref is not None
    ]
    ids = ids_of(tx, named)
    return [
        StoredDecision(
            id="",
            survey=survey,
            connection=interaction.ref.connection,
            interaction_id=interaction.id,
            contact_id=logged.id
            if isinstance(logged, StoredContact)
            else next((ids[ref] for ref in interaction.contacts[:1] if ref in ids), ""),
            account_id=ids.get(interaction.account) if interaction.account is not None else None,
            state=Decision.REFUSED,
            reason=Reason.BEFORE_GO_LIVE,
            due_at=None,
            until=None,
            decided_at=mark,
        )
        for interaction in ended
    ]
