"""Tokens that a CRM gave in exchange for others, as they lie in the database: sealed by whoever keeps them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from connector.errors import StoreError
from connector.store.db.engine import Store
from connector.store.db.upsert import insert_or_update
from connector.store.ops.connections import mark
from connector.store.tables import crm_token as table

_AGAIN_SECONDS: Final = 0.1


def load(tx: Connection, crm: str, given: str) -> str | None:
    """Return what was kept last; None when it does not descend from the token `given` in config.toml."""
    row = tx.execute(select(table).where(table.c.connection == crm)).one_or_none()
    return row.encrypted if row is not None and row.refresh_token_hash == mark(tx, given) else None


@dataclass(frozen=True, slots=True)
class Sealed:
    """What is to be kept of one connection."""

    crm: str
    text: str = field(repr=False)
    given: str = field(repr=False, kw_only=True)
    """The token in config.toml that these descend from."""
    at: datetime = field(kw_only=True)


def save(store: Store, kept: Sealed, *, patience: float) -> None:
    """Keep this in place of what was kept. Tries again for so many seconds: there is no second copy of it."""
    for attempt in Retrying(
        retry=retry_if_exception_type((StoreError, DBAPIError)),
        stop=stop_after_delay(patience),
        wait=wait_fixed(_AGAIN_SECONDS),
        reraise=True,
    ):
        with attempt, store.write() as tx:
            columns = {
                "connection": kept.crm,
                "encrypted": kept.text,
                "refresh_token_hash": mark(tx, kept.given),
                "at": kept.at,
            }
            insert_or_update(tx, table, [columns])
