"""Reading a CRM, in its own names and values. Each method lists the errors it may raise."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from connector.model import FieldValue, FieldValues
from connector.ports.part import CrmPart


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison on a CRM field. `values` holds one value, or several for ``in``."""

    field: str
    op: Literal["=", "!=", "<", "<=", ">", ">=", "in", "not in"]
    values: tuple[FieldValue | datetime, ...]
    """Text, numbers, booleans, aware datetimes, or None (``= None``: is empty)."""


@dataclass(frozen=True, slots=True)
class Query:
    """What to read of one object: the fields by the CRM's own names, and which records.

    `where` is a disjunction of conjunctions; empty means every record. Dotted field paths follow a lookup (``Owner.IsActive``).
    """

    object: str
    fields: tuple[str, ...]
    where: tuple[tuple[Condition, ...], ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a listing ordered by (modification stamp, id), in the CRM's own text."""

    modified: str
    """Empty in a listing of everything that goes by id alone."""
    id: str


@dataclass(frozen=True, slots=True)
class Record:
    """One record as fetched.

    `fields` is keyed exactly as asked for. A field that was asked for and is absent was not permitted; None means empty.
    """

    object: str
    id: str
    modified: str
    """The CRM's own modification stamp: an instant in a form of ISO 8601, all its digits kept."""
    fields: FieldValues
    deleted: bool = False
    merged_into: str | None = None
    """The survivor's id, when this record is deleted because it was merged."""
    fault: str = ""
    """Why the record cannot be understood as a whole; its stamp is then its neighbour's, and says nothing."""


@dataclass(frozen=True, slots=True)
class Page:
    """A batch of records in (modified, id) order."""

    records: Sequence[Record]
    last: Position | None
    """Where to go on after this page; None where no record says it."""
    server_time: datetime
    """The CRM's clock when it made the page: a stored watermark never passes the first page's, less the CRM's lag."""


@dataclass(frozen=True, slots=True)
class FieldSchema:
    """One field of a live CRM, as far as we are allowed to see it."""

    name: str
    label: str
    type: str
    """text, number, boolean, date, datetime, picklist, multipicklist, reference, url, email, phone, id, other."""
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    options: tuple[str, ...] = ()
    """API values of a picklist that are active."""
    restricted: bool = False
    required: bool = False
    createable: bool = True
    updateable: bool = True
    filterable: bool = True
    unique: bool = False
    external_id: bool = False
    calculated: bool = False
    references: tuple[str, ...] = ()
    """Objects that a lookup may point at."""


@dataclass(frozen=True, slots=True)
class ObjectSchema:
    """One object of a live CRM and the fields that we are allowed to see."""

    name: str
    label: str
    fields: Mapping[str, FieldSchema]
    createable: bool = True
    updateable: bool = True


@dataclass(frozen=True, slots=True)
class Org:
    """The CRM that a connection leads to."""

    id: str
    name: str
    timezone: str
    """IANA name."""
    currency: str | None
    api_version: str
    supported_until: datetime | None
    """When the vendor stops supporting this version of its API."""
    server_time: datetime
    user: str = ""
    """Whom the connection acts as."""
    test_kind: str = ""
    """What the vendor calls an org that is kept for tests, e.g. ``a Salesforce sandbox``; empty for a production org."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Calls to the CRM: by this process since it was built, and of the day's allowance by everybody, where the CRM tells."""

    calls: int
    used_today: int | None = None
    allowed_today: int | None = None


class CrmReader(CrmPart, Protocol):
    """Reads a CRM, and knows no field's meaning. What can help is tried again within a call."""

    lag: timedelta
    """How long a committed change may stay invisible, or appear with an older stamp."""

    def org(self) -> Org:
        """Return which CRM this is, and its clock."""

    def describe(self, object_name: str) -> ObjectSchema:
        """Return the object's live schema. `SchemaChanged`: no such object, or hidden from us."""

    def changes(self, query: Query, *, since: datetime | None, after: Position | None) -> Iterator[Page]:
        """Yield all records with a stamp of `since` or later (None: all), deleted and merged ones too, ordered by (stamp, id).

        All records may be ordered by id instead: whatever changes after the first page was made is read by the next pass in any case.
        With `after`, only what comes behind that place. Ends when the CRM has no more. Always yields at least one page, be it empty.
        `SchemaChanged`: a field is missing; `CursorInvalid`: ask again from the last page's place.
        """

    def count(self, query: Query) -> int:
        """Return how many records (not deleted) the query matches now."""

    def fetch(self, object_name: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Record]:
        """Return the present state of these records by id. Ids that are deleted or unknown are absent."""

    def newest(self, object_name: str, fields: Sequence[str], limit: int) -> Sequence[Record]:
        """Return the records (not deleted) that were made last, at most `limit`, the newest first."""

    def find(self, object_name: str, field: str, value: str, fields: Sequence[str]) -> Record | None:
        """Return the living record whose key `field` holds this value, as it is now; None: there is none.

        Where the CRM knows no unique key on this object, and there are several, the oldest; what is new may be missed for `lag` then.
        `SchemaChanged`: a field is missing.
        """

    def usage(self) -> Usage:
        """Return what was used, without asking the CRM."""
