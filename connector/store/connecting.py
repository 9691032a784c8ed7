"""What is known about each connection: its schema as last described, its mapping, whether it is paused, how it went."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from connector.ports import FieldSchema, ObjectSchema
from connector.store.tables import connection_state as table
from connector.store.tables import setting
from connector.store.upsert import insert_or_ignore, insert_or_update

_PAUSED = "paused"


def state(connection: Connection, crm: str) -> Row[Any]:
    """Return what is known about a connection; makes its row at first sight."""
    insert_or_ignore(connection, table, [{"connection": crm}])
    return connection.execute(select(table).where(table.c.connection == crm)).one()


def peek(connection: Connection, crm: str) -> Row[Any] | None:
    """Return what is known about a connection, if anything."""
    return connection.execute(select(table).where(table.c.connection == crm)).one_or_none()


def remember(connection: Connection, crm: str, **columns: Any) -> None:
    """Store some of what is known about a connection."""
    connection.execute(update(table).where(table.c.connection == crm).values(**columns))


def forget_schema(connection: Connection, crm: str) -> None:
    """Ask the CRM for its schema again in the next lap."""
    remember(connection, crm, schema=None, schema_at=None)


def schema_json(schemas: Mapping[str, ObjectSchema], asked: Iterable[str]) -> dict[str, Any]:
    """Return a schema as JSON values; `asked` names all the objects asked for, those that are hidden from us too."""
    return {"asked": sorted(asked), "objects": {name: asdict(one) for name, one in schemas.items()}}


def schema_of(stored: Mapping[str, Any]) -> tuple[dict[str, ObjectSchema], set[str]]:
    """Read what `schema_json` made: the schemas, and the objects that were asked for."""
    return {name: _object(one) for name, one in stored["objects"].items()}, set(stored["asked"])


def pause(connection: Connection, crm: str | None, now: datetime, reason: str) -> None:
    """Stop mail and writes: for one connection, or (None) for all."""
    if crm is None:
        insert_or_update(connection, setting, [{"name": _PAUSED, "value": {"at": now.isoformat(), "reason": reason}}])
        return
    state(connection, crm)
    remember(connection, crm, paused_at=now, pause_reason=reason)


def resume(connection: Connection, crm: str | None) -> None:
    """Let mail and writes go on; without a name, everywhere."""
    if crm is None:
        connection.execute(setting.delete().where(setting.c.name == _PAUSED))
        connection.execute(update(table).values(paused_at=None, pause_reason=None))
        return
    remember(connection, crm, paused_at=None, pause_reason=None)


def all_paused(connection: Connection) -> Mapping[str, Any] | None:
    """Return since when and why everything is paused; None when it is not."""
    found: Mapping[str, Any] | None = connection.execute(
        select(setting.c.value).where(setting.c.name == _PAUSED)
    ).scalar_one_or_none()
    return found


def _object(stored: Mapping[str, Any]) -> ObjectSchema:
    fields = {name: _field(one) for name, one in stored["fields"].items()}
    return ObjectSchema(**{**stored, "fields": fields})


def _field(stored: Mapping[str, Any]) -> FieldSchema:
    return FieldSchema(**{**stored, "options": tuple(stored["options"]), "references": tuple(stored["references"])})
