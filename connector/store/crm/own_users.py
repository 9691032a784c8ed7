"""As whom we work in a CRM: whoever made our tasks there. Users of credentials that were in use before count too."""

from collections.abc import Collection

from sqlalchemy import Connection, select

from connector.store.db.upsert import insert_or_update
from connector.store.tables import setting


def known(tx: Connection, crm: str) -> frozenset[str]:
    """Return the CRM's ids of our own users; none before one of our tasks was read."""
    value = tx.execute(select(setting.c.value).where(setting.c.name == _name(crm))).scalar_one_or_none()
    return frozenset(value or ())


def note(tx: Connection, crm: str, users: Collection[str]) -> None:
    """Take in who made tasks of ours."""
    before = known(tx, crm) if users else frozenset()
    if not before.issuperset(users):
        insert_or_update(tx, setting, [{"name": _name(crm), "value": sorted(before.union(users))}])


def _name(crm: str) -> str:
    return f"own_users:{crm}"
