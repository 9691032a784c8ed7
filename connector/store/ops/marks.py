"""What the store knows of the installation's mark in each CRM: its own runs."""

from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from connector.domain.installation_mark import OwnRuns
from connector.store.db.upsert import insert_or_update
from connector.store.tables import installation_mark as table


def own_runs(tx: Connection, crm: str) -> OwnRuns:
    """Return what our store knows of its renewals on a connection."""
    row = tx.execute(select(table).where(table.c.connection == crm)).one_or_none()
    if row is None:
        return OwnRuns()
    return OwnRuns(
        row.run_id,
        row.previous_run_id,
        row.run_at,
        row.confirmed,
        row.was_ours,
        row.adopted,
        tuple(row.store_positions),
    )


def read_at(tx: Connection, crm: str) -> datetime | None:
    """Return when the mark was last seen to be ours."""
    return tx.execute(select(table.c.read_at).where(table.c.connection == crm)).scalar_one_or_none()


def keep(tx: Connection, crm: str, own: OwnRuns) -> None:
    """Keep a new run; it is on the disk before it is written to the CRM."""
    row = {
        "connection": crm,
        "run_id": own.run,
        "previous_run_id": own.previous,
        "run_at": own.at,
        "confirmed": own.confirmed,
        "was_ours": own.firm,
        "adopted": own.adopted,
        "store_positions": list(own.places),
    }
    insert_or_update(tx, table, [row])


def note_read(tx: Connection, crm: str, now: datetime | None) -> None:
    """Note that the mark was seen to be ours; None: that it is to be read again by the next lap, whatever it does."""
    tx.execute(update(table).where(table.c.connection == crm).values(read_at=now))


def confirm(tx: Connection, crm: str) -> None:
    """Note that the CRM still shows our newest run after its lag."""
    tx.execute(update(table).where(table.c.connection == crm).values(confirmed=True))


def forget(tx: Connection, crm: str) -> None:
    """Forget our runs: the mark is taken away."""
    tx.execute(delete(table).where(table.c.connection == crm))
