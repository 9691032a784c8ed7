"""What is handed to the store of a page of records, and what it led to."""

from dataclasses import dataclass, field

from connector.model import Interaction, Ref, SeenTask
from connector.ports import Reading, Record
from connector.store.db.columns import Content, content_of


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """What the store needs of one record; its fields as fetched are not among it, since pages wait in memory.

    What is stored of it is made ready here, where no transaction is open yet.
    """

    ref: str
    reading: Reading
    deleted: bool = False
    merged_into: str | None = None
    """The survivor's ref, of a record that was deleted by a merge."""
    modified: str = ""
    content: Content | None = None
    """Its value as it is stored; None where there is none, or where it is not known yet without the store (the zone of a day's end)."""

    @classmethod
    def of(cls, record: Record, reading: Reading) -> "ReadRecord":
        """Keep what is needed of a record."""
        survivor = None if record.merged_into is None else f"{record.object}/{record.merged_into}"
        value = reading.value
        is_ready = value is not None and not record.deleted and not (isinstance(value, Interaction) and value.all_day)
        content = content_of(value) if is_ready and value is not None else None
        return cls(f"{record.object}/{record.id}", reading, record.deleted, survivor, record.modified, content)


@dataclass(slots=True)
class RecordCounts:
    """What became of the records of one kind in one pass: read = changed + deleted + unchanged + refused."""

    read: int = 0
    changed: int = 0
    deleted: int = 0
    unchanged: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class TaskRead:
    """A follow-up's own task as a page showed it."""

    follow_up_id: str
    ref: Ref
    task: SeenTask | None
    """None: it was deleted."""


@dataclass(slots=True)
class Absorbed:
    """What a page led to."""

    counts: dict[str, RecordCounts] = field(default_factory=dict)
    merges: list[tuple[str, str]] = field(default_factory=list)
    """(loser's ref, survivor's ref): carried out when the pass is complete and the survivor is known."""
    tasks: list[TaskRead] = field(default_factory=list)
    """What follows from them for their follow-ups is decided by the stage, in the same transaction."""

    def of(self, kind: str) -> RecordCounts:
        """Return the counter of a kind."""
        return self.counts.setdefault(kind, RecordCounts())
