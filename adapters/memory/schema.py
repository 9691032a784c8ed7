"""The objects of the CRM in memory: a small Salesforce, by its own names."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from connector.ports import FieldSchema, ObjectSchema

MANAGED = (
    "Id",
    "IsDeleted",
    "MasterRecordId",
    "CreatedDate",
    "LastModifiedDate",
    "SystemModstamp",
    "CreatedById",
    "LastModifiedById",
)
"""Fields that the CRM itself keeps, on every object."""


def field(name: str, kind: str = "text", **more: Any) -> FieldSchema:
    """Return a field of type `kind`; `label` is the name unless given."""
    return FieldSchema(name=name, label=more.pop("label", name), type=kind, **more)


def text(name: str, length: int = 255, **more: Any) -> FieldSchema:
    """Return a text field of `length` characters."""
    return field(name, length=length, **more)


def picklist(name: str, *options: str, **more: Any) -> FieldSchema:
    """Return a picklist that takes other values too, unless `restricted`."""
    return field(name, "picklist", options=options, **more)


def lookup(name: str, *objects: str, **more: Any) -> FieldSchema:
    """Return a reference to a record of one of these objects."""
    return field(name, "reference", references=objects, **more)


def computed(name: str, kind: str, **more: Any) -> FieldSchema:
    """Return a field that follows from others, so that nobody can write it."""
    return field(name, kind, createable=False, updateable=False, **more)


def number(name: str, precision: int, scale: int = 0) -> FieldSchema:
    """Return a number field of `precision` digits in all, `scale` of them behind the point."""
    return field(name, "number", precision=precision, scale=scale)


@dataclass(frozen=True, slots=True)
class ObjectDef:
    """One kind of record: how its ids begin, its fields, and which records go when one is deleted."""

    name: str
    prefix: str
    fields: Mapping[str, FieldSchema]
    defaults: Mapping[str, Any]
    cascades: tuple[tuple[str, str], ...] = ()
    """(object, lookup field): records that are deleted together with the one they point at."""

    def with_field(self, added: FieldSchema) -> "ObjectDef":
        """Return the object with one more field (or another one of that name)."""
        return replace(self, fields={**self.fields, added.name: added})

    def without_field(self, name: str) -> "ObjectDef":
        """Return the object with a field less."""
        return replace(self, fields={key: value for key, value in self.fields.items() if key != name})

    def describe(self, hidden: frozenset[str]) -> ObjectSchema:
        """Return what a user sees for whom these fields are hidden."""
        shown = {name: field for name, field in self.fields.items() if name not in hidden}
        return ObjectSchema(name=self.name, label=self.name, fields=shown)


def make(name: str, prefix: str, *fields: FieldSchema, **more: Any) -> ObjectDef:
    """Return an object with these fields and those that every object has."""
    managed = (
        computed("Id", "id"),
        computed("IsDeleted", "boolean"),
        computed("MasterRecordId", "reference", references=(name,)),
        computed("CreatedDate", "datetime"),
        computed("LastModifiedDate", "datetime"),
        computed("SystemModstamp", "datetime"),
        computed("CreatedById", "reference", references=("User",)),
        computed("LastModifiedById", "reference", references=("User",)),
    )
    return ObjectDef(
        name, prefix, {field.name: field for field in (*managed, *fields)}, more.pop("defaults", {}), **more
    )


PRIORITIES = ("High", "Normal", "Low")
CLOSED_CASE = "Closed"
DONE_TASK = "Completed"
WON = "Closed Won"
LOST = "Closed Lost"

OWNER = lookup("OwnerId", "User", "Group")
WHO = lookup("WhoId", "Contact", "Lead")
WHAT = lookup("WhatId", "Account", "Opportunity", "Case")
TOOK_PART = computed("Participants", "reference", references=("Contact", "Lead"))
DERIVED_ACCOUNT = computed("AccountId", "reference", references=("Account",))


def small_org() -> dict[str, ObjectDef]:
    """Return the objects of a plain org, without any field of ours."""
    return {
        object_def.name: object_def
        for object_def in (_user(), _account(), _contact(), _case(), _task(), _event(), _opportunity())
    }


def _user() -> ObjectDef:
    return make(
        "User",
        "005",
        text("Name", 121, required=True),
        field("Email", "email", length=128),
        field("IsActive", "boolean"),
        text("TimeZoneSidKey", 40),
        lookup("ManagerId", "User"),
        text("UserType", 40),
        defaults={"IsActive": True, "TimeZoneSidKey": "Europe/Helsinki", "UserType": "Standard"},
    )


def _account() -> ObjectDef:
    return make(
        "Account",
        "001",
        text("Name", required=True),
        picklist("Type", "Prospect", "Customer - Direct", "Customer - Channel", "Other"),
        lookup("ParentId", "Account"),
        OWNER,
        text("Industry", 40),
        number("NumberOfEmployees", 8),
        number("AnnualRevenue", 18),
        picklist("Rating", "Hot", "Warm", "Cold"),
        text("BillingCountry", 80),
        field("Website", "url", length=255),
        text("Description", 32_000, filterable=False),
        computed("LastActivityDate", "date"),
        cascades=(("Contact", "AccountId"), ("Opportunity", "AccountId")),
    )


def _contact() -> ObjectDef:
    return make(
        "Contact",
        "003",
        text("LastName", 80, required=True),
        text("FirstName", 40),
        computed("Name", "text", length=121),
        lookup("AccountId", "Account"),
        field("Email", "email", length=80),
        text("Title", 128),
        text("Department", 80),
        picklist("LeadSource", "Web", "Phone Inquiry", "Partner Referral", "Other"),
        text("Language__c", 20, label="Language"),
        field("HasOptedOutOfEmail", "boolean"),
        OWNER,
    )


def _case() -> ObjectDef:
    return make(
        "Case",
        "500",
        computed("CaseNumber", "text", length=30),
        text("Subject"),
        picklist("Status", "New", "Working", "Escalated", CLOSED_CASE, required=True),
        picklist("Priority", "High", "Medium", "Low"),
        picklist("Origin", "Phone", "Email", "Web"),
        picklist("Type", "Mechanical", "Electrical", "Other"),
        picklist("Reason", "Installation", "Performance", "Feedback", "Other"),
        text("Description", 32_000, filterable=False),
        lookup("AccountId", "Account"),
        lookup("ContactId", "Contact"),
        TOOK_PART,
        OWNER,
        computed("IsClosed", "boolean"),
        computed("ClosedDate", "datetime"),
        defaults={"Status": "New", "Priority": "Medium"},
    )


def _task() -> ObjectDef:
    return make(
        "Task",
        "00T",
        text("Subject"),
        text("Description", 32_000, filterable=False),
        picklist("Status", "Not Started", "In Progress", DONE_TASK, "Deferred", required=True),
        picklist("Priority", *PRIORITIES, required=True),
        field("ActivityDate", "date"),
        picklist("TaskSubtype", "Task", "Call", "Email", restricted=True, updateable=False),
        picklist("CallType", "Internal", "Inbound", "Outbound"),
        number("CallDurationInSeconds", 8),
        WHO,
        TOOK_PART,
        WHAT,
        DERIVED_ACCOUNT,
        OWNER,
        computed("IsClosed", "boolean"),
        computed("CompletedDateTime", "datetime"),
        defaults={"Status": "Not Started", "Priority": "Normal", "TaskSubtype": "Task"},
    )


def _event() -> ObjectDef:
    return make(
        "Event",
        "00U",
        text("Subject"),
        text("Location"),
        field("StartDateTime", "datetime", required=True),
        field("EndDateTime", "datetime", required=True),
        field("IsPrivate", "boolean"),
        field("IsChild", "boolean"),
        field("IsRecurrence", "boolean"),
        field("IsAllDayEvent", "boolean"),
        WHO,
        TOOK_PART,
        WHAT,
        DERIVED_ACCOUNT,
        OWNER,
    )


def _opportunity() -> ObjectDef:
    return make(
        "Opportunity",
        "006",
        text("Name", 120, required=True),
        picklist("StageName", "Prospecting", "Negotiation/Review", WON, LOST, required=True),
        field("CloseDate", "date", required=True),
        number("Amount", 18, 2),
        picklist("Type", "Existing Customer - Upgrade", "New Customer"),
        picklist("LeadSource", "Web", "Phone Inquiry", "Partner Referral", "Other"),
        lookup("AccountId", "Account"),
        lookup("ContactId", "Contact"),
        TOOK_PART,
        OWNER,
        computed("IsClosed", "boolean"),
        computed("IsWon", "boolean"),
        computed("LastStageChangeDate", "datetime"),
    )
