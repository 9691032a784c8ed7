"""Listing an object of a CRM, page by page, each page understood as it comes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from connector.domain.cursor import Cursor
from connector.errors import CursorInvalid
from connector.ports import Page, Query, Record
from connector.stages.context import Connected
from connector.store.crm.pages import ReadRecord

RESTARTS = 3
"""How often a listing begins again behind its last page when the CRM forgot where it was."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One page, understood."""

    page: Page
    """Where it ends and when it was read; its records are let go as soon as they are understood."""
    found: Sequence[ReadRecord]


def batches(crm: Connected, query: Query, cursor: Cursor) -> Iterator[Batch]:
    """Yield what the CRM lists from the cursor on. `CursorInvalid`: it forgot the place again and again."""
    place = cursor.at
    for again in range(RESTARTS + 1):
        pages = crm.reader.changes(query, since=cursor.since, after=place)
        try:
            # Nothing here holds on to a page while it waits: that is what `map` is for.
            for batch in map(partial(understood, crm), pages):
                place = batch.page.last or place
                yield batch
        except CursorInvalid:
            if again == RESTARTS:
                raise
        else:
            return


def understood(crm: Connected, page: Page) -> Batch:
    """Return what a page means, without the fields as fetched."""
    return Batch(replace(page, records=()), [found(crm, record) for record in page.records])


def found(crm: Connected, record: Record) -> ReadRecord:
    """Return what one record means."""
    return ReadRecord.of(record, crm.mapping.read(crm.name, record))
