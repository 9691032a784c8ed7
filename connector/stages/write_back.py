"""`write_back`: the differences between what CRM records should say and what they were last seen to say, and nothing else.

Account and contact fields first, then tasks. A refused record is set aside with the CRM's words and taken up again when what is to be
written, the record, the mapping or the schema changes. A field that others keep overwriting is left alone and reported.
"""

from connector.errors import CrmError
from connector.stages import write_back_fields, write_back_tasks
from connector.stages.context import Connected, Context
from connector.stages.write_back_sending import Outbox, Written
from connector.store.leases import Lease

__all__ = ["Written", "run"]


def run(context: Context, crm: Connected, lease: Lease) -> Written:
    """Write what differs. Stops at a failure of the connection; what was written until then is noted.

    A lap that is to end leaves an order that the CRM is still at: that is no failure, and writing the same again changes nothing.
    """
    outbox = Outbox(context, crm, lease)
    outbox.written.refused += crm.left_alone
    try:
        for target in ("account", "contact"):
            write_back_fields.run(outbox, target)
        write_back_tasks.run(outbox)
    except CrmError as error:
        outbox.written.failure = None if context.stop.is_set() else error
    return outbox.written
