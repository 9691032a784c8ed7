"""What is known about each connection: its schema as last described, its mapping, whether it is paused, how it went."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Final, TypedDict

from sqlalchemy import Connection, bindparam, exists, or_, select, update

from connector.errors import AuthRevoked, CrmError
from connector.model.documents import JsonDict, JsonObject
from connector.ports import FieldSchema, ObjectSchema, Org
from connector.store.db.upsert import insert_or_ignore, insert_or_update
from connector.store.ops import locked_out
from connector.store.outbox.refusals import try_all_again
from connector.store.surveys.people import person_key
from connector.store.tables import connection_state as table
from connector.store.tables import setting

_PAUSED = "paused"
_SETTING: Final = select(setting.c.value).where(setting.c.name == bindparam("called"))
_IS_PAUSED: Final = select(
    or_(
        exists().where(setting.c.name == _PAUSED),
        exists().where(table.c.connection == bindparam("crm"), table.c.paused_at.is_not(None)),
    )
)


class OrgCalls(TypedDict, total=False):
    """What a CRM said of its own count of calls, or until when no call is made; see `ConnectionState`."""

    calls_allowed: int | None
    calls_used: int | None
    no_calls_until: datetime | None
    no_calls_why: str | None


class ConnectionChange(OrgCalls, total=False):
    """What is to be remembered of a connection; what is absent stays as it is. The names are those of `ConnectionState`."""

    paused_at: datetime | None
    pause_reason: str | None
    mapping_fingerprint: str | None
    mapping_since: datetime | None
    org: Mapping[str, str] | None
    refused_at: datetime | None
    refused_why: str | None
    refused_remedy: str | None
    refused_with: str | None
    last_error: str | None
    last_error_at: datetime | None
    last_ok_at: datetime | None
    schema: Mapping[str, object] | None
    schema_at: datetime | None


_UNPAUSED: ConnectionChange = {"paused_at": None, "pause_reason": None}
_LET_IN: ConnectionChange = {
    "refused_at": None,
    "refused_why": None,
    "refused_remedy": None,
    "refused_with": None,
}


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """What is known about a connection, but for its schema."""

    paused_at: datetime | None
    pause_reason: str | None
    mapping_fingerprint: str | None
    mapping_since: datetime | None
    """The CRM's clock when this mapping was first used; nothing older is asked about."""
    org: Mapping[str, str] | None
    """`id`, `name`, `test_kind` (what the vendor calls an org that is kept for tests; empty for production), and the mark of the
    credentials that lead there (`with`)."""
    calls_allowed: int | None
    """How many calls a day the CRM allows to everybody, as it last said."""
    calls_used: int | None
    """How many everybody had used, as it last said."""
    no_calls_until: datetime | None
    """The org has few calls left, or none: until then we make no more."""
    no_calls_why: str | None
    refused_at: datetime | None
    """When the CRM refused our credentials: no call is made with them any more."""
    refused_why: str | None
    refused_remedy: str | None
    refused_with: str | None
    """The mark of the refused credentials, to see that they were changed."""
    last_error: str | None
    last_error_at: datetime | None
    last_ok_at: datetime | None


# The schema is by far the largest of it, and what is known is looked up before each call: `stored_schema` reads it.
# Made once: it is asked for many times in a lap.
_STATE: Final = select(*(table.c[known.name] for known in fields(ConnectionState))).where(
    table.c.connection == bindparam("crm")
)


@dataclass(frozen=True, slots=True)
class StoredSchema:
    """A CRM's schema as it was last described."""

    objects: Mapping[str, ObjectSchema]
    asked: frozenset[str]
    """All the objects that were asked for, those that are hidden from us too."""
    at: datetime | None
    """When it was described."""


def state(tx: Connection, crm: str) -> ConnectionState:
    """Return what is known about a connection, but for its schema; makes its row at first sight."""
    known = peek(tx, crm)
    if known is not None:
        return known
    insert_or_ignore(tx, table, [{"connection": crm}])
    return ConnectionState(*tx.execute(_STATE, {"crm": crm}).one())


def peek(tx: Connection, crm: str) -> ConnectionState | None:
    """Return what is known about a connection, if anything, but for its schema."""
    row = tx.execute(_STATE, {"crm": crm}).one_or_none()
    return None if row is None else ConnectionState(*row)


def stored_schema(tx: Connection, crm: str) -> StoredSchema | None:
    """Return a connection's schema; None before it was described. What else a later version knows is left out."""
    row = tx.execute(select(table.c.schema, table.c.schema_at).where(table.c.connection == crm)).one_or_none()
    if row is None or row.schema is None:
        return None
    objects = {name: _object(stored) for name, stored in row.schema["objects"].items()}
    return StoredSchema(objects, frozenset(row.schema["asked"]), row.schema_at)


def last_ok(tx: Connection, crm: str) -> datetime | None:
    """Return when a connection was last read without an error."""
    known = peek(tx, crm)
    return known.last_ok_at if known is not None else None


def remember(tx: Connection, crm: str, known: ConnectionChange | OrgCalls) -> None:
    """Store some of what is known about a connection."""
    tx.execute(update(table).where(table.c.connection == crm).values(**known))


def forget_schema(tx: Connection, crm: str) -> None:
    """Ask the CRM for its schema again in the next lap."""
    remember(tx, crm, {"schema": None, "schema_at": None})


def fitted_before(tx: Connection, crm: str, identity: str) -> bool:
    """Tell whether this very mapping has once fitted the CRM whole: then what no longer fits was changed there."""
    return bool(_setting(tx, f"fitted:{crm}") == identity)


def note_fitted(tx: Connection, crm: str, identity: str) -> None:
    """Note that a mapping fits the CRM."""
    _set(tx, f"fitted:{crm}", identity)


def note_unread(tx: Connection, crm: str, unread: Sequence[Mapping[str, str]]) -> None:
    """Note what cannot be read of a CRM at present: each with ``object``, ``what``, ``remedy``."""
    _set(tx, f"unread:{crm}", list(unread))


def unread(tx: Connection, crm: str) -> list[dict[str, str]]:
    """Return what cannot be read at present, and why."""
    unread: list[dict[str, str]] | None = tx.execute(_SETTING, {"called": f"unread:{crm}"}).scalar_one_or_none()
    return unread or []


def _setting(tx: Connection, name: str) -> object:
    value: object = tx.execute(_SETTING, {"called": name}).scalar_one_or_none()
    return value


def _set(tx: Connection, name: str, value: object) -> None:
    if _setting(tx, name) != value:
        insert_or_update(tx, setting, [{"name": name, "value": value}])


def note_org(tx: Connection, crm: str, credentials: str, org: Org) -> None:
    """Note which org these credentials lead to."""
    known = {"id": org.id, "name": org.name, "test_kind": org.test_kind, "with": mark(tx, credentials)}
    remember(tx, crm, {"org": known})


def org_known(tx: Connection, crm: str, credentials: str) -> str | None:
    """Return what the vendor calls the org where it is kept for tests ('' for production); None: these credentials lead to another."""
    known = peek(tx, crm)
    if known is None or known.org is None or known.org["with"] != mark(tx, credentials):
        return None
    return str(known.org["test_kind"])


def proof_of_rights(tx: Connection, crm: str) -> object:
    """Return for which credentials, and for writing what, all rights to write were there when they were asked for last."""
    return _setting(tx, f"rights:{crm}")


def note_proof_of_rights(tx: Connection, crm: str, proof: Mapping[str, str] | None) -> None:
    """Note that all rights to write are there; None: some are missing."""
    _set(tx, f"rights:{crm}", proof)


def schema_json(schemas: Mapping[str, ObjectSchema], asked: Iterable[str]) -> dict[str, object]:
    """Return a schema as JSON values, which `stored_schema` reads; `asked` names all the objects that were asked for."""
    return {"asked": sorted(asked), "objects": {name: asdict(schema) for name, schema in schemas.items()}}


def refused(tx: Connection, crm: str, credentials: str) -> AuthRevoked | None:
    """Return the error for credentials that the CRM has refused before; None when it has not, or they are others now."""
    known = peek(tx, crm)
    if known is None or known.refused_at is None:
        return None
    if known.refused_with != mark(tx, credentials):
        return None
    return AuthRevoked(
        f"{known.refused_why} Since {known.refused_at:%Y-%m-%d %H:%M} UTC nothing is read, sent or written here.",
        where=f"{crm}: sign in",
        remedy=f"{known.refused_remedy} New credentials are tried at once; `afterword resume --crm {crm}` tries these again.",
    )


def not_to_be_called(tx: Connection, crm: str, credentials: str, now: datetime) -> CrmError | None:
    """Return why no call is made with these credentials at present: they were refused, or gave no token a while ago."""
    known = refused(tx, crm, credentials)
    return known or locked_out.waiting(tx, crm, mark(tx, credentials), now)


def not_let_in_since(tx: Connection, crm: str, credentials: str) -> datetime | None:
    """Return since when these credentials have got no token, for a reason that can pass; None: they do."""
    known = locked_out.of(tx, crm)
    if known is None or known["with"] != mark(tx, credentials):
        return None
    return datetime.fromisoformat(known["since"])


def refuse(tx: Connection, crm: str, error: AuthRevoked, *, credentials: str, now: datetime) -> None:
    """Note that the CRM refused these credentials (a hash of them), so that no call is made with them any more."""
    refusal: ConnectionChange = {
        "refused_at": now,
        "refused_why": error.what,
        "refused_remedy": error.remedy,
        "refused_with": mark(tx, credentials),
    }
    remember(tx, crm, refusal)


def mark(tx: Connection, credentials: str) -> str:
    """Return a hash with a key of the installation's own: by the same mark the same credentials are known again."""
    return hmac.digest(person_key(tx), f"credentials:{credentials}".encode(), hashlib.sha256).hex()


def pause(tx: Connection, crm: str | None, now: datetime, reason: str) -> None:
    """Stop mail and writes: for one connection, or (None) for all."""
    if crm is None:
        insert_or_update(tx, setting, [{"name": _PAUSED, "value": {"at": now.isoformat(), "reason": reason}}])
        return
    state(tx, crm)
    remember(tx, crm, {"paused_at": now, "pause_reason": reason})


def resume(tx: Connection, crm: str | None) -> None:
    """Let mail and writes go on, and try again what was refused, credentials too; without a name, everywhere."""
    try_all_again(tx, crm)
    locked_out.forget(tx, crm)
    if crm is None:
        end_pauses(tx)
        tx.execute(update(table).values(schema=None, schema_at=None, **_LET_IN))
        return
    forget_schema(tx, crm)
    remember(tx, crm, {**_UNPAUSED, **_LET_IN})


def end_pauses(tx: Connection) -> None:
    """Let mail and writes go on everywhere; credentials that were refused stay so."""
    tx.execute(setting.delete().where(setting.c.name == _PAUSED))
    tx.execute(update(table).values(**_UNPAUSED))


def let_in(tx: Connection, crm: str) -> None:
    """Forget that credentials were refused: those there are now are others."""
    remember(tx, crm, _LET_IN)


def all_paused(tx: Connection) -> JsonObject | None:
    """Return since when and why everything is paused; None when it is not."""
    value: JsonObject | None = tx.execute(_SETTING, {"called": _PAUSED}).scalar_one_or_none()
    return value


def is_paused(tx: Connection, crm: str) -> bool:
    """Tell whether a connection is paused at this moment, by itself or with all others."""
    return bool(tx.execute(_IS_PAUSED, {"crm": crm}).scalar_one())


def _object(stored: JsonObject) -> ObjectSchema:
    described = {name: _field(field) for name, field in stored["fields"].items()}
    return ObjectSchema(**{**_known(ObjectSchema, stored), "fields": described})


def _field(stored: JsonObject) -> FieldSchema:
    lists = {"options": tuple(stored["options"]), "references": tuple(stored["references"])}
    return FieldSchema(**{**_known(FieldSchema, stored), **lists})


def _known(of: type[ObjectSchema | FieldSchema], stored: JsonObject) -> JsonDict:
    names = {field.name for field in fields(of)}
    return {name: value for name, value in stored.items() if name in names}
