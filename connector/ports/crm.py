"""What the connector needs from outside, as protocols. Each method lists the errors it may raise.

An adapter speaks in the CRM's own names and values (`Record`, `Query`, `Write`) and knows no field's meaning. A mapping knows what
the names mean and turns records into the model and values into writes. The stages are handed both.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, Protocol

from connector.errors import CrmError, MappingError, Problem
from connector.model import FieldValue, FieldValues, ForeignField, MissingRight, Ownership, Pulled, Ref, Unseen
from connector.ports.notes import NoteTaker
from connector.ports.setup import NO_LABELS, FieldLimit, FieldSpec, SetupResult, SetupStep


class Clock(Protocol):
    """The one source of time, so that tests and the demo can move it."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""

    def sleep(self, seconds: float) -> None:
        """Wait; used between retries."""


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


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


class Budget(Protocol):
    """The calls that a connection may still make in this day. An adapter asks before each call; safe to use from several threads."""

    def take(self, *, where: str) -> None:
        """Count one call that is about to be made. `QuotaSpent`: it must not be made."""

    def note_usage(self, *, used: int, allowed: int, ours: int | None = None) -> None:
        """Note what the CRM says of the day's calls: how many everybody has used, how many are allowed, and (if told) used by us."""

    def refused(self, why: str) -> None:
        """Note that the CRM gives no more calls for now."""


class Passes(Protocol):
    """When an adapter last read what it reads only now and then, and what it then kept, for all processes of the installation."""

    def last(self, object_name: str, name: str) -> tuple[datetime, str] | None:
        """Return what was noted last of an object: when, and which text."""

    def note(self, object_name: str, name: str, at: datetime, text: str = "") -> None:
        """Note that it was read: in force for others when the object's records that were read before this are stored."""


class TokenVault(Protocol):
    """Keeps, encrypted, the tokens that a CRM gave in exchange for others, for all processes of the installation."""

    def alone(self) -> AbstractContextManager[None]:
        """Let nobody else renew this connection's token while the block runs. `Unavailable`: somebody does so for too long."""

    def load(self) -> Mapping[str, str]:
        """Return what was kept last; empty when there is nothing, or when the admin has given another refresh token since."""

    def save(self, tokens: Mapping[str, str]) -> None:
        """Keep these in place of the others. They are on the disk when this returns."""


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


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


class BulkWriter(Protocol):
    """A way to change many records by one order, which the CRM carries out by itself in its own time."""

    least: int
    """From how many writes on it needs fewer calls than `CrmAdapter.write`."""
    most: int
    """The most writes that one order takes."""

    def write(self, writes: Sequence[Write], stopping: Callable[[], bool]) -> list[WriteResult]:
        """Change records of one object by their ids, at most `most`; one result for each, in order.

        Raises as `CrmAdapter.write` does, and `Unavailable` when `stopping` says so while the CRM is still at it: the order is
        carried out all the same.
        """


# ── setting up ───────────────────────────────────────────────────────────────────────────────────────────────────────


Needs = Mapping[str, frozenset[Literal["read", "create", "update"]]]
"""What is to be done, by object."""


class CrmAdapter(Protocol):
    """One connected CRM. Any method may raise `Unavailable`, `RateLimited`, `QuotaSpent`, `AuthRevoked` or `NotPermitted`.

    Reads are repeated inside the adapter when that can help; writes only when it is certain that nothing was done.
    """

    connection: str
    """The connection's name in config.toml."""
    write_batch: int
    """The most records that `write` takes in one call."""
    bulk: BulkWriter | None
    """None: there is only `write`."""
    notes: NoteTaker | None
    """None: the CRM has none that we could make."""
    lag: timedelta
    """How long a committed change may stay invisible, or appear with an older stamp."""

    def org(self) -> Org:
        """Return which CRM this is, and its clock."""

    def describe(self, object_name: str) -> ObjectSchema:
        """Return the object's live schema. `SchemaChanged`: no such object, or hidden from us."""

    def changes(self, query: Query, *, since: datetime | None, after: Position | None) -> Iterator[Page]:
        """Yield all records with a stamp of `since` or later (None: all), deleted and merged ones too, ordered by (stamp, id).

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

    def delete(self, object_name: str, record_id: str) -> None:
        """Delete one record that we made; nothing happens where it is gone already."""

    def write(self, writes: Sequence[Write]) -> list[WriteResult]:
        """Carry out at most `write_batch` writes on one object; one result for each, in order.

        No two may name the same record or have the same key (`Bug`). Raises only when nothing is known about any of them:
        `Unavailable` (its `not_sent` tells if the outcome is certain).
        """

    def unrelatable(self, object_name: str, others: Sequence[str]) -> Sequence[str]:
        """Return which of the `others` records of an object can never be associated with, by `Write.related`."""

    def usage(self) -> Usage:
        """Return what was used, without asking the CRM."""

    def record_url(self, ref: Ref) -> str:
        """Return where a person opens this record in the CRM."""

    def missing_rights(self, needs: Needs) -> Sequence[MissingRight]:
        """Return the rights to whole objects that we lack, as far as the CRM tells; changes nothing."""

    def plan_setup(
        self,
        fields: Sequence[FieldSpec],
        hidden: Sequence[tuple[str, str]] = (),
        labels: Mapping[str, str] = NO_LABELS,
    ) -> list[SetupStep]:
        """Return what is missing for these fields to exist, be permitted to the integration user and be shown on the record.

        `hidden`: fields of others, as (object, field), that the integration user is to be allowed to read. `labels`: by the keys of
        the steps that made fields, the labels that we gave them last: one that stands there still is changed to the wanted one.
        """

    def field_limits(self, objects: Sequence[str]) -> Sequence[FieldLimit]:
        """Return how many custom fields these objects may have, as far as the CRM tells; by a refusal (`NoRoom`) it tells later."""

    def unseen(self, fields: Sequence[FieldSpec]) -> Sequence[Unseen]:
        """Return which of these fields no page shows, as far as the CRM tells; those that do not exist yet are left out."""

    def apply_setup(self, steps: Sequence[SetupStep]) -> Iterator[SetupResult]:
        """Carry out steps in order; yields each result as it is known, so that it can be stored at once."""

    def plan_undo(self, made: Sequence[SetupResult]) -> list[SetupStep]:
        """Return the steps that take away what earlier results made, newest first."""

    def close(self) -> None:
        """Let go of connections."""


# ── meaning ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Reading:
    """What a record means. `value` is None for a record that the mapping passes over; `error` parks it."""

    kind: str
    """account, contact, owner, task, or the interaction's kind."""
    value: Pulled | None
    error: MappingError | None = None


class CrmMapping(Protocol):
    """A mapping fitted to a live schema: optional fields that are not there are left out, lengths are the CRM's."""

    @property
    def fingerprint(self) -> str:
        """Changes when what is read, or how it is understood, changes: then everything is read again."""

    @property
    def form(self) -> str:
        """Changes when what is written, or its form, changes: then all is compared again, and what was refused is tried once more."""

    def fingerprint_of(self, object_name: str) -> str:
        """Changes when what is read of one object, or how it is understood, changes: then this object is read again."""

    @property
    def queries(self) -> Sequence[Query]:
        """What a lap reads: one query for each object, owners first, then accounts, contacts, interactions and tasks."""

    @property
    def events(self) -> frozenset[str]:
        """What surveys can be triggered by, e.g. ``case.closed``."""

    @property
    def won_deal_within(self) -> timedelta | None:
        """Within which time a won deal (an interaction that ended by ``won``) makes an account a customer; None: none does."""

    def options(self, event: str, fact: str) -> tuple[str, ...]:
        """Return the values that a fact of an event's records can have, as far as the CRM lists them; () for any."""

    def fact_type(self, event: str, fact: str) -> str:
        """Return as what a fact of an event's records is read: text, number, boolean, date, datetime; empty: it is not there."""

    def kinds(self, object_name: str) -> tuple[str, ...]:
        """Return the kinds that records of this object can be read as."""

    def read(self, connection: str, record: Record) -> Reading:
        """Return what the record means. Never raises for a bad value: that is the reading's `error`."""

    @property
    def related_kinds(self) -> frozenset[str]:
        """The kinds of interaction that a task about one is associated with, beside account and contact."""

    def object_of(self, target: str) -> str:
        """Return the CRM object that holds our ``account``, ``contact`` or ``task`` fields."""

    def names(self, target: str) -> frozenset[str]:
        """Return which of our fields are mapped (and there) on a target, by our names."""

    def render(self, target: str, values: Mapping[str, FieldValue | date]) -> dict[str, FieldValue]:
        """Return the values in the CRM's own form, by our names; those that are not mapped are left out.

        Text is cut to the field's length on a character; numbers get the field's scale; None stays None (clear).
        """

    def differs(self, target: str, name: str, desired: FieldValue, actual: FieldValue) -> bool:
        """Compare two values in the CRM's form as the CRM does: by number, trimmed, '' = empty, instants not texts."""

    def crm_field(self, target: str, name: str) -> str:
        """Return the CRM's name of one of our fields."""

    def wanted_fields(self) -> Sequence[FieldSpec]:
        """Return the fields of ours that should exist in the CRM (with those that are missing now)."""

    @property
    def foreign(self) -> Sequence[ForeignField]:
        """Fields that it names for writing, and that are not ours: they are in no other way part of what is written."""

    def shared(self, target: str) -> frozenset[str]:
        """Return which of our names on a target are written to fields that others write too: of those the CRM is asked what stands
        there in the moment of writing."""

    @property
    def lacking(self) -> Sequence[tuple[str, str]]:
        """Fields, as (object, field), that it cannot do without, and that the CRM does not show us."""

    @property
    def absent(self) -> Sequence[tuple[str, str]]:
        """All fields that it would read, and that the CRM does not show us."""


class MappingSource(Protocol):
    """A mapping file as it was loaded, before it has met a CRM."""

    @property
    def objects(self) -> Sequence[str]:
        """The CRM objects whose schema `fit` needs."""

    @property
    def identity(self) -> str:
        """Changes with every edit that means something."""

    @property
    def triggers(self) -> str:
        """Changes when what ends an interaction, or who is a customer, is read in another way: what might make history look new."""

    @property
    def won_deal_within(self) -> timedelta | None:
        """As in `CrmMapping`."""

    def fit(
        self, schemas: Mapping[str, ObjectSchema], ours: Ownership | None = None
    ) -> tuple[CrmMapping, Sequence[Problem]]:
        """Fit the mapping to a live schema; problems of severity ``error`` mean that it cannot be used as it is.

        Without `ours` nobody is asked whose a field is, and every field counts as ours: nothing may be written by it.
        """
