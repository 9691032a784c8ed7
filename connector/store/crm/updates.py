"""When interactions were last updated, and by whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from connector.store.tables import interaction, owner


@dataclass(frozen=True, slots=True)
class LastUpdate:
    """When an interaction ended, and when it was last updated."""

    ended_at: datetime
    updated_at: datetime
    updated_by: str | None
    """The CRM's id of the user who did it."""


def newest(tx: Connection, crm: str, limit: int) -> Mapping[str, Sequence[LastUpdate]]:
    """Return, by kind, those that ended last and of which the CRM says when they were updated."""
    conditions = (
        interaction.c.connection == crm,
        interaction.c.deleted_at.is_(None),
        interaction.c.ended_at.is_not(None),
    )
    kinds = (
        tx.execute(select(interaction.c.kind).distinct().where(*conditions).order_by(interaction.c.kind))
        .scalars()
        .all()
    )
    updates: dict[str, Sequence[LastUpdate]] = {}
    for kind in kinds:
        times = (
            select(interaction.c.ended_at, interaction.c.updated_at, interaction.c.updated_by)
            .where(*conditions, interaction.c.kind == kind, interaction.c.updated_at.is_not(None))
            .order_by(interaction.c.ended_at.desc())
            .limit(limit)
        )
        updates[kind] = [LastUpdate(*row) for row in tx.execute(times)]
    return updates


def name_of(tx: Connection, crm: str, user: str) -> str | None:
    """Return what a user is called, where owners of records are known by the ids of users."""
    return tx.execute(
        select(owner.c.name).where(owner.c.connection == crm, owner.c.ref.endswith(f"/{user}", autoescape=True))
    ).scalar()
