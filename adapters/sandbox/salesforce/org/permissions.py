"""Who may see and write what: worked out from the records of permission sets, as the CRM does."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.sandbox.salesforce.errors import RowError
from adapters.sandbox.salesforce.org.schema import Field, OrgObjectType, OrgSchema
from adapters.sandbox.salesforce.org.store import OrgStore, Row

RIGHTS = ("PermissionsRead", "PermissionsCreate", "PermissionsEdit", "PermissionsDelete")
_TABLES = ("User", "PermissionSet", "PermissionSetAssignment", "FieldPermissions", "ObjectPermissions")
# Objects without rights of their own: everybody who may use the API sees them.
OPEN_OBJECTS = frozenset(
    {"User", "Group", "Profile", "PermissionSet", "PermissionSetAssignment", "FieldPermissions", "ObjectPermissions"}
    | {
        "CustomField",
        "EntityLimit",
        "FlexiPage",
        "Layout",
        "Organization",
        "RecordType",
        "CaseStatus",
        "TaskStatus",
        "TaskPriority",
        "OpportunityStage",
    }
)
ADMIN_OBJECTS = frozenset(
    {"User", "Group", "PermissionSet", "PermissionSetAssignment", "FieldPermissions", "ObjectPermissions"}
)


@dataclass(frozen=True)
class UserAccess:
    """The rights of one user at one moment."""

    admin: bool
    objects: Mapping[str, frozenset[str]] = field(default_factory=dict)
    readable: frozenset[tuple[str, str]] = frozenset()
    editable: frozenset[tuple[str, str]] = frozenset()

    def may(self, object_name: str, right: str) -> bool:
        """Whether the user has one of the four RIGHTS to records of the object."""
        if object_name in OPEN_OBJECTS:
            return right == "PermissionsRead" or (self.admin and object_name in ADMIN_OBJECTS)
        return right in self.objects.get(object_name, frozenset())

    def sees(self, object_name: str, spec: Field) -> bool:
        """Whether field-level security shows the field."""
        return object_name in OPEN_OBJECTS or not spec.permissionable or (object_name, spec.name) in self.readable

    def edits(self, object_name: str, spec: Field) -> bool:
        """Whether field-level security lets the user write the field."""
        return object_name in OPEN_OBJECTS or not spec.permissionable or (object_name, spec.name) in self.editable


class Permissions:
    """Answers for each user, kept until a record that decides them changes."""

    def __init__(self, store: OrgStore, schema: OrgSchema) -> None:
        self._store = store
        self._schema = schema
        self._version: tuple[int, ...] = ()
        self._known: dict[str, UserAccess] = {}

    @property
    def version(self) -> tuple[int, ...]:
        """Differs whenever the schema or a record that decides rights has changed."""
        return (self._schema.version, *(self._store.table(name).version for name in _TABLES))

    def of(self, user_id: str) -> UserAccess:
        """The rights of a user."""
        if self.version != self._version:
            self._version = self.version
            self._known.clear()
        if user_id not in self._known:
            self._known[user_id] = self._work_out(user_id)
        return self._known[user_id]

    def sets_of(self, user_id: str) -> list[str]:
        """The permission sets that hold for a user: that of the profile, and the assigned ones."""
        user = self._store.get("User", user_id) or {}
        owned = self._store.table("PermissionSet").holding("ProfileId", user.get("ProfileId"))
        assigned = self._store.table("PermissionSetAssignment").holding("AssigneeId", user_id)
        return [row["Id"] for row in owned] + [row["PermissionSetId"] for row in assigned if not row["IsDeleted"]]

    def _work_out(self, user_id: str) -> UserAccess:
        readable: set[tuple[str, str]] = set()
        editable: set[tuple[str, str]] = set()
        rights: defaultdict[str, set[str]] = defaultdict(set)
        for parent in self.sets_of(user_id):
            for grant in self._grants("FieldPermissions", parent):
                key = (grant["SobjectType"], grant["Field"].partition(".")[2])
                if grant.get("PermissionsRead"):
                    readable.add(key)
                if grant.get("PermissionsEdit"):
                    editable.add(key)
            for grant in self._grants("ObjectPermissions", parent):
                rights[grant["SobjectType"]].update(right for right in RIGHTS if grant.get(right))
        objects = {name: frozenset(granted) for name, granted in rights.items()}
        return UserAccess(self._is_admin(user_id), objects, frozenset(readable), frozenset(editable))

    def _grants(self, table: str, parent: str) -> list[Row]:
        return [row for row in self._store.table(table).holding("ParentId", parent) if not row["IsDeleted"]]

    def _is_admin(self, user_id: str) -> bool:
        user = self._store.get("User", user_id) or {}
        profile = self._store.get("Profile", user.get("ProfileId")) or {}
        return profile.get("Name") == "System Administrator"


def check_grant(schema: OrgSchema, new: Mapping[str, Any]) -> None:
    """Refuses a field permission that cannot exist.

    Raises RowError: unknown field, required field, edit without read, neither of both.
    """
    object_name, _, name = str(new.get("Field") or "").partition(".")
    object_type = schema.find(object_name)
    spec = object_type.find(name) if object_type else None
    if object_type is None or spec is None or object_type.name != new.get("SobjectType"):
        raise RowError(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"Field Name: bad value for restricted picklist field: {new.get('Field')}",
            ["Field"],
        )
    if not spec.permissionable:
        raise RowError(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"Field Name: bad value for restricted picklist field: {new.get('Field')}",
            ["Field"],
        )
    if not new.get("PermissionsRead"):
        problem = (
            "Permission Edit depends on permission(s): Read"
            if new.get("PermissionsEdit")
            else "No permission is granted"
        )
        raise RowError("FIELD_INTEGRITY_EXCEPTION", problem, ["PermissionsRead"])


def visible_fields(object_type: OrgObjectType, access: UserAccess) -> list[Field]:
    """The fields of an object that a user sees, in the order of the schema."""
    return [spec for spec in object_type.fields.values() if access.sees(object_type.name, spec)]
