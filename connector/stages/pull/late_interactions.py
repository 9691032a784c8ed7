"""The hourly pass of `pull`: interactions that wait for an account or a contact are read again by their ids.

Some CRMs keep associations apart from records: one that is added later leaves no trace on the record, and no listing of changes shows
it. Whoever waits is decided on as soon as the association is there, or refused when the time for it is over.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from connector.ports import Query
from connector.stages.context import Connected, Context
from connector.stages.follow_up import task_events
from connector.stages.pull import listing
from connector.store.crm import unresolved
from connector.store.crm.pages import Absorbed
from connector.store.crm.records import Absorber
from connector.store.crm.refs import chunks
from connector.store.ops.leases import Lease
from connector.store.surveys.people import person_key

EVERY = timedelta(hours=1)
MOST = 1000
"""So many are read again at most, those that ended last first: the others are read by the nightly comparison."""


def run(context: Context, crm: Connected, lease: Lease) -> Iterator[Absorbed]:
    """Yield what came of each batch of them, once an hour. Raises what reading raises."""
    now = context.clock.now()
    with context.store.read() as tx:
        before = unresolved.looked_at(tx, crm.name)
    # A time that is still to come was noted by a clock that was wrong.
    if before is not None and timedelta() <= now - before < EVERY:
        return
    with context.store.write() as tx:
        lease.check(tx)
        unresolved.note(tx, crm.name, now)
        refs = unresolved.refs(tx, crm.name, tuple(context.settings.surveys), MOST)
    for query in crm.mapping.queries:
        object_refs = [ref for ref in refs if ref.startswith(f"{query.object}/")]
        for part in chunks(object_refs):
            if context.stop.is_set():
                return
            yield _read_again(context, crm, lease, query, part)


def _read_again(context: Context, crm: Connected, lease: Lease, query: Query, refs: Sequence[str]) -> Absorbed:
    ids = [ref.partition("/")[2] for ref in refs]
    records = crm.reader.fetch(query.object, ids, query.fields)
    read_records = [listing.found(crm, record) for record in records.values()]
    with context.store.write() as tx:
        lease.check(tx)
        now = context.clock.now()
        zone = context.settings.company.timezone
        absorbed = Absorber(tx, crm.name, now=now, key=person_key(tx), zone=zone).absorb(read_records)
        task_events.take_in(tx, context.settings, absorbed.tasks, now)
        return absorbed
