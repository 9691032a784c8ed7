"""One pretend org as Python sees it: its records, users, schema and faults, without any HTTP."""

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.faults import Faults
from adapters.sandbox.salesforce import setup
from adapters.sandbox.salesforce.errors import not_found
from adapters.sandbox.salesforce.org import derive, standard
from adapters.sandbox.salesforce.org.field_values import from_python, moment_of, stamp
from adapters.sandbox.salesforce.org.ids import IdSequence, to_18
from adapters.sandbox.salesforce.org.permissions import Permissions, UserAccess
from adapters.sandbox.salesforce.org.schema import Field, OrgObjectType, OrgSchema
from adapters.sandbox.salesforce.org.store import OrgChange, OrgStore, Row, redo, undo
from adapters.sandbox.salesforce.rows import OrgRecords, OrgWriter


@dataclass(frozen=True)
class PendingCommit:
    """Writes that were stamped but are not visible yet."""

    visible_at: datetime
    journal: list[OrgChange]


class PretendOrg:
    """The records of one org. Every method is safe to call from any thread.

    Writers may be named by id, user name or full name; times are aware datetimes and default to the org's clock. Refusals
    are raised as RowError or RequestError, with the vendor's code and words.
    """

    def __init__(self, clock: SandboxClock | None = None) -> None:
        self.clock = clock or SandboxClock()
        self.lock = threading.RLock()
        self.faults = Faults()
        self.schema = OrgSchema()
        self.store = OrgStore()
        self.ids = IdSequence()
        self.permissions = Permissions(self.store, self.schema)
        self.records = OrgRecords(self.store, self.schema, self.ids, self.faults)
        self._pending: list[PendingCommit] = []
        self._admin = to_18("005Kx0000000001")
        self.organization_id, self.admin_id, self.integration_id = standard.furnish(self)
        setup.lay_out(self)
        self.most_fields = 500
        setup.measure(self)

    # Reading

    def get(self, object_name: str, record_id: str) -> dict[str, Any] | None:
        """A record as it is visible now, deleted or not; empty fields are absent."""
        with self.lock:
            self.apply_due_commits()
            row = self.store.get(self.object(object_name).name, to_18(record_id))
            return dict(row) if row else None

    def rows(self, object_name: str, *, deleted: bool = False, **equal: Any) -> list[dict[str, Any]]:
        """The records of an object, those with the given field values only; with `deleted` those in the bin too."""
        with self.lock:
            self.apply_due_commits()
            table = self.store.table(self.object(object_name).name)
            rows = table.rows.values() if deleted else table.live()
            return [dict(row) for row in rows if all(row.get(name) == value for name, value in equal.items())]

    def count(self, object_name: str) -> int:
        """How many live records an object has."""
        with self.lock:
            self.apply_due_commits()
            return sum(1 for _ in self.store.table(self.object(object_name).name).live())

    # Writing

    def insert(
        self,
        object_name: str,
        values: Mapping[str, Any],
        *,
        at: datetime | None = None,
        by: str | None = None,
        visible_after: timedelta | None = None,
    ) -> str:
        """Makes a record with every rule of the CRM except field-level security; returns its id."""
        with self.commit(object_name, visible_after, at):
            return self.records.insert(self.object(object_name), self._wire(object_name, values), self.writer(by, at))

    def update(
        self,
        object_name: str,
        record_id: str,
        values: Mapping[str, Any],
        *,
        at: datetime | None = None,
        by: str | None = None,
        visible_after: timedelta | None = None,
    ) -> None:
        """Changes fields of a record; None empties one."""
        with self.commit(object_name, visible_after, at):
            wire = self._wire(object_name, values)
            self.records.update(self.object(object_name), record_id, wire, self.writer(by, at))

    def delete(self, object_name: str, record_id: str, *, at: datetime | None = None, by: str | None = None) -> None:
        """Moves a record to the bin."""
        with self.commit(object_name, None, at):
            self.records.delete(self.object(object_name), record_id, self.writer(by, at))

    def undelete(self, object_name: str, record_id: str, *, at: datetime | None = None, by: str | None = None) -> None:
        """Takes a record out of the bin."""
        with self.commit(object_name, None, at):
            self.records.undelete(self.object(object_name), record_id, self.writer(by, at))

    def purge(self, object_name: str, record_id: str, *, at: datetime | None = None) -> None:
        """Deletes a record for good."""
        with self.commit(object_name, None, at):
            self.records.purge(self.object(object_name), record_id, self.writer(None, at))

    def merge(
        self, object_name: str, winner: str, losers: Iterable[str], *, at: datetime | None = None, by: str | None = None
    ) -> None:
        """Merges records into `winner`."""
        with self.commit(object_name, None, at):
            self.records.merge(self.object(object_name), winner, list(losers), self.writer(by, at))

    def load(self, object_name: str, rows: Iterable[Mapping[str, Any]]) -> list[str]:
        """Takes many records as they are, unchecked, with the stamps they bring; returns their ids.

        Id, owner and stamps are filled in where absent (SystemModstamp from LastModifiedDate, that from CreatedDate, that
        from the clock), and so are the derived fields. Meant for seeding: indexes are made anew afterwards.
        """
        with self.lock:
            object_type = self.object(object_name)
            start: dict[str, Any] = object_type.defaults | (
                {"OwnerId": self._admin} if "OwnerId" in object_type.fields else {}
            )
            start["CreatedDate"] = self.now()
            loaded = [self._trusted(object_type, start, row) for row in rows]
            self.store.table(object_type.name).load(loaded)
            return [row["Id"] for row in loaded]

    def touch(self, object_name: str, record_id: str, *, at: datetime | None = None) -> None:
        """Moves SystemModstamp alone, as background work does."""
        with self.commit(object_name, None, at):
            object_type = self.object(object_name)
            self.store.put(
                object_type.name,
                {**self.records.existing(object_type, record_id), "SystemModstamp": stamp(at or self.clock.now())},
            )

    # People, fields and grants

    def add_user(
        self,
        name: str,
        email: str,
        *,
        active: bool = True,
        profile: str = standard.STANDARD_PROFILE,
        user_type: str = "Standard",
    ) -> str:
        """Adds a user (`First Last`) and returns the id. Users of a site (Experience Cloud) are of another type: PowerPartner, …"""
        first, _, last = name.rpartition(" ")
        profile_id = self.rows("Profile", Name=profile)[0]["Id"]
        names = {"FirstName": first, "LastName": last, "Email": email, "Username": email, "Alias": (first or last)[:8]}
        with self.lock:
            user = self.insert("User", {**names, "ProfileId": profile_id, "IsActive": active})
            self.store.put("User", {**(self.store.get("User", user) or {}), "UserType": user_type})
            return user

    def new_field(
        self, entity: str, spec: Field, metadata: Mapping[str, Any] | None = None, *, grant: bool = False
    ) -> str:
        """Adds a custom field and returns its id; nobody sees it until it is granted (`grant` gives it to all profiles)."""
        with self.lock:
            self.schema.add_field(entity, setup.as_custom(spec))
            record_id = self.load("CustomField", [setup.field_row(entity, spec, metadata or {})])[0]
            setup.measure(self)
            if grant:
                for parent in self.rows("PermissionSet", IsOwnedByProfile=True):
                    for object_type in self.schema.holders(entity):
                        self.grant(parent["Id"], object_type.name, spec.name)
            return record_id

    def change_field(self, row: Row, spec: Field, metadata: Mapping[str, Any]) -> None:
        """Replaces the definition of a custom field; `row` is its record."""
        entity = row["TableEnumOrId"]
        self.schema.add_field(entity, setup.as_custom(spec))
        self.store.put("CustomField", {**row, **setup.field_row(entity, spec, metadata), "SystemModstamp": self.now()})

    def become_sandbox(self) -> None:
        """Makes the org say that it is a copy for tests, as one that was refreshed from production is."""
        with self.lock:
            row = self.store.get("Organization", self.organization_id)
            self.store.put("Organization", {**(row or {}), "IsSandbox": True})

    def drop_field(self, row: Row) -> None:
        """Deletes a custom field with its values and grants."""
        setup.drop_values(self, row)
        self.schema.remove_field(row["TableEnumOrId"], f"{row['DeveloperName']}__c")
        self.store.purge("CustomField", row["Id"])
        setup.measure(self)

    def limit_fields(self, most: int | None) -> None:
        """Says how many custom fields each object may have from now on; None changes nothing."""
        with self.lock:
            self.most_fields = self.most_fields if most is None else most
            setup.measure(self)

    def layout(self, object_name: str) -> dict[str, Any]:
        """The page layout of an object, as metadata with `layoutSections`; empty when it has none."""
        rows = self.rows("Layout", TableEnumOrId=object_name)
        return dict(rows[0]["Metadata"]) if rows else {}

    def grant(self, permission_set: str, object_name: str, field_name: str, *, edit: bool = True) -> None:
        """Grants a field to a permission set, replacing an earlier grant."""
        with self.lock:
            self.hide(object_name, field_name, permission_set=permission_set)
            key = {"ParentId": permission_set, "SobjectType": object_name, "Field": f"{object_name}.{field_name}"}
            self.load("FieldPermissions", [{**key, "PermissionsRead": True, "PermissionsEdit": edit}])

    def hide(self, object_name: str, field_name: str, *, permission_set: str | None = None) -> None:
        """Takes all grants of a field away, or those of one permission set."""
        with self.lock:
            for row in self.store.table("FieldPermissions").holding("Field", f"{object_name}.{field_name}"):
                if permission_set in (None, row["ParentId"]):
                    self.store.purge("FieldPermissions", row["Id"])

    # Within

    def object(self, name: str) -> OrgObjectType:
        """The object of that name; raises RequestError (NOT_FOUND) when there is none."""
        object_type = self.schema.find(name)
        if object_type is None:
            raise not_found()
        return object_type

    def readable(self, object_type: OrgObjectType, access: UserAccess) -> bool:
        """Whether a user reads an object through the data API."""
        return not object_type.tooling and access.may(object_type.name, "PermissionsRead")

    def now(self) -> str:
        """The present as a stamp."""
        return stamp(self.clock.now())

    def user_id(self, who: str | None) -> str:
        """The id of a user named by id, user name or full name; the admin for None. Raises LookupError."""
        if who is None:
            return self.admin_id
        for name in ("Id", "Username", "Name"):
            users = self.store.table("User").holding(name, who)
            if users:
                return str(users[0]["Id"])
        raise LookupError(f"no user {who!r}")

    def writer(self, by: str | None, at: datetime | None) -> OrgWriter:
        """The org itself, writing in the name of a user."""
        return OrgWriter(self.user_id(by), stamp(at or self.clock.now()))

    def apply_due_commits(self) -> None:
        """Makes the late commits visible whose time has come."""
        now = self.clock.now()
        due = [commit for commit in self._pending if commit.visible_at <= now]
        if not due:
            return
        self._pending = [commit for commit in self._pending if commit.visible_at > now]
        for commit in due:
            redo(commit.journal)
        self._relock()

    @contextmanager
    def commit(self, object_name: str, hidden: timedelta | None = None, at: datetime | None = None) -> Iterator[None]:
        """A transaction under the org's lock, visible at once or `hidden` (or the fault's delay) after its stamp."""
        with self.lock:
            self.apply_due_commits()
            delay = hidden or self.faults.hidden_for(object_name)
            with self.store.transaction() as journal:
                yield
            if delay and journal:
                undo(journal)
                self._pending.append(PendingCommit((at or self.clock.now()) + delay, journal))
                self._relock()
                self.apply_due_commits()

    def oldest_pending(self) -> datetime | None:
        """The stamp of the oldest write that is not visible yet."""
        stamps = [
            change.after["SystemModstamp"] for commit in self._pending for change in commit.journal if change.after
        ]
        return moment_of(min(stamps)) if stamps else None

    def _relock(self) -> None:
        changes = [change for commit in self._pending for change in commit.journal]
        self.records.locked_by_commit = {change.record_id for change in changes}
        self.records.keys_in_commit = {
            (change.table.name, spec.name, str(change.after[spec.name]).lower())
            for change in changes
            if change.after and change.table.name in self.schema.objects
            for spec in self.schema.objects[change.table.name].fields.values()
            if spec.unique and spec.name in change.after
        }

    def _wire(self, object_name: str, values: Mapping[str, Any]) -> dict[str, Any]:
        object_type = self.object(object_name)
        wire = {}
        for name, value in values.items():
            spec = object_type.find(name)
            if spec is None:
                raise KeyError(f"{object_type.name} has no field {name}")
            wire_value = from_python(value)
            wire[spec.name] = (wire_value.strip() or None) if isinstance(wire_value, str) else wire_value
        return wire

    def _trusted(self, object_type: OrgObjectType, start: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
        new = {**start, **{name: from_python(value) for name, value in row.items() if value is not None}}
        if "Id" not in new:
            new["Id"] = self.ids.next(object_type.prefix)
        modified = new.setdefault("LastModifiedDate", new["CreatedDate"])
        new.setdefault("SystemModstamp", modified)
        new.setdefault("IsDeleted", False)
        new.setdefault("CreatedById", self._admin)
        new.setdefault("LastModifiedById", self._admin)
        if object_type.name == "Case" and "CaseNumber" not in new:
            new["CaseNumber"] = self.records.next_number(object_type, object_type.fields["CaseNumber"])
        derive.derive(object_type.name, derive.Writing(self.store, new, None, modified))
        return new
