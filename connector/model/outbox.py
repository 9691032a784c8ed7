"""What CRM records should hold, what was written to them, and what was refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NotRequired, TypedDict

from connector.model import FieldValue, FieldValues, Ref


class LastWrite(TypedDict):
    """What we last wrote to one field."""

    value: FieldValue
    """In the CRM's form."""
    times: int
    """How often in a row we have written the field and found something else there."""
    at: NotRequired[str]
    """When, as ISO 8601; earlier versions did not keep it."""


@dataclass(frozen=True, slots=True)
class RecordFields:
    """Our fields on one CRM record, by our names."""

    ref: Ref
    target: str
    """account or contact."""
    desired: FieldValues
    """What they should hold, as JSON values."""
    actual: FieldValues
    """What they were last seen to hold, in the CRM's form."""
    written: Mapping[str, LastWrite]
    read_back: bool = False
    """Two writes may have crossed, so `actual` says nothing: what they hold is read in the CRM."""

    @property
    def key(self) -> str:
        """Our name for what is written to the record."""
        return record_key(self.target, self.ref)


def record_key(target: str, ref: Ref) -> str:
    """Return our name for what is written to a record of a target, account or contact."""
    return f"{target}:{ref.object}/{ref.id}"


@dataclass(frozen=True, slots=True)
class WriteLogEntry:
    """One line of the log of writes."""

    key: str
    """Our name for the effect; a task's is its follow-up's id."""
    ref: Ref | None
    """None where it is not known which record it was."""
    outcome: str
    """created, updated or refused."""
    before: FieldValues
    after: FieldValues
    error: str | None = None


@dataclass(frozen=True, slots=True)
class RefusedWrite:
    """A write that was set aside: the CRM, or the mapping, does not take it."""

    key: str
    code: str
    """The CRM's word for the reason, or the name of ours."""
    what: str
    remedy: str
    fingerprint: str = ""
    """What was refused: it is not sent again as it is. Empty: it is tried in the next lap."""
    fields: tuple[str, ...] | None = None
    """Our names of the fields that were refused, where the others of the record are written; None: all of it."""
