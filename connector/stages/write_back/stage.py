"""`write_back`: the differences between what CRM records should say and what they were last seen to say, and nothing else.

Account and contact fields first, then tasks. A refused record, or the one field of it that the CRM names, is set aside with the CRM's
words and taken up again when what is to be written, the record, the mapping or the schema changes, and when the reason may be gone
(`connector.store.outbox.retries`). A field that others keep overwriting is left alone and reported.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from connector.errors import CrmError
from connector.stages.context import Connected, Context
from connector.stages.write_back import fields, tasks
from connector.stages.write_back.outbox import Outbox, WriteClaims, WriteCounts
from connector.store.ops.leases import Lease
from connector.store.outbox import fields as stored_fields
from connector.store.outbox import retries

__all__ = ["WriteCounts", "run"]


def run(context: Context, crm: Connected, lease: Lease | None = None) -> WriteCounts:
    """Write what differs, everywhere or for the customers of the context. Stops at a failure of the connection; what was written until
    then is noted.

    `lease`: the right to write back the whole connection; who writes for some customers needs none.

    A lap that is to end leaves an order that the CRM is still at: that is no failure, and writing the same again changes nothing.
    """
    outbox = Outbox(context, crm, WriteClaims(context, crm.name, waits=context.customers is not None), lease)
    if context.customers is None:
        _begin(outbox)
    try:
        for target in ("account", "contact"):
            with _trying_again(outbox, target):
                fields.run(outbox, target)
        with _trying_again(outbox, "task"):
            tasks.run(outbox)
    except CrmError as error:
        outbox.written.failure = None if context.stop.is_set() else error
    return outbox.written


def _begin(outbox: Outbox) -> None:
    outbox.written.refused += outbox.crm.left_alone
    store, crm, now = outbox.context.store, outbox.crm.name, outbox.now
    store.write_where_needed(lambda tx: retries.again_daily(tx, crm, now))
    store.write_where_needed(lambda tx: stored_fields.end_left_orders(tx, crm))


@contextmanager
def _trying_again(outbox: Outbox, target: str) -> Iterator[None]:
    """Let what was refused of a kind be tried again in the next lap, when something of this kind was taken in this one."""
    before = outbox.written.created + outbox.written.updated
    yield
    if outbox.written.created + outbox.written.updated > before:
        with outbox.context.store.write() as tx:
            retries.again_after_success(tx, outbox.crm.name, target, outbox.now)
