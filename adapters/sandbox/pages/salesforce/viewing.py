"""Who looks at the pages, what they may see, and single values as they read them."""

from typing import Any
from zoneinfo import ZoneInfo

from adapters.sandbox.pages.shown import Shown, day, mail_address, moment, web_address
from adapters.sandbox.salesforce.org.field_values import moment_of
from adapters.sandbox.salesforce.org.org import PretendOrg
from adapters.sandbox.salesforce.org.permissions import UserAccess
from adapters.sandbox.salesforce.org.schema import Field, OrgObjectType
from adapters.sandbox.salesforce.org.store import Row

OURS = "Afterword_"
PAGED = ("Account", "Contact", "Case", "Task", "Opportunity", "User")


class OrgViewer:
    """One user at the screen: sees what field-level security shows, in their own time zone."""

    def __init__(self, org: PretendOrg, user_id: str) -> None:
        self.org = org
        self.id = user_id
        self.user = org.get("User", user_id) or {}
        self.access: UserAccess = org.permissions.of(user_id)
        self.zone = ZoneInfo(self.user.get("TimeZoneSidKey") or "UTC")

    @property
    def name(self) -> str:
        """The full name."""
        return str(self.user.get("Name", ""))

    def sees(self, object_type: OrgObjectType, name: str) -> bool:
        """Whether a field exists and is visible."""
        spec = object_type.find(name)
        return spec is not None and self.access.sees(object_type.name, spec)

    def edits(self, object_type: OrgObjectType, name: str) -> bool:
        """Whether a field exists and may be written."""
        spec = object_type.find(name)
        return spec is not None and self.access.edits(object_type.name, spec)

    def fields(self, object_type: OrgObjectType, row: Row, names: tuple[str, ...]) -> list[Shown]:
        """The visible ones of some fields, empty ones too."""
        specs = [object_type.fields[name] for name in names if name in object_type.fields]
        return [self.show(spec, row) for spec in specs if self.access.sees(object_type.name, spec)]

    def show(self, spec: Field, row: Row) -> Shown:
        """One field of a record."""
        value = row.get(spec.name)
        label = label_of(spec)
        if spec.type == "reference":
            return self._reference(spec.name, label, value)
        if spec.type == "url":
            return web_address(spec.name, label, str(value or ""))
        if spec.type == "email":
            return mail_address(spec.name, label, str(value or ""))
        if spec.name == f"{OURS}Mood__c":
            return Shown(spec.name, label, self.text(spec, value), "mood")
        return Shown(spec.name, label, self.text(spec, value), "lines" if spec.type == "textarea" else "plain")

    def text(self, spec: Field, value: Any) -> str:
        """A value in words."""
        if spec.type == "boolean":
            return "Yes" if value else "No"
        if value is None:
            return ""
        if spec.type == "datetime":
            return self.moment(value)
        if spec.type == "date":
            return day(value)
        if spec.type == "percent":
            return f"{value:g} %"
        if spec.type in ("currency", "double", "int"):
            return f"{value:,.{spec.scale}f}".removesuffix(".00")
        return str(value)

    def moment(self, text: str) -> str:
        """A stamp in the viewer's time zone."""
        return moment(moment_of(text).astimezone(self.zone))

    def _reference(self, name: str, label: str, value: str | None) -> Shown:
        object_type = self.org.schema.by_id(value) if value else None
        row = self.org.store.get(object_type.name, value) if object_type else None
        if object_type is None or row is None:
            return Shown(name, label, value or "")
        text = name_of(object_type, row)
        if object_type.name not in PAGED or row.get("IsDeleted"):
            return Shown(name, label, text)
        return Shown(name, label, text, "link", address(object_type.name, row["Id"]))


def label_of(spec: Field) -> str:
    """A field's label as pages show it: the API's labels of lookups and days say more than people want to read."""
    return spec.label.removesuffix(" ID").removesuffix(" Only")


def address(object_name: str, record_id: str) -> str:
    """Where a record is shown."""
    return f"/lightning/r/{object_name}/{record_id}/view"


def name_of(object_type: OrgObjectType, row: Row) -> str:
    """What people call a record."""
    name = object_type.name_field.name if object_type.name_field else "Subject"
    return str(row.get(name) or row["Id"])


def show_to_everybody(org: PretendOrg, prefix: str) -> list[str]:
    """Makes all custom fields that begin with `prefix` visible to all profiles, and returns them as Object.Field.

    This is the click by which an admin lets people see what a connector has made.
    """
    shown = []
    with org.lock:
        profiles = org.rows("PermissionSet", IsOwnedByProfile=True)
        for object_type in list(org.schema.objects.values()):
            for name in [field_name for field_name in object_type.fields if field_name.startswith(prefix)]:
                shown.append(f"{object_type.name}.{name}")
                for profile in profiles:
                    org.grant(profile["Id"], object_type.name, name)
    return shown
