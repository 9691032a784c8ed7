"""When interactions were last updated."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from connector.store.tables import interaction


def newest(tx: Connection, crm: str, limit: int) -> Mapping[str, Sequence[tuple[datetime, datetime]]]:
    """Return, by kind, when those that ended last ended and were updated last, as far as the CRM says so."""
    mine = (interaction.c.connection == crm, interaction.c.deleted_at.is_(None), interaction.c.ended_at.is_not(None))
    kinds = tx.execute(select(interaction.c.kind).distinct().where(*mine).order_by(interaction.c.kind)).scalars().all()
    found = {}
    for kind in kinds:
        times = (
            select(interaction.c.ended_at, interaction.c.updated_at)
            .where(*mine, interaction.c.kind == kind, interaction.c.updated_at.is_not(None))
            .order_by(interaction.c.ended_at.desc())
            .limit(limit)
        )
        found[kind] = [(row.ended_at, row.updated_at) for row in tx.execute(times)]
    return found
