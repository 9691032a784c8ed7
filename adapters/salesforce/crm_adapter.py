"""Salesforce as the connector sees a CRM."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from adapters.salesforce.config import SalesforceAccess
from adapters.salesforce.http.client import SalesforceClient
from adapters.salesforce.org import SalesforceOrg
from adapters.salesforce.records import soql
from adapters.salesforce.records.bulk_writer import SalesforceBulkWriter
from adapters.salesforce.records.participants import Participants, described
from adapters.salesforce.records.reader import SalesforceReader
from adapters.salesforce.records.writer import BATCH, SalesforceWriter
from adapters.salesforce.schemas import SalesforceSchemas
from adapters.salesforce.setup import SalesforceSetup
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
class SalesforceAdapter:
    """One Salesforce org, by its REST API. Safe to use from several threads."""

    write_batch = BATCH
    lag = timedelta(minutes=5)
    """A row gets its stamp when a transaction writes it, and is seen when the transaction commits."""

    def __init__(self, access: SalesforceAccess, clock: Clock) -> None:
        self.connection = access.connection
        self._access = access
        self._client = SalesforceClient(access, clock)
        self._schemas = SalesforceSchemas(self._client)
        self._reader = SalesforceReader(self._client, self._schemas)
        self._participants = Participants(self._reader)
        self._writer = SalesforceWriter(self._client, self._reader, self._schemas)
        self.notes: NoteTaker | None = None
        self.bulk: BulkWriter | None = SalesforceBulkWriter(self._client, self._writer)
        self._org = SalesforceOrg(self._client, self._reader)
        self._setup = SalesforceSetup(access, self._client, reader=self._reader, schemas=self._schemas, org=self._org)

    def __repr__(self) -> str:
        return f"SalesforceAdapter({self.connection!r}, {self._access.url!r})"

    def org(self) -> Org:
        """See `CrmAdapter.org`."""
        return self._org.read()

    def describe(self, object_name: str) -> ObjectSchema:
        """See `CrmAdapter.describe`."""
        return described(self._schemas.describe(object_name))

    def changes(self, query: Query, *, since: datetime | None, after: Position | None) -> Iterator[Page]:
        """See `CrmAdapter.changes`."""
        return self._participants.changes(query, since=since, after=after)

    def count(self, query: Query) -> int:
        """See `CrmAdapter.count`."""
        return self._reader.count(query)

    def fetch(self, object_name: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Record]:
        """See `CrmAdapter.fetch`. The answer is keyed by 18 character ids."""
        return self._participants.fetch(object_name, ids, fields)

    def newest(self, object_name: str, fields: Sequence[str], limit: int) -> list[Record]:
        """See `CrmAdapter.newest`."""
        return self._reader.newest(object_name, fields, limit)

    def find(self, object_name: str, field: str, value: str, fields: Sequence[str]) -> Record | None:
        """See `CrmAdapter.find`."""
        return self._reader.find(object_name, field, value, fields)

    def delete(self, object_name: str, record_id: str) -> None:
        """See `CrmAdapter.delete`."""
        self._writer.delete(object_name, record_id)

    def write(self, writes: Sequence[Write]) -> list[WriteResult]:
        """See `CrmAdapter.write`."""
        return self._writer.write(writes)

    def unrelatable(self, object_name: str, others: Sequence[str]) -> list[str]:  # noqa: ARG002 - the port's signature
        """See `CrmAdapter.unrelatable`. Salesforce keeps in fields what a record belongs to."""
        return []

    def usage(self) -> Usage:
        """See `CrmAdapter.usage`."""
        return self._client.meter.usage()

    def record_url(self, ref: Ref) -> str:
        """See `CrmAdapter.record_url`."""
        return f"{self._access.url}/lightning/r/{soql.name(ref.object)}/{soql.id18(ref.id)}/view"

    def missing_rights(self, needs: Needs) -> list[MissingRight]:
        """See `CrmAdapter.missing_rights`."""
        return self._schemas.missing_rights(needs)

    def plan_setup(
        self,
        fields: Sequence[FieldSpec],
        hidden: Sequence[tuple[str, str]] = (),
        labels: Mapping[str, str] = NO_LABELS,
    ) -> list[SetupStep]:
        """See `CrmAdapter.plan_setup`."""
        return self._setup.plan(fields, hidden, labels)

    def field_limits(self, objects: Sequence[str]) -> list[FieldLimit]:
        """See `CrmAdapter.field_limits`."""
        return self._setup.limits(objects)

    def unseen(self, fields: Sequence[FieldSpec]) -> list[Unseen]:
        """See `CrmAdapter.unseen`."""
        return self._setup.unseen(fields)

    def apply_setup(self, steps: Sequence[SetupStep]) -> Iterator[SetupResult]:
        """See `CrmAdapter.apply_setup`."""
        return self._setup.apply(steps)

    def plan_undo(self, made: Sequence[SetupResult]) -> list[SetupStep]:
        """See `CrmAdapter.plan_undo`."""
        return self._setup.plan_undo(made)

    def close(self) -> None:
        """See `CrmAdapter.close`."""
        self._client.close()
