"""Connections that were not let in for a reason that can pass: since when, and when it is tried again, later each time."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, select

from connector.errors import NotLetIn
from connector.model.documents import JsonObject
from connector.store.db.upsert import insert_or_update
from connector.store.tables import setting

_NAME: Final = "not_let_in:"
_FIRST_WAIT: Final = timedelta(minutes=5)
_LONGEST_WAIT: Final = timedelta(hours=2)
"""By then whoever has put it right in the CRM is let in again without doing anything here."""


def waiting(tx: Connection, crm: str, credentials: str, now: datetime) -> NotLetIn | None:
    """Return the error while these credentials (a mark of them) are not to be tried again yet; else None."""
    known = of(tx, crm)
    if known is None or known["with"] != credentials:
        return None
    until = datetime.fromisoformat(known["until"])
    if now >= until:
        return None
    what = (
        f"{known['what']} Not let in since {_minute(known['since'])}; it is tried again at {_minute(known['until'])}."
    )
    remedy = f"{known['remedy']} `afterword resume --crm {crm}` tries it at once."
    return NotLetIn(what, where=f"{crm}: sign in", remedy=remedy, until=until)


def note(tx: Connection, crm: str, error: NotLetIn, *, credentials: str, now: datetime) -> None:
    """Note that these credentials were not let in just now: the next try is twice as far away as the last one was."""
    known = of(tx, crm)
    same = known is not None and known["with"] == credentials
    times = known["times"] + 1 if known is not None and same else 1
    wait = min(_FIRST_WAIT * 2 ** min(times - 1, 10), _LONGEST_WAIT)
    row = {
        "since": known["since"] if known is not None and same else now.isoformat(),
        "until": (now + wait).isoformat(),
        "times": times,
        "what": error.what,
        "remedy": error.remedy,
        "with": credentials,
    }
    insert_or_update(tx, setting, [{"name": f"{_NAME}{crm}", "value": row}])


def forget(tx: Connection, crm: str | None) -> None:
    """Note that a connection is let in, or is to be tried at once; None: each of them."""
    condition = setting.c.name.startswith(_NAME, autoescape=True) if crm is None else setting.c.name == f"{_NAME}{crm}"
    tx.execute(delete(setting).where(condition))


def of(tx: Connection, crm: str) -> JsonObject | None:
    """Return what is known of a connection that is not let in: since, until, what, remedy, and the mark of the
    credentials (with); None for one that is."""
    known: JsonObject | None = tx.execute(
        select(setting.c.value).where(setting.c.name == f"{_NAME}{crm}")
    ).scalar_one_or_none()
    return known


def _minute(moment: str) -> str:
    return f"{datetime.fromisoformat(moment):%Y-%m-%d %H:%M} UTC"
