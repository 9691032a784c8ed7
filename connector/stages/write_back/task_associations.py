"""What tasks are associated with beside account and contact: records of the mapping's `related` kinds, as far as the CRM can."""

from collections.abc import Iterator, Mapping

from connector.ports import CrmMapping, CrmWriter
from connector.stages.write_back.outbox import Outbox
from connector.store.outbox import foreign_fields, new_tasks

REMEDY = "Take its kind out of [task] related in the mapping, or, where the CRM allows it, let the two be associated."


def unrelatable(writer: CrmWriter, mapping: CrmMapping) -> Mapping[str, str]:
    """Return the objects of the `related` kinds that no task can be associated with, and what to tell of each.

    Raises any `CrmError`.
    """
    others = list(_objects(mapping))
    if not others or not mapping.names("task"):
        return {}
    task = mapping.object_of("task")
    return {
        other: f"{task} records cannot be associated with {other} records, so tasks are made without that."
        for other in writer.unrelatable(task, others)
    }


def left_out(outbox: Outbox) -> frozenset[str]:
    """Return the objects that no task can be associated with, and keep them for `status`.

    The CRM is only asked where a task is to be made.
    """
    crm = outbox.crm
    with outbox.context.store.read() as tx:
        if not new_tasks.taskless(tx, crm.name, None, 1):
            return frozenset()
    what_of = unrelatable(crm.writer, crm.mapping)
    with outbox.context.store.write() as tx:
        outbox.written.refused += foreign_fields.note_unrelatable(tx, crm.name, what_of, REMEDY, outbox.now)
    return frozenset(what_of)


def _objects(mapping: CrmMapping) -> Iterator[str]:
    for query in mapping.queries:
        if not mapping.related_kinds.isdisjoint(mapping.kinds(query.object)):
            yield query.object
