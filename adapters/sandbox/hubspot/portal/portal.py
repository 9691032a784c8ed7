"""One pretend portal as Python sees it: its records, owners, schema and faults, without any HTTP."""

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.faults import Faults
from adapters.sandbox.hubspot.merges import merge
from adapters.sandbox.hubspot.portal.indexing import SearchIndex
from adapters.sandbox.hubspot.portal.links import PARENT, PRIMARY, LinkType, PortalLinks
from adapters.sandbox.hubspot.portal.owners import PortalOwners
from adapters.sandbox.hubspot.portal.pipelines import Metadata, PortalPipelines
from adapters.sandbox.hubspot.portal.property_values import from_python, iso, to_ms
from adapters.sandbox.hubspot.portal.schema import PortalObjectType, PortalSchema, Property
from adapters.sandbox.hubspot.portal.store import PortalRecord, PortalStore
from adapters.sandbox.hubspot.records import PortalRecords, PortalWriter

ADMIN = "admin@portal.example"
_STAMPS = frozenset({"id", "created", "modified", "archived"})


class Portal:
    """The records of one portal. Every method is safe to call from any thread.

    Objects go by plural name, singular name or type id. Writers are named by owner id, e-mail address or full name; times are
    aware datetimes and default to the portal's clock. Refusals are raised as HubSpotError, with the vendor's category and
    words.

    `merges_make_new_ids` names the objects whose merges make a record with an id of its own; merges of the others keep the id
    of the primary record. `finds_companies` associates new contacts with the company of their e-mail domain. With
    `activities_touch` a logged activity moves the stamp of the records that it is about. `ui_domain` is where people open
    records, as the portal tells its apps, `account_type` what kind of account it says it is (STANDARD, SANDBOX, DEVELOPER_TEST,
    APP_DEVELOPER).
    """

    def __init__(self, clock: SandboxClock | None = None) -> None:
        self.clock = clock or SandboxClock()
        self.lock = threading.RLock()
        self.faults = Faults()
        self.schema = PortalSchema()
        self.store = PortalStore()
        self.owners = PortalOwners()
        self.pipelines = PortalPipelines(self.now())
        self.links = PortalLinks(self.schema)
        self.records = PortalRecords(self.store, self.schema, self.faults, self.owners, self.pipelines)
        self.index = SearchIndex(self)
        self.records.changed = self.index.note
        self.links.changed = self._keep_parent
        self.portal_id = self.records.portal_id = 48_712_305
        self.account_type = "STANDARD"
        self.time_zone = "US/Eastern"
        self.ui_domain = "app.hubspot.com"
        self.merges_make_new_ids = {"companies", "deals", "tickets"}
        self.most_properties = 1_000
        self.finds_companies = False
        self.activities_touch = True
        self.admin = self.owners.add("Ada Admin", ADMIN, self.now())

    # Reading

    def get(self, object_name: str, record_id: str) -> dict[str, Any] | None:
        """A record as it is now, archived or not: its properties, with `id` and `archived`; empty ones are absent.

        A merged-away id gives the surviving record.
        """
        with self.lock:
            object_type = self.object(object_name)
            table = self.store.table(object_type.name)
            record = table.rows.get(table.survivor(int(record_id)))
            return self._flat(object_type, record) if record else None

    def rows(self, object_name: str, *, deleted: bool = False, **equal: Any) -> list[dict[str, Any]]:
        """The records of an object, those with the given values only; with `deleted` the archived ones too."""
        with self.lock:
            object_type = self.object(object_name)
            records = [
                self._flat(object_type, record)
                for record in self.store.table(object_type.name).rows.values()
                if deleted or record.archived is None
            ]
            wanted = {name: from_python(value) for name, value in equal.items()}
            return [row for row in records if all(row.get(name) == value for name, value in wanted.items())]

    def count(self, object_name: str) -> int:
        """How many live records an object has."""
        with self.lock:
            return int(self.store.table(self.object(object_name).name).live.sum())

    def associated(self, object_name: str, record_id: str, other: str) -> dict[str, list[int]]:
        """The live records of `other` that a record is associated with, and the ids of the types."""
        with self.lock:
            target = self.object(other)
            table = self.store.table(target.name)
            joined = self.links.of(self.object(object_name).name, int(record_id), target.name)
            return {str(key): list(types) for key, types in joined.items() if table.alive(key)}

    # Writing

    def insert(
        self, object_name: str, values: Mapping[str, Any], *, at: datetime | None = None, by: str | None = None
    ) -> str:
        """Makes a record with every rule of the CRM except read-only values; returns its id."""
        with self.lock:
            object_type = self.object(object_name)
            return str(self.create(object_type, values, self.writer(by, at)).id)

    def update(
        self,
        object_name: str,
        record_id: str,
        values: Mapping[str, Any],
        *,
        at: datetime | None = None,
        by: str | None = None,
    ) -> None:
        """Changes properties of a record; None empties one."""
        with self.lock:
            object_type = self.object(object_name)
            texts = {name: "" if value is None else value for name, value in values.items()}
            self.records.update(object_type, self.records.existing(object_type, record_id), texts, self.writer(by, at))

    def archive(self, object_name: str, record_id: str, *, at: datetime | None = None, by: str | None = None) -> None:
        """Archives a record; it can be restored."""
        with self.lock:
            object_type = self.object(object_name)
            self.records.archive(object_type, self.records.existing(object_type, record_id), self.writer(by, at))

    def delete(self, object_name: str, record_id: str, *, at: datetime | None = None, by: str | None = None) -> None:
        """The same as `archive`, under the name that all pretend CRMs share."""
        self.archive(object_name, record_id, at=at, by=by)

    def restore(self, object_name: str, record_id: str, *, at: datetime | None = None, by: str | None = None) -> None:
        """Takes an archived record back."""
        with self.lock:
            self.records.restore(self.object(object_name), int(record_id), self.writer(by, at))

    def purge(self, object_name: str, record_id: str) -> None:
        """Deletes a record for good: nothing shows it any more."""
        with self.lock:
            object_type = self.object(object_name)
            self.links.drop(object_type.name, int(record_id))
            self.store.purge(object_type.name, int(record_id))

    def merge(
        self, object_name: str, winner: str, losers: Iterable[str], *, at: datetime | None = None, by: str | None = None
    ) -> str:
        """Merges records into `winner`, one after the other; returns the id of what remains."""
        with self.lock:
            object_type = self.object(object_name)
            for loser in losers:
                winner = str(merge(self, object_type, (winner, loser), self.writer(by, at)).id)
            return winner

    def associate(
        self, object_name: str, record_id: str, other: str, other_id: str, type_id: int | None = None
    ) -> None:
        """Associates two live records, by a type of the vendor's or the portal's own; by the usual one without `type_id`."""
        with self.lock:
            source, target = self.object(object_name), self.object(other)
            known = {link_type.type_id: link_type for link_type in self.links.types(source, target)}
            types = [] if type_id is None else [known[type_id]]
            self.join(source, self.records.existing(source, record_id), target, other_id, types=types)

    def dissociate(self, object_name: str, record_id: str, other: str, other_id: str) -> None:
        """Ends all associations between two records."""
        with self.lock:
            self.links.part(self.object(object_name).name, int(record_id), self.object(other).name, int(other_id))

    def load(self, object_name: str, rows: Iterable[Mapping[str, Any]]) -> list[str]:
        """Takes many records as they are, unchecked, with the stamps they bring; returns their ids.

        Beside properties a row may hold `id`, `created`, `modified` and `archived` (aware datetimes); created defaults to the
        clock's time, modified to created. Meant for seeding: indexes are made anew afterwards, and searches find the records
        at once.
        """
        with self.lock:
            object_type = self.object(object_name)
            now = self.now()
            loaded = [self._trusted(object_type, row, now) for row in rows]
            self.store.table(object_type.name).load(loaded)
            return [str(record.id) for record in loaded]

    def load_links(self, object_name: str, other: str, pairs: Iterable[tuple[str, str]]) -> None:
        """Associates many records by the usual type of the pair; the first company of a record becomes its primary one."""
        with self.lock:
            source, target = self.object(object_name), self.object(other)
            for record_id, other_id in pairs:
                self.links.join(source, int(record_id), target, int(other_id))

    # People, properties, pipelines and labels

    def add_owner(self, name: str, email: str, *, active: bool = True, teams: Iterable[str] = ()) -> str:
        """Adds a person (`First Last`) and returns the owner id."""
        with self.lock:
            return str(self.owners.add(name, email, self.now(), active=active, teams=teams).id)

    def archive_owner(self, owner_id: str) -> None:
        """Takes an owner's user away."""
        with self.lock:
            self.owners.archive(int(owner_id), self.now())

    def new_property(self, object_name: str, spec: Property) -> None:
        """Adds a property; without a group it goes to the first one."""
        with self.lock:
            object_type = self.object(object_name)
            group = spec.group or next(iter(object_type.groups))
            now = self.now()
            object_type.add(replace(spec, group=group, label=spec.label or spec.name, created=now, updated=now))

    def new_pipeline(self, object_name: str, label: str, stages: Mapping[str, Metadata]) -> tuple[str, dict[str, str]]:
        """Adds a pipeline of stages (label to metadata); returns its id and those of the stages by label."""
        with self.lock:
            listed = [(None, name, metadata) for name, metadata in stages.items()]
            pipeline = self.pipelines.add(self.object(object_name).name, label, listed, self.now())
            return pipeline.id, {stage.label: stage.id for stage in pipeline.stages.values()}

    def new_label(self, object_name: str, other: str, label: str, inverse_label: str | None = None) -> int:
        """Adds an association label and returns its type id in this direction."""
        with self.lock:
            name = label.lower().replace(" ", "_")
            link_types = self.links.add_label(self.object(object_name), self.object(other), name, label, inverse_label)
            return link_types[0].type_id

    # Within

    def object(self, name: str) -> PortalObjectType:
        """The object that goes by a name; raises HubSpotError."""
        return self.schema.object(name)

    def now(self) -> int:
        """The present in milliseconds since 1970."""
        return to_ms(self.clock.now())

    def writer(self, by: str | None, at: datetime | None) -> PortalWriter:
        """The portal itself, writing in the name of a user."""
        owner = self.owners.named(by) if by else self.admin
        return PortalWriter(owner.user_id, to_ms(at) if at else self.now())

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything that is written to records and associations in the block holds, or, when it raises, nothing."""
        with self.store.transaction(), self.links.transaction():
            yield

    def create(
        self,
        object_type: PortalObjectType,
        values: Mapping[str, Any],
        writer: PortalWriter,
        joins: Iterable[tuple[PortalObjectType, int, list[LinkType]]] = (),
    ) -> PortalRecord:
        """Makes a record with its associations (object, id, types)."""
        record = self.records.create(object_type, values, writer)
        for target, other_id, types in joins:
            self.join(object_type, record, target, str(other_id), types=types, at=writer.at)
        if self.finds_companies and object_type.name == "contacts":
            self._find_company(object_type, record)
        return self.store.table(object_type.name).rows[record.id]

    def join(
        self,
        source: PortalObjectType,
        record: PortalRecord,
        target: PortalObjectType,
        other_id: str,
        *,
        types: Iterable[LinkType] = (),
        at: int | None = None,
    ) -> list[LinkType]:
        """Associates two live records and returns the types that they hold then."""
        other = self.records.existing(target, other_id)
        joined = self.links.join(source, record.id, target, other.id, types)
        moment = self.now() if at is None else at
        for activity, touched in ((source, (target, other)), (target, (source, record))):
            if activity.engagement and self.activities_touch:
                self._touch(*touched, moment)
        return joined

    def links_named(
        self, source: PortalObjectType, specs: Iterable[Mapping[str, Any]]
    ) -> tuple[PortalObjectType, list[LinkType]]:
        """The types in `associationCategory` and `associationTypeId`, and the object they lead to; raises HubSpotError."""
        types = [
            self.links.leading(source, spec.get("associationCategory", ""), spec.get("associationTypeId", 0))
            for spec in specs
        ]
        return self.object(types[0].target), types

    def _keep_parent(self, pair: tuple[str, str], company_id: int) -> None:
        """Lets a company's record name the company that it is associated with as its parent."""
        record = self.store.table("companies").alive(company_id) if pair == ("companies", "companies") else None
        if record is None:
            return
        object_type = self.object("companies")
        upwards = next(
            link_type.type_id for link_type in self.links.types(object_type, object_type) if link_type.label == PARENT
        )
        above = self.links.of("companies", company_id, "companies")
        parent = next((str(other) for other, types in above.items() if upwards in types), None)
        if record.properties.get("hs_parent_company_id") != parent:
            at = max(record.modified, self.now())
            self.records.touch(object_type, record, {"hs_parent_company_id": parent}, at)

    def _touch(self, object_type: PortalObjectType, record: PortalRecord, at: int) -> None:
        if "notes_last_updated" in object_type.properties:
            present = self.store.table(object_type.name).rows[record.id]
            self.records.touch(object_type, present, {"notes_last_updated": iso(at)}, max(at, present.modified))

    def _find_company(self, object_type: PortalObjectType, record: PortalRecord) -> None:
        companies = self.object("companies")
        domain = record.properties.get("email", "").partition("@")[2]
        same_domain = self.records.holding(companies, "domain", domain) if domain else []
        if same_domain:
            primary = next(
                link_type for link_type in self.links.types(object_type, companies) if link_type.label == PRIMARY
            )
            self.links.join(object_type, record.id, companies, same_domain[0].id, [primary])

    def _flat(self, object_type: PortalObjectType, record: PortalRecord) -> dict[str, Any]:
        stamps = {
            name: self.records.value(object_type, record, name)
            for name in ("hs_object_id", object_type.created, object_type.modified)
        }
        return {"id": str(record.id), "archived": record.archived is not None, **record.properties, **stamps}

    def _trusted(self, object_type: PortalObjectType, row: Mapping[str, Any], now: int) -> PortalRecord:
        own = {
            name: value if isinstance(value, str) else from_python(value)
            for name, value in row.items()
            if value is not None and name not in _STAMPS
        }
        record_id = int(row.get("id") or self.records.next_id(object_type))
        self.records.skip_ids(object_type, record_id)
        created = to_ms(row["created"]) if row.get("created") else now
        modified = to_ms(row["modified"]) if row.get("modified") else created
        return PortalRecord(record_id, own, created, modified, to_ms(row["archived"]) if row.get("archived") else None)
