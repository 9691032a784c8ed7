"""When interactions were last updated, and by whom."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from connector.store.tables import interaction, owner


def newest(tx: Connection, crm: str, limit: int) -> Mapping[str, Sequence[Row[Any]]]:
    """Return, by kind, those that ended last and of which the CRM says when they were updated: ended_at, updated_at, updated_by."""
    mine = (interaction.c.connection == crm, interaction.c.deleted_at.is_(None), interaction.c.ended_at.is_not(None))
    kinds = tx.execute(select(interaction.c.kind).distinct().where(*mine).order_by(interaction.c.kind)).scalars().all()
    found: dict[str, Sequence[Row[Any]]] = {}
    for kind in kinds:
        times = (
            select(interaction.c.ended_at, interaction.c.updated_at, interaction.c.updated_by)
            .where(*mine, interaction.c.kind == kind, interaction.c.updated_at.is_not(None))
            .order_by(interaction.c.ended_at.desc())
            .limit(limit)
        )
        found[kind] = list(tx.execute(times))
    return found


def name_of(tx: Connection, crm: str, user: str) -> str | None:
    """Return what a user is called, where owners of records are known by the ids of users."""
    return tx.execute(
        select(owner.c.name).where(owner.c.connection == crm, owner.c.ref.endswith(f"/{user}", autoescape=True))
    ).scalar()
