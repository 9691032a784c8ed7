"""What our fields on CRM records should say, and what they were last seen to say."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, and_, select, update

from connector.model import Ref
from connector.store.db.upsert import insert_or_ignore
from connector.store.tables import display, ref_text


def want(tx: Connection, ref: Ref, target: str, values: Mapping[str, Any]) -> None:
    """Say what some of our fields on a record should hold (JSON values by our names; None clears, absent leaves alone).

    The record is marked for `write_back` when that changes anything.
    """
    here = and_(display.c.connection == ref.connection, display.c.ref == ref_text(ref))
    # Locked, so that nobody changes it between our reading and our writing it. A row that is not there cannot be locked.
    locked = select(display.c.wanted).where(here).with_for_update()
    row = tx.execute(locked).one_or_none()
    if row is None:
        nothing: dict[str, Any] = {"wanted": {}, "shown": {}, "written": {}, "dirty": False}
        key = {"connection": ref.connection, "ref": ref_text(ref), "target": target}
        insert_or_ignore(tx, display, [key | nothing])
        row = tx.execute(locked).one()
    after = {**row.wanted, **values}
    if after != row.wanted:
        tx.execute(update(display).where(here).values(wanted=after, target=target, dirty=True))


def want_no_more(tx: Connection, ref: Ref, names: Collection[str]) -> None:
    """Leave alone from now on what some of our fields on a record hold."""
    here = and_(display.c.connection == ref.connection, display.c.ref == ref_text(ref))
    wanted = tx.execute(select(display.c.wanted).where(here).with_for_update()).scalar_one_or_none()
    if wanted is not None:
        left = {name: value for name, value in wanted.items() if name not in names}
        tx.execute(update(display).where(here).values(wanted=left))


def wants(tx: Connection, ref: Ref, values: Mapping[str, Any]) -> bool:
    """Return whether a record is to show these values already."""
    here = and_(display.c.connection == ref.connection, display.c.ref == ref_text(ref))
    wanted = tx.execute(select(display.c.wanted).where(here)).scalar_one_or_none()
    return wanted is not None and {**wanted, **values} == wanted
