"""What the integration user may write, and what becomes of each write."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from adapters.memory.crm import MemoryCrm
from adapters.memory.database import INTEGRATION_USER
from adapters.memory.validation import check_writable
from connector.errors import Locked, NotPermitted, RecordRejected, SchemaChanged
from connector.ports import ObjectSchema, Write, WriteResult


def schema(crm: MemoryCrm, object_name: str) -> ObjectSchema:
    """Return an object as the integration user sees it. Raises `SchemaChanged`."""
    seen = crm.definition(object_name).describe(crm.unseen(object_name))
    fields = dict(seen.fields)
    for name in crm.read_only.get(object_name, set()) & fields.keys():
        fields[name] = replace(fields[name], createable=False, updateable=False)
    return replace(seen, fields=fields)


def check_related(crm: MemoryCrm, writes: Sequence[Write]) -> None:
    """Refuse a call with a record that is to be associated with what it cannot be. Raises `SchemaChanged`."""
    for write in writes:
        for ref in write.related:
            if (write.object, ref.object) in crm.unrelatable:
                what = f"{write.object} cannot be associated with {ref.object}."
                raise SchemaChanged(what, object_name=write.object)


def carry_out(crm: MemoryCrm, write: Write) -> WriteResult:
    """Do one write; a refusal is its result."""
    try:
        return _do(crm, write)
    except (RecordRejected, SchemaChanged, NotPermitted) as error:
        return WriteResult(write, "refused", write.id, error)


def _do(crm: MemoryCrm, write: Write) -> WriteResult:
    target, values = write.id, dict(write.fields)
    if target is None and write.external is not None:
        field, key = write.external
        target = crm.holder(write.object, field, key)
        values[field] = key
    _check(crm, write.object, values, target)
    if target is None:
        return WriteResult(write, "created", crm.insert(write.object, values, by=INTEGRATION_USER))
    crm.update(target, values, by=INTEGRATION_USER)
    return WriteResult(write, "updated", target)


def _check(crm: MemoryCrm, object_name: str, values: dict[str, Any], target: str | None) -> None:
    definition = replace(crm.definition(object_name), fields=schema(crm, object_name).fields)
    check_writable(definition, values, creating=target is None)
    if target is not None and crm.faults.holds(target):
        what = f"unable to obtain exclusive access to this record or 1 records: {target}"
        raise Locked(what, code="UNABLE_TO_LOCK_ROW")
    refusal = crm.faults.for_row(target or "", values)
    if refusal is not None:
        raise refusal
