"""HubSpot as the connector sees a CRM."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from adapters.hubspot import property_room
from adapters.hubspot.config import HubSpotAccess
from adapters.hubspot.errors import Absent
from adapters.hubspot.http.client import HubSpotClient
from adapters.hubspot.http.version import objects
from adapters.hubspot.org import HubSpotOrg
from adapters.hubspot.records.creation import Once
from adapters.hubspot.records.links import Links
from adapters.hubspot.records.notes import Notes
from adapters.hubspot.records.reader import LAG, HubSpotReader
from adapters.hubspot.records.writer import BATCH, HubSpotWriter
from adapters.hubspot.schemas import HubSpotSchemas
from adapters.hubspot.scopes import Scopes
from adapters.hubspot.setup import HubSpotSetup
from connector.errors import raises_own_errors
from connector.model import MissingRight, Ref, Unseen
from connector.ports import (
    NO_LABELS,
    BulkWriter,
    Clock,
    FieldLimit,
    FieldSpec,
    Needs,
    NoteTaker,
    ObjectSchema,
    Org,
    Page,
    Position,
    Query,
    Record,
    SetupResult,
    SetupStep,
    Usage,
    Write,
    WriteResult,
)


@raises_own_errors
class HubSpotAdapter:
    """One HubSpot account, by its API. Safe to use from several threads."""

    write_batch = BATCH
    bulk: BulkWriter | None = None
    lag = LAG

    def __init__(self, access: HubSpotAccess, clock: Clock) -> None:
        self.connection = access.connection
        self._access = access
        self._client = HubSpotClient(access, clock)
        links = Links(self._client)
        self._schemas = HubSpotSchemas(self._client, access.read_times)
        self._reader = HubSpotReader(self._client, self._schemas, links, access.read_times)
        self._once = Once(self._client, links, self._reader.properties)
        self._writer = HubSpotWriter(self._client, self._schemas, links, self._once)
        self.notes: NoteTaker | None = Notes(
            access.connection, self._client, links, self._reader.properties, self._writer
        )
        self._org = HubSpotOrg(self._client)
        self._scopes = Scopes(self._client, access.access_token)
        self._setup = HubSpotSetup(self._client, self._schemas)

    def __repr__(self) -> str:
        return f"HubSpotAdapter({self.connection!r}, {self._access.url!r})"

    def org(self) -> Org:
        """See `CrmAdapter.org`."""
        return self._org.read()

    def describe(self, object_name: str) -> ObjectSchema:
        """See `CrmAdapter.describe`. What HubSpot keeps apart is shown as fields: ``associations.companies``, ``dealstage.won``."""
        return self._schemas.describe(object_name)

    def changes(self, query: Query, *, since: datetime | None, after: Position | None) -> Iterator[Page]:
        """See `CrmAdapter.changes`. Deletions come at the end, of each object at most hourly."""
        return self._reader.changes(query, since=since, after=after)

    def count(self, query: Query) -> int:
        """See `CrmAdapter.count`."""
        return self._reader.count(query)

    def fetch(self, object_name: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Record]:
        """See `CrmAdapter.fetch`."""
        return self._reader.fetch(object_name, ids, fields)

    def newest(self, object_name: str, fields: Sequence[str], limit: int) -> list[Record]:
        """See `CrmAdapter.newest`."""
        return self._reader.newest(object_name, fields, limit)

    def find(self, object_name: str, field: str, value: str, fields: Sequence[str]) -> Record | None:
        """See `CrmAdapter.find`."""
        return self._reader.find(object_name, field, value, fields)

    def delete(self, object_name: str, record_id: str) -> None:
        """See `CrmAdapter.delete`. HubSpot archives it."""
        with suppress(Absent):
            self._client.change("DELETE", objects(object_name, record_id), call=f"delete {object_name}")

    def write(self, writes: Sequence[Write]) -> list[WriteResult]:
        """See `CrmAdapter.write`."""
        return self._writer.write(writes)

    def unrelatable(self, object_name: str, others: Sequence[str]) -> list[str]:
        """See `CrmAdapter.unrelatable`."""
        return self._once.unrelatable(object_name, others)

    def usage(self) -> Usage:
        """See `CrmAdapter.usage`."""
        return self._client.meter.usage()

    def record_url(self, ref: Ref) -> str:
        """See `CrmAdapter.record_url`."""
        return self._org.record_url(ref)

    def missing_rights(self, needs: Needs) -> list[MissingRight]:
        """See `CrmAdapter.missing_rights`."""
        return self._scopes.missing_rights(needs)

    def plan_setup(
        self,
        fields: Sequence[FieldSpec],
        hidden: Sequence[tuple[str, str]] = (),  # noqa: ARG002 - the port's signature
        labels: Mapping[str, str] = NO_LABELS,
    ) -> list[SetupStep]:
        """See `CrmAdapter.plan_setup`. HubSpot permits objects, not fields, so that none is hidden from us alone."""
        return self._setup.plan(fields, labels)

    def field_limits(self, objects: Sequence[str]) -> list[FieldLimit]:
        """See `CrmAdapter.field_limits`."""
        return property_room.limits(self._client, objects)

    def unseen(self, fields: Sequence[FieldSpec]) -> list[Unseen]:  # noqa: ARG002 - the port's signature
        """See `CrmAdapter.unseen`. HubSpot tells nobody what its record pages show."""
        return []

    def apply_setup(self, steps: Sequence[SetupStep]) -> Iterator[SetupResult]:
        """See `CrmAdapter.apply_setup`."""
        return self._setup.apply(steps)

    def plan_undo(self, made: Sequence[SetupResult]) -> list[SetupStep]:
        """See `CrmAdapter.plan_undo`."""
        return self._setup.plan_undo(made)

    def close(self) -> None:
        """See `CrmAdapter.close`."""
        self._client.close()
