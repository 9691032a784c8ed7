"""Writing to a CRM, in its own names and values. Each method lists the errors it may raise."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from connector.errors import Bug, CrmError
from connector.model import FieldValues, Ref
from connector.ports.notes import NoteTaker
from connector.ports.part import CrmPart


@dataclass(frozen=True, slots=True)
class Write:
    """One record to create or change, in the CRM's own names and values.

    With `id` it is an update. Without, it is created once for `external` = (field, value): a record that has this value is updated
    instead, so that sending it twice makes one record.
    """

    key: str
    """Our name for this effect; it identifies the result and the log line."""
    object: str
    fields: FieldValues
    """Only what is to change. None clears a field."""
    id: str | None = None
    external: tuple[str, str] | None = None
    related: tuple[Ref, ...] = ()
    """Records to associate with a created one, for CRMs that keep associations apart from fields."""


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What became of one `Write`; results come in the order of the writes."""

    write: Write
    outcome: Literal["created", "updated", "refused"]
    id: str | None = None
    error: CrmError | None = None
    """Why it was refused: a `RecordRejected`, or another `CrmError` that concerns this record alone."""


def check_writes(writes: Sequence[Write], *, most: int, id_form: Callable[[str], str] = str) -> None:
    """Raise `Bug` for what `CrmWriter.write` does not take: over `most` writes, on several objects, or two for one record or key.

    `id_form` gives each of the forms that one record's id may have the same text.
    """
    if len(writes) > most:
        raise Bug(f"{len(writes)} writes in one call; {most} are the most")
    if len({write.object for write in writes}) > 1:
        raise Bug("writes on several objects in one call")
    names: dict[str, list[object]] = {
        "key": [write.key for write in writes],
        "id": [id_form(write.id) for write in writes if write.id is not None],
        "external key": [write.external for write in writes if write.id is None and write.external is not None],
    }
    for what, values in names.items():
        if len(set(values)) != len(values):
            raise Bug(f"two writes in one call have the same {what}")


class BulkWriter(Protocol):
    """A way to change many records by one order, which the CRM carries out by itself in its own time."""

    least: int
    """From how many writes on it needs fewer calls than `CrmWriter.write`."""
    most: int
    """The most writes that one order takes."""

    def write(self, writes: Sequence[Write], stopping: Callable[[], bool]) -> list[WriteResult]:
        """Change records of one object by their ids, at most `most`; one result for each, in order.

        Raises as `CrmWriter.write` does, and `Unavailable` when `stopping` says so while the CRM is still at it: the order is
        carried out all the same.
        """


class CrmWriter(CrmPart, Protocol):
    """Changes records. A write is tried again only when it is certain that nothing was done."""

    write_batch: int
    """The most records that `write` takes in one call."""
    bulk: BulkWriter | None
    """None: there is only `write`."""
    notes: NoteTaker | None
    """None: the CRM has none that we could make."""

    def write(self, writes: Sequence[Write]) -> list[WriteResult]:
        """Carry out at most `write_batch` writes on one object; one result for each, in order.

        No two may name the same record or have the same key (`Bug`). Raises only when nothing is known about any of them:
        `Unavailable` (its `not_sent` tells if the outcome is certain).
        """

    def delete(self, object_name: str, record_id: str) -> None:
        """Delete one record that we made; nothing happens where it is gone already."""

    def unrelatable(self, object_name: str, others: Sequence[str]) -> Sequence[str]:
        """Return which of the `others` records of an object can never be associated with, by `Write.related`."""
