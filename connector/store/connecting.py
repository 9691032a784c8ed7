"""What is known about each connection: its schema as last described, its mapping, whether it is paused, how it went."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from connector.errors import AuthRevoked, CrmError
from connector.ports import FieldSchema, ObjectSchema, Org
from connector.store import locked_out
from connector.store.people import person_key
from connector.store.tables import connection_state as table
from connector.store.tables import refused as refused_writes
from connector.store.tables import setting
from connector.store.upsert import insert_or_ignore, insert_or_update

_PAUSED = "paused"
_UNPAUSED: Mapping[str, Any] = {"paused_at": None, "pause_reason": None}
_LET_IN: Mapping[str, Any] = {
    "refused_at": None,
    "refused_why": None,
    "refused_remedy": None,
    "refused_with": None,
}


# The schema is by far the largest of it, and what is known is looked up before each call: `stored_schema` reads it.
_KNOWN = tuple(column for column in table.columns if column is not table.c.schema)


@dataclass(frozen=True, slots=True)
class StoredSchema:
    """A CRM's schema as it was last described."""

    objects: Mapping[str, ObjectSchema]
    asked: frozenset[str]
    """All the objects that were asked for, those that are hidden from us too."""
    at: datetime | None
    """When it was described."""


def state(connection: Connection, crm: str) -> Row[Any]:
    """Return what is known about a connection, but for its schema; makes its row at first sight."""
    insert_or_ignore(connection, table, [{"connection": crm}])
    return connection.execute(select(*_KNOWN).where(table.c.connection == crm)).one()


def peek(connection: Connection, crm: str) -> Row[Any] | None:
    """Return what is known about a connection, if anything, but for its schema."""
    return connection.execute(select(*_KNOWN).where(table.c.connection == crm)).one_or_none()


def stored_schema(connection: Connection, crm: str) -> StoredSchema | None:
    """Return a connection's schema; None before it was described. What else a later version knows is left out."""
    row = connection.execute(select(table.c.schema, table.c.schema_at).where(table.c.connection == crm)).one_or_none()
    if row is None or row.schema is None:
        return None
    objects = {name: _object(one) for name, one in row.schema["objects"].items()}
    return StoredSchema(objects, frozenset(row.schema["asked"]), row.schema_at)


def last_ok(connection: Connection, crm: str) -> datetime | None:
    """Return when a connection was last read without an error."""
    row = peek(connection, crm)
    return row.last_ok_at if row is not None else None


def remember(connection: Connection, crm: str, **columns: Any) -> None:
    """Store some of what is known about a connection."""
    connection.execute(update(table).where(table.c.connection == crm).values(**columns))


def forget_schema(connection: Connection, crm: str) -> None:
    """Ask the CRM for its schema again in the next lap."""
    remember(connection, crm, schema=None, schema_at=None)


def fitted_before(connection: Connection, crm: str, identity: str) -> bool:
    """Tell whether this very mapping has once fitted the CRM whole: then what no longer fits was changed there."""
    return bool(_setting(connection, f"fitted:{crm}") == identity)


def note_fitted(connection: Connection, crm: str, identity: str) -> None:
    """Note that a mapping fits the CRM."""
    _set(connection, f"fitted:{crm}", identity)


def note_unread(connection: Connection, crm: str, unread: Sequence[Mapping[str, str]]) -> None:
    """Note what cannot be read of a CRM at present: each with ``object``, ``what``, ``remedy``."""
    _set(connection, f"unread:{crm}", list(unread))


def unread(connection: Connection, crm: str) -> list[dict[str, str]]:
    """Return what cannot be read at present, and why."""
    return _setting(connection, f"unread:{crm}") or []


def _setting(connection: Connection, name: str) -> Any:
    return connection.execute(select(setting.c.value).where(setting.c.name == name)).scalar_one_or_none()


def _set(connection: Connection, name: str, value: Any) -> None:
    if _setting(connection, name) != value:
        insert_or_update(connection, setting, [{"name": name, "value": value}])


def note_org(connection: Connection, crm: str, credentials: str, org: Org) -> None:
    """Note which org these credentials lead to."""
    known = {"id": org.id, "name": org.name, "test_kind": org.test_kind, "with": mark(connection, credentials)}
    remember(connection, crm, org=known)


def org_known(connection: Connection, crm: str, credentials: str) -> str | None:
    """Return what the vendor calls the org where it is kept for tests ('' for production); None: these credentials lead to another."""
    known = peek(connection, crm)
    if known is None or known.org is None or known.org["with"] != mark(connection, credentials):
        return None
    return str(known.org["test_kind"])


def proof_of_rights(connection: Connection, crm: str) -> Any:
    """Return for which credentials, and for writing what, all rights to write were there when they were asked for last."""
    return _setting(connection, f"rights:{crm}")


def note_proof_of_rights(connection: Connection, crm: str, proof: Mapping[str, str] | None) -> None:
    """Note that all rights to write are there; None: some are missing."""
    _set(connection, f"rights:{crm}", proof)


def schema_json(schemas: Mapping[str, ObjectSchema], asked: Iterable[str]) -> dict[str, Any]:
    """Return a schema as JSON values, which `stored_schema` reads; `asked` names all the objects that were asked for."""
    return {"asked": sorted(asked), "objects": {name: asdict(one) for name, one in schemas.items()}}


def refused(connection: Connection, crm: str, credentials: str) -> AuthRevoked | None:
    """Return the error for credentials that the CRM has refused before; None when it has not, or they are others now."""
    known = peek(connection, crm)
    if known is None or known.refused_at is None:
        return None
    if known.refused_with != mark(connection, credentials):
        return None
    return AuthRevoked(
        f"{known.refused_why} Since {known.refused_at:%Y-%m-%d %H:%M} UTC nothing is read, sent or written here.",
        where=f"{crm}: sign in",
        remedy=f"{known.refused_remedy} New credentials are tried at once; `afterword resume --crm {crm}` tries these again.",
    )


def not_to_be_called(connection: Connection, crm: str, credentials: str, now: datetime) -> CrmError | None:
    """Return why no call is made with these credentials at present: they were refused, or gave no token a while ago."""
    known = refused(connection, crm, credentials)
    return known or locked_out.waiting(connection, crm, mark(connection, credentials), now)


def not_let_in_since(connection: Connection, crm: str, credentials: str) -> datetime | None:
    """Return since when these credentials have got no token, for a reason that can pass; None: they do."""
    if locked_out.of(connection, crm) is None:
        return None
    return locked_out.since(connection, crm, mark(connection, credentials))


def refuse(connection: Connection, crm: str, error: AuthRevoked, *, credentials: str, now: datetime) -> None:
    """Note that the CRM refused these credentials (a hash of them), so that no call is made with them any more."""
    told = {"refused_why": error.what, "refused_remedy": error.remedy}
    remember(connection, crm, refused_at=now, refused_with=mark(connection, credentials), **told)


def mark(connection: Connection, credentials: str) -> str:
    """Return a hash with a key of the installation's own: by the same mark the same credentials are known again."""
    return hmac.digest(person_key(connection), f"credentials:{credentials}".encode(), hashlib.sha256).hex()


def pause(connection: Connection, crm: str | None, now: datetime, reason: str) -> None:
    """Stop mail and writes: for one connection, or (None) for all."""
    if crm is None:
        insert_or_update(connection, setting, [{"name": _PAUSED, "value": {"at": now.isoformat(), "reason": reason}}])
        return
    state(connection, crm)
    remember(connection, crm, paused_at=now, pause_reason=reason)


def resume(connection: Connection, crm: str | None) -> None:
    """Let mail and writes go on, and try again what was refused, credentials too; without a name, everywhere."""
    mine = [refused_writes.c.direction == "write"]
    mine += [] if crm is None else [refused_writes.c.connection == crm]
    connection.execute(update(refused_writes).where(*mine).values(fingerprint=""))
    locked_out.forget(connection, crm)
    if crm is None:
        end_pauses(connection)
        connection.execute(update(table).values(schema=None, schema_at=None, **_LET_IN))
        return
    forget_schema(connection, crm)
    remember(connection, crm, **_UNPAUSED, **_LET_IN)


def end_pauses(connection: Connection) -> None:
    """Let mail and writes go on everywhere; credentials that were refused stay so."""
    connection.execute(setting.delete().where(setting.c.name == _PAUSED))
    connection.execute(update(table).values(**_UNPAUSED))


def let_in(connection: Connection, crm: str) -> None:
    """Forget that credentials were refused: those there are now are others."""
    remember(connection, crm, **_LET_IN)


def all_paused(connection: Connection) -> Mapping[str, Any] | None:
    """Return since when and why everything is paused; None when it is not."""
    found: Mapping[str, Any] | None = connection.execute(
        select(setting.c.value).where(setting.c.name == _PAUSED)
    ).scalar_one_or_none()
    return found


def is_paused(connection: Connection, crm: str) -> bool:
    """Tell whether a connection is paused at this moment, by itself or with all others."""
    known = peek(connection, crm)
    return all_paused(connection) is not None or (known is not None and known.paused_at is not None)


def _object(stored: Mapping[str, Any]) -> ObjectSchema:
    described = {name: _field(one) for name, one in stored["fields"].items()}
    return ObjectSchema(**{**_known(ObjectSchema, stored), "fields": described})


def _field(stored: Mapping[str, Any]) -> FieldSchema:
    lists = {"options": tuple(stored["options"]), "references": tuple(stored["references"])}
    return FieldSchema(**{**_known(FieldSchema, stored), **lists})


def _known(of: type[ObjectSchema | FieldSchema], stored: Mapping[str, Any]) -> dict[str, Any]:
    names = {one.name for one in fields(of)}
    return {name: value for name, value in stored.items() if name in names}
