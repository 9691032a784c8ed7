"""Which rights a lap needs, and whether the connection has those to write: proven before anything is sent to a customer."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from connector.model import MissingRight
from connector.ports import CrmMapping, CrmSetup, Needs
from connector.store import Store
from connector.store.ops import connections

_TASK: Final = "task"
Right = Literal["read", "create", "update"]


def needs(mapping: CrmMapping) -> Needs:
    """Return which rights a lap needs: to read what is mapped, to change what is shown, to make tasks."""
    by_object: dict[str, set[Right]] = {query.object: {"read"} for query in mapping.queries}
    for name, rights in writes(mapping).items():
        by_object.setdefault(name, set()).update({"read", *rights})
    return _frozen(by_object)


def writes(mapping: CrmMapping) -> Needs:
    """Return which rights to write a lap needs."""
    by_object: dict[str, set[Right]] = {}
    for target in ("account", "contact", _TASK):
        if mapping.names(target):
            by_object.setdefault(mapping.object_of(target), set()).add("update")
    if mapping.names(_TASK):
        by_object[mapping.object_of(_TASK)].add("create")
    return _frozen(by_object)


def missing(
    store: Store, setup: CrmSetup, mapping: CrmMapping, *, credentials: str, ask: bool
) -> Sequence[MissingRight]:
    """Return the rights to write that the connection lacks. They are asked for with each schema, and in every lap while some are
    missing or where credentials or what is written are new. `CrmError`: they cannot be asked for."""
    proof = store.write_where_needed(lambda tx: {"with": connections.mark(tx, credentials), "form": mapping.form})
    with store.read() as tx:
        if not ask and connections.proof_of_rights(tx, setup.connection) == proof:
            return ()
    missing_rights = setup.missing_rights(writes(mapping))
    with store.write() as tx:
        connections.note_proof_of_rights(tx, setup.connection, None if missing_rights else proof)
    return missing_rights


def _frozen(by_object: Mapping[str, set[Right]]) -> Needs:
    return {name: frozenset(rights) for name, rights in by_object.items()}
