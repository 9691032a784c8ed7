"""What every org has before anybody works in it: its own record, profiles, two users, their rights, and the status tables."""

from typing import TYPE_CHECKING, Any

from adapters.sandbox.salesforce.org.permissions import OPEN_OBJECTS, RIGHTS

if TYPE_CHECKING:
    from adapters.sandbox.salesforce.org.org import PretendOrg

ADMIN_PROFILE = "System Administrator"
INTEGRATION_PROFILE = "Salesforce API Only System Integrations"
STANDARD_PROFILE = "Standard User"

# label, closed, default
_CASE_STATUSES = (("New", False, True), ("Working", False, False), ("Escalated", False, False), ("Closed", True, False))
_TASK_STATUSES = (
    ("Not Started", False, True),
    ("In Progress", False, False),
    ("Completed", True, False),
    ("Waiting on someone else", False, False),
    ("Deferred", False, False),
)
# label, high, default
_TASK_PRIORITIES = (("High", True, False), ("Normal", False, True), ("Low", False, False))
# label, probability, forecast category, its label
_STAGES = (
    ("Prospecting", 10, "Pipeline", "Pipeline"),
    ("Qualification", 10, "Pipeline", "Pipeline"),
    ("Needs Analysis", 20, "Pipeline", "Pipeline"),
    ("Value Proposition", 50, "Pipeline", "Pipeline"),
    ("Proposal/Price Quote", 75, "Pipeline", "Pipeline"),
    ("Negotiation/Review", 90, "Pipeline", "Pipeline"),
    ("Closed Won", 100, "Closed", "Closed"),
    ("Closed Lost", 0, "Omitted", "Omitted"),
)


def furnish(org: "PretendOrg") -> tuple[str, str, str]:
    """Fills a new org and returns the ids of the organization, the admin and the integration user."""
    organization = _first(
        org,
        "Organization",
        Name="Northwind Care",
        OrganizationType="Professional Edition",
        IsSandbox=False,
        TimeZoneSidKey="Europe/Helsinki",
        DefaultLocaleSidKey="en_GB",
        LanguageLocaleKey="en_US",
    )
    profiles = {
        name: _first(org, "Profile", Name=name, UserType="Standard")
        for name in (ADMIN_PROFILE, INTEGRATION_PROFILE, STANDARD_PROFILE)
    }
    admin = _user(org, ("Ada", "Admin"), profiles[ADMIN_PROFILE])
    integration = _user(org, ("Integration", "User"), profiles[INTEGRATION_PROFILE])
    for name, profile in profiles.items():
        _grant_standard(org, name, profile)
    _tables(org)
    return organization, admin, integration


def _first(org: "PretendOrg", name: str, **values: Any) -> str:
    return org.load(name, [values])[0]


def _user(org: "PretendOrg", names: tuple[str, str], profile: str) -> str:
    first, last = names
    address = f"{first}.{last}@northwind.example".lower()
    return _first(
        org,
        "User",
        FirstName=first,
        LastName=last,
        Username=address,
        Email=address,
        Alias=first[:8].lower(),
        ProfileId=profile,
        UserType="Standard",
        TimeZoneSidKey="Europe/Helsinki",
        LocaleSidKey="en_GB",
        LanguageLocaleKey="en_US",
    )


def _grant_standard(org: "PretendOrg", profile_name: str, profile: str) -> None:
    parent = _first(
        org,
        "PermissionSet",
        Name=f"X{profile}",
        Label=profile_name,
        ProfileId=profile,
        IsOwnedByProfile=True,
        Type="Profile",
    )
    for object_type in org.schema.objects.values():
        if object_type.name in OPEN_OBJECTS:
            continue
        org.load(
            "ObjectPermissions", [{"ParentId": parent, "SobjectType": object_type.name} | dict.fromkeys(RIGHTS, True)]
        )
        fields = [spec for spec in object_type.fields.values() if spec.permissionable and not spec.hidden_at_first]
        org.load(
            "FieldPermissions",
            [
                {
                    "ParentId": parent,
                    "SobjectType": object_type.name,
                    "Field": f"{object_type.name}.{spec.name}",
                    "PermissionsRead": True,
                    "PermissionsEdit": spec.writable_ever,
                }
                for spec in fields
            ],
        )


def _tables(org: "PretendOrg") -> None:
    for table, labels in (("CaseStatus", _CASE_STATUSES), ("TaskStatus", _TASK_STATUSES)):
        org.load(
            table,
            [_status(at, label, default) | {"IsClosed": closed} for at, (label, closed, default) in _numbered(labels)],
        )
    priorities = [
        _status(at, label, default) | {"IsHighPriority": high}
        for at, (label, high, default) in _numbered(_TASK_PRIORITIES)
    ]
    org.load("TaskPriority", priorities)
    stages = [
        _status(at, label, False) | _stage(chance, category) for at, (label, chance, *category) in _numbered(_STAGES)
    ]
    org.load("OpportunityStage", stages)


def _numbered(labels: Any) -> Any:
    return enumerate(labels, start=1)


def _status(order: int, label: str, default: bool) -> dict[str, Any]:
    return {"MasterLabel": label, "ApiName": label, "SortOrder": order, "IsDefault": default}


def _stage(chance: int, category: list[str]) -> dict[str, Any]:
    return {
        "IsActive": True,
        "IsClosed": chance in (0, 100),
        "IsWon": chance == 100,
        "DefaultProbability": float(chance),
        "ForecastCategory": category[0],
        "ForecastCategoryName": category[1],
    }
