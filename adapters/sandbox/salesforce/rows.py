"""Writing records: what is checked, in which order, and what else a write moves."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.sandbox.faults import Faults
from adapters.sandbox.salesforce.errors import RowError, SalesforceError, not_found, not_writable
from adapters.sandbox.salesforce.org import derive
from adapters.sandbox.salesforce.org.field_values import check
from adapters.sandbox.salesforce.org.ids import IdSequence, to_18, well_formed
from adapters.sandbox.salesforce.org.permissions import UserAccess, check_grant
from adapters.sandbox.salesforce.org.schema import Field, OrgObjectType, OrgSchema
from adapters.sandbox.salesforce.org.store import OrgStore, Row

Values = Mapping[str, Any]
_CASCADES = {"Account": (("Contact", "AccountId"), ("Opportunity", "AccountId"))}
_CASCADES |= {"PermissionSet": (("FieldPermissions", "ParentId"), ("ObjectPermissions", "ParentId"))}
# What exists once at most: a second record with the same values is refused.
_ONCE = {
    "PermissionSet": ("Name",),
    "FieldPermissions": ("ParentId", "Field"),
    "ObjectPermissions": ("ParentId", "SobjectType"),
    "PermissionSetAssignment": ("PermissionSetId", "AssigneeId"),
}


@dataclass(frozen=True)
class OrgWriter:
    """Who writes, when (a stamp), and with which rights.

    Without `access` the org itself writes: neither field-level security nor a fault hinders it. `allows_duplicates` passes by
    the duplicate rules.
    """

    user: str
    at: str
    access: UserAccess | None = None
    allows_duplicates: bool = False


class OrgRecords:
    """Insert, update, upsert, delete, undelete and merge of single records; each raises RowError when it is refused."""

    def __init__(self, store: OrgStore, schema: OrgSchema, ids: IdSequence, faults: Faults) -> None:
        self._store = store
        self._schema = schema
        self._ids = ids
        self._faults = faults
        self._numbers: dict[str, int] = {}
        self.locked_by_commit: set[str] = set()
        self.keys_in_commit: set[tuple[str, str, str]] = set()

    def insert(self, object_type: OrgObjectType, values: Values, writer: OrgWriter) -> str:
        """Makes a record and returns its id."""
        self._may(object_type, "PermissionsCreate", writer)
        self._strike(object_type, "insert", values, writer)
        self._writable(object_type, values, writer, creating=True)
        new = self._checked(object_type, values, {}, writer)
        self._fill_defaults(object_type, new, writer)
        new |= {
            "Id": self._ids.next(object_type.prefix),
            "IsDeleted": False,
            "CreatedDate": writer.at,
            "CreatedById": writer.user,
        }
        return self._finish(object_type, new, None, writer)

    def update(self, object_type: OrgObjectType, record_id: str, values: Values, writer: OrgWriter) -> str:
        """Changes a record; even one that changes nothing moves its stamps."""
        old = self.existing(object_type, record_id)
        self._may(object_type, "PermissionsEdit", writer)
        self._strike(object_type, "update", {"Id": old["Id"], **values}, writer)
        self._free(old["Id"], writer)
        self._writable(object_type, values, writer, creating=False)
        return self._finish(object_type, self._checked(object_type, values, old, writer), old, writer)

    def upsert(
        self, object_type: OrgObjectType, key: tuple[Field, str], values: Values, writer: OrgWriter
    ) -> tuple[str, bool]:
        """Updates the record whose key field holds the value, or makes it; says whether it was made."""
        spec, text = key
        matches = self.matches(object_type, spec, text)
        if len(matches) > 1:
            listed = ", ".join(row["Id"][:15] for row in matches)
            message = f"{spec.label}: more than one record found for external id field: [{listed}]"
            raise RowError("DUPLICATE_EXTERNAL_ID", message, [spec.name])
        if matches:
            return self.update(object_type, matches[0]["Id"], values, writer), False
        if spec.name == "Id":
            raise RowError("NOT_FOUND", "The requested resource does not exist")
        return self.insert(object_type, {**values, spec.name: text}, writer), True

    def delete(self, object_type: OrgObjectType, record_id: str, writer: OrgWriter) -> None:
        """Moves a record to the bin, with the contacts and opportunities of an account; records of the set-up have none."""
        old = self.existing(object_type, record_id)
        self._may(object_type, "PermissionsDelete", writer)
        self._strike(object_type, "delete", {"Id": old["Id"]}, writer)
        self._free(old["Id"], writer)
        if object_type.name == "Account":
            self._no_cases(old)
        if object_type.name == "PermissionSet":
            self._assigned_to_nobody(old)
        for child, lookup in _CASCADES.get(object_type.name, ()):
            for row in self._store.table(child).holding(lookup, old["Id"]):
                if not row["IsDeleted"]:
                    self._discard(child, row, writer)
        self._discard(object_type.name, old, writer)

    def _discard(self, name: str, row: Row, writer: OrgWriter) -> None:
        """Records of people go to the bin; those of the set-up are gone at once."""
        if self._schema.objects[name].has_bin:
            self._stamp(name, {**row, "IsDeleted": True}, writer)
        else:
            self._store.purge(name, row["Id"])

    def undelete(self, object_type: OrgObjectType, record_id: str, writer: OrgWriter) -> None:
        """Takes a record out of the bin."""
        old = self._store.get(object_type.name, to_18(record_id))
        if old is None or not old["IsDeleted"]:
            raise RowError("UNDELETE_FAILED", "Entity is not in the recycle bin")
        self._stamp(object_type.name, {**old, "IsDeleted": False}, writer)

    def purge(self, object_type: OrgObjectType, record_id: str, writer: OrgWriter) -> None:
        """Deletes for good: afterwards not even queryAll shows the record."""
        row = self._store.get(object_type.name, to_18(record_id))
        if row is None:
            raise not_found()
        self._store.table(object_type.name).purged.append((writer.at, row["Id"]))
        self._store.purge(object_type.name, row["Id"])

    def merge(self, object_type: OrgObjectType, winner_id: str, loser_ids: list[str], writer: OrgWriter) -> None:
        """Merges records: the losers go to the bin and point to the winner, their children move to it."""
        winner = self.existing(object_type, winner_id)
        for loser_id in loser_ids:
            loser = self.existing(object_type, loser_id)
            self._reparent(object_type, loser["Id"], winner["Id"], writer)
            self._stamp(object_type.name, {**loser, "IsDeleted": True, "MasterRecordId": winner["Id"]}, writer)
        self._stamp(object_type.name, winner, writer)

    def existing(self, object_type: OrgObjectType, record_id: str) -> Row:
        """The live record behind an id of 15 or 18 characters."""
        row = self._store.get(object_type.name, to_18(record_id)) if well_formed(record_id) else None
        if row is None:
            raise not_found()
        if row["IsDeleted"]:
            raise RowError("ENTITY_IS_DELETED", "entity is deleted")
        return row

    def matches(self, object_type: OrgObjectType, spec: Field, text: str) -> list[Row]:
        """The live records whose key field holds the value."""
        if spec.name == "Id":
            row = self._store.get(object_type.name, to_18(text)) if well_formed(text) else None
            return [row] if row and not row["IsDeleted"] else []
        holders = self._store.table(object_type.name).holding(spec.name, text)
        return [row for row in holders if not row["IsDeleted"] and (not spec.case_sensitive or row[spec.name] == text)]

    def _may(self, object_type: OrgObjectType, right: str, writer: OrgWriter) -> None:
        if writer.access is not None and not writer.access.may(object_type.name, right):
            raise RowError("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")

    def _strike(self, object_type: OrgObjectType, operation: str, values: Values, writer: OrgWriter) -> None:
        if writer.access is None:
            return
        fault = self._faults.for_row(object_type.name, operation, values)
        if fault and not (writer.allows_duplicates and fault.code == "DUPLICATES_DETECTED"):
            raise RowError(fault.code, fault.message, fault.fields)

    def _free(self, record_id: str, writer: OrgWriter) -> None:
        hindered = writer.access is not None and self._faults.locks(record_id)
        if hindered or record_id in self.locked_by_commit:
            message = f"unable to obtain exclusive access to this record or 1 records: {record_id}"
            raise RowError("UNABLE_TO_LOCK_ROW", message)

    def _writable(self, object_type: OrgObjectType, values: Values, writer: OrgWriter, *, creating: bool) -> None:
        if writer.access is None:
            return
        refused = []
        for name in values:
            spec = object_type.fields[name]
            allowed = spec.createable if creating else spec.updateable
            if not (allowed and writer.access.edits(object_type.name, spec)):
                refused.append(name)
        if refused:
            raise not_writable(refused)

    def _checked(self, object_type: OrgObjectType, values: Values, old: Row, writer: OrgWriter) -> dict[str, Any]:
        new = dict(old)
        for name, value in values.items():
            spec = object_type.fields[name]
            good = check(spec, value)
            if good is None and spec.type != "boolean":
                new.pop(name, None)
                continue
            new[name] = good if good is not None else False
            if spec.refers_to and good != old.get(name):
                self._point_right(spec, good, writer)
        return new

    def _point_right(self, spec: Field, record_id: str, writer: OrgWriter) -> None:
        target = self._schema.by_id(record_id)
        if target is None or target.name not in spec.refers_to:
            message = f"{spec.label}: id value of incorrect type: {record_id}"
            raise RowError("FIELD_INTEGRITY_EXCEPTION", message, [spec.name])
        row = self._store.get(target.name, record_id)
        if row is None or row["IsDeleted"]:
            raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [spec.name])
        self._free(record_id, writer)

    def _fill_defaults(self, object_type: OrgObjectType, new: dict[str, Any], writer: OrgWriter) -> None:
        for spec in object_type.fields.values():
            if spec.name in new:
                continue
            if spec.default is not None:
                new[spec.name] = spec.default
            elif spec.type == "boolean":
                new[spec.name] = False
            elif spec.name == "OwnerId":
                new[spec.name] = writer.user
            elif spec.auto_number:
                new[spec.name] = self.next_number(object_type, spec)

    def next_number(self, object_type: OrgObjectType, spec: Field) -> str:
        """The next automatic number of an object, with eight digits."""
        if object_type.name not in self._numbers:
            taken = (row.get(spec.name, "") for row in self._store.table(object_type.name).rows.values())
            self._numbers[object_type.name] = max((int(text) for text in taken if text.isdigit()), default=1000)
        self._numbers[object_type.name] += 1
        return f"{self._numbers[object_type.name]:08d}"

    def _finish(self, object_type: OrgObjectType, new: dict[str, Any], old: Row | None, writer: OrgWriter) -> str:
        self._complete(object_type, new)
        self._owner_works_here(object_type, new, old)
        self._unique(object_type, new)
        self._once(object_type, new)
        if object_type.name == "FieldPermissions":
            check_grant(self._schema, new)
        derive.derive(object_type.name, derive.Writing(self._store, new, old, writer.at))
        stored = self._stamp(object_type.name, new, writer)
        for touched in dict.fromkeys(
            derive.touched_by(object_type.name, old or {}) + derive.touched_by(object_type.name, stored)
        ):
            self._move_activity(object_type.name, touched, stored)
        return str(stored["Id"])

    def _complete(self, object_type: OrgObjectType, new: Row) -> None:
        missing = [spec.name for spec in object_type.fields.values() if spec.demanded and spec.name not in new]
        if missing:
            raise RowError("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", missing)

    def _owner_works_here(self, object_type: OrgObjectType, new: Row, old: Row | None) -> None:
        owner = new.get("OwnerId")
        if not owner or owner == (old or {}).get("OwnerId") or not owner.startswith("005"):
            return
        if not (self._store.get("User", owner) or {}).get("IsActive", True):
            message = f"operation performed with inactive user [{owner[:15]}] as owner of {object_type.name.lower()}"
            raise RowError("INACTIVE_OWNER_OR_USER", message, ["OwnerId"])

    def _unique(self, object_type: OrgObjectType, new: Row) -> None:
        for spec in object_type.fields.values():
            if not spec.unique or spec.name not in new:
                continue
            if (object_type.name, spec.name, str(new[spec.name]).lower()) in self.keys_in_commit:
                raise RowError("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")
            for other in self.matches(object_type, spec, new[spec.name]):
                if other["Id"] != new["Id"]:
                    where = f"{spec.name} duplicates value on record with id: {other['Id'][:15]}"
                    raise RowError("DUPLICATE_VALUE", f"duplicate value found: {where}", [spec.name])

    def _once(self, object_type: OrgObjectType, new: Row) -> None:
        names = _ONCE.get(object_type.name)
        if names is None:
            return
        for other in self._store.table(object_type.name).holding(names[0], new.get(names[0])):
            if other["Id"] != new["Id"] and all(other.get(name) == new.get(name) for name in names):
                code = "DUPLICATE_DEVELOPER_NAME" if object_type.name == "PermissionSet" else "DUPLICATE_VALUE"
                where = f"{names[-1]} duplicates value on record with id: {other['Id'][:15]}"
                raise RowError(code, f"duplicate value found: {where}", list(names))

    def _stamp(self, name: str, row: Row, writer: OrgWriter) -> Row:
        stamps = {"LastModifiedDate": writer.at, "LastModifiedById": writer.user, "SystemModstamp": writer.at}
        stored = {**row, **stamps}
        self._store.put(name, stored)
        return stored

    def _move_activity(self, kind: str, record_id: str, activity: Row) -> None:
        target = self._schema.by_id(record_id)
        row = self._store.get(target.name, record_id) if target else None
        if target is None or row is None or row["IsDeleted"]:
            return
        moved = {**row, "SystemModstamp": max(row["SystemModstamp"], activity["SystemModstamp"])}
        day = derive.activity_date(kind, activity)
        if day and "LastActivityDate" in target.fields:
            moved["LastActivityDate"] = max(day, row.get("LastActivityDate", day))
        self._store.put(target.name, moved)

    def _no_cases(self, account: Row) -> None:
        cases = [row for row in self._store.table("Case").holding("AccountId", account["Id"]) if not row["IsDeleted"]]
        if cases:
            numbers = ", ".join(row["CaseNumber"] for row in cases)
            raise RowError(
                "DELETE_FAILED",
                f"Your attempt to delete {account['Name']} could not be completed because it is associated with the "
                f"following cases.: {numbers}",
            )

    def _assigned_to_nobody(self, permission_set: Row) -> None:
        if self._store.table("PermissionSetAssignment").holding("PermissionSetId", permission_set["Id"]):
            raise RowError("DELETE_FAILED", "You can't delete a permission set that is assigned to users")

    def _reparent(self, object_type: OrgObjectType, loser: str, winner: str, writer: OrgWriter) -> None:
        for child, spec in self._schema.lookups_to(object_type.name):
            if spec.name == "MasterRecordId":
                continue
            for row in self._store.table(child.name).holding(spec.name, loser):
                self._store.put(child.name, {**row, spec.name: winner, "SystemModstamp": writer.at})


def as_row_error(error: SalesforceError) -> RowError:
    """A refusal of a whole call as one of a record, for calls that carry many."""
    return error if isinstance(error, RowError) else RowError(error.code, error.message, error.fields)
