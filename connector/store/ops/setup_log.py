"""What setup-crm made in each CRM."""

from datetime import datetime

from sqlalchemy import Connection, select

from connector.model.documents import JsonObject
from connector.ports import SetupResult, SetupStep
from connector.store.db.upsert import insert_or_ignore
from connector.store.tables import setup_log


def remember(tx: Connection, crm: str, step: SetupStep, detail: JsonObject, *, at: datetime) -> None:
    """Note that we made something; what was there before us is never noted, nor forgotten that it was we who made it then."""
    if detail.get("existed"):
        return
    kept = {"sentence": step.sentence, "detail": dict(detail), "group": step.group, "item": step.item}
    row = {"connection": crm, "key": step.key, "detail": kept, "at": at}
    # Somebody else's set-up may have made it at the same moment: the row is there by then, and is taken away for this one.
    insert_or_ignore(tx, setup_log, [row])
    forget(tx, crm, step.key)
    insert_or_ignore(tx, setup_log, [row])


def forget(tx: Connection, crm: str, key: str) -> None:
    """Note that something we made is gone. Steps of undo may have ``remove:`` before the key of what they take away."""
    bare = key.removeprefix("remove:")
    tx.execute(setup_log.delete().where(setup_log.c.connection == crm, setup_log.c.key == bare))


def results(tx: Connection, crm: str) -> list[SetupResult]:
    """Return what we made, in the order of making."""
    rows = tx.execute(select(setup_log).where(setup_log.c.connection == crm).order_by(setup_log.c.id))
    return [SetupResult(_step(row.key, row.detail), done=True, detail=row.detail["detail"]) for row in rows]


def _step(key: str, kept: JsonObject) -> SetupStep:
    return SetupStep(key, kept["sentence"], group=kept.get("group", ""), item=kept.get("item", ""))
