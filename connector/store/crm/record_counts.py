"""How many records the store holds, to be compared with what the CRM says it has."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from connector.domain import cursor as rules
from connector.store.crm.cursors import CHANGES
from connector.store.db.engine import Store
from connector.store.ops.call_counts import is_ready
from connector.store.tables import account, contact, cursor, interaction, owner


@dataclass(frozen=True, slots=True)
class Stored:
    """What the store has of one object."""

    records: int
    """Living ones that were understood."""
    complete: bool
    """Whether everything has been read once."""


def stored(store: Store, crm: str, objects: Iterable[str]) -> dict[str, Stored]:
    """Return what the store has of a connection's objects; nothing while there is no store yet, and none is made."""
    if not is_ready(store):
        return {}
    with store.read() as tx:
        return {name: Stored(_records(tx, crm, name), _complete(tx, crm, name)) for name in objects}


def _records(tx: Connection, crm: str, object_name: str) -> int:
    of_object = f"{object_name}/"
    counts = (
        select(func.count())
        .select_from(table)
        .where(
            table.c.connection == crm, table.c.deleted_at.is_(None), table.c.ref.startswith(of_object, autoescape=True)
        )
        for table in (owner, account, contact, interaction)
    )
    return sum(int(tx.execute(query).scalar_one()) for query in counts)


def _complete(tx: Connection, crm: str, object_name: str) -> bool:
    place = select(cursor.c.position).where(
        cursor.c.connection == crm, cursor.c.object == object_name, cursor.c["pass"] == CHANGES
    )
    position = tx.execute(place).scalar_one_or_none()
    return position is not None and not rules.load(position).backfilling
