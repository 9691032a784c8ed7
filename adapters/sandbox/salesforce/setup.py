"""Custom fields and page layouts as the org keeps them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from adapters.sandbox.salesforce.org.schema import Field
from adapters.sandbox.salesforce.org.store import Row

if TYPE_CHECKING:
    from adapters.sandbox.salesforce.org.org import PretendOrg

ENTITIES = frozenset({"Account", "Contact", "Lead", "Opportunity", "Case", "User", "Activity"})
"""What custom fields can be defined on."""
_LAYOUTS: dict[str, dict[str, tuple[tuple[str, ...], ...]]] = {
    "Account": {
        "Account Information": (
            ("OwnerId", "Name", "ParentId", "AccountNumber", "Type", "Industry"),
            ("Rating", "Phone", "Fax", "Website", "AnnualRevenue", "NumberOfEmployees"),
        ),
        "Address Information": (("BillingAddress",), ()),
        "Description Information": (("Description",),),
    },
    "Contact": {
        "Contact Information": (
            ("OwnerId", "Name", "AccountId", "Title", "Department"),
            ("Phone", "MobilePhone", "Email", "ReportsToId"),
        ),
        "Address Information": (("MailingAddress",), ()),
    },
    "Case": {
        "Case Information": (
            ("OwnerId", "CaseNumber", "ContactId", "AccountId"),
            ("Status", "Priority", "Origin", "Type"),
        ),
        "Description Information": (("Subject", "Description"),),
    },
    "Task": {
        "Task Information": (("OwnerId", "Subject", "ActivityDate", "WhoId"), ("Status", "Priority", "WhatId")),
        "Description Information": (("Description",),),
    },
    "Opportunity": {
        "Opportunity Information": (("OwnerId", "Name", "AccountId"), ("StageName", "CloseDate", "Amount"))
    },
}


def lay_out(org: "PretendOrg") -> None:
    """Makes the standard layouts; they do not gain new fields by themselves."""
    for name, sections in _LAYOUTS.items():
        shown = [_section(label, columns) for label, columns in sections.items()]
        row = {"Name": f"{name} Layout", "TableEnumOrId": name, "EntityDefinitionId": name, "LayoutType": "Standard"}
        org.load("Layout", [row | {"FullName": f"{name}-{name} Layout", "Metadata": {"layoutSections": shown}}])


def place_dynamically(org: "PretendOrg", object_name: str, label: str, fields: Iterable[str]) -> str:
    """Makes a Lightning page that shows fields of its own, whatever the page layout says; returns its id."""
    items = [{"fieldInstance": {"fieldItem": f"Record.{name}", "identifier": name}} for name in fields]
    components = [{"componentInstance": {"componentName": "force:relatedListContainer"}}]
    regions = [{"name": "Facet-fields", "type": "Facet", "itemInstances": items}]
    metadata = {"flexiPageRegions": [*regions, {"name": "main", "type": "Region", "itemInstances": components}]}
    name = label.replace(" ", "_")
    row = {"DeveloperName": name, "FullName": name, "MasterLabel": label, "Type": "RecordPage", "Metadata": metadata}
    return org.load("FlexiPage", [row | {"EntityDefinitionId": object_name}])[0]


def _section(label: str, columns: tuple[tuple[str, ...], ...]) -> dict[str, Any]:
    items = [{"layoutItems": [{"behavior": "Edit", "field": name} for name in column]} for column in columns]
    style = "TwoColumnsTopToBottom" if len(columns) == 2 else "OneColumn"
    flags = {"customLabel": False, "detailHeading": True, "editHeading": True}
    return {"label": label, "style": style, **flags, "layoutColumns": items}


def field_row(entity: str, spec: Field, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """A custom field as a record of the Tooling API."""
    return {
        "DeveloperName": spec.name.removesuffix("__c"),
        "TableEnumOrId": entity,
        "EntityDefinitionId": entity,
        "ManageableState": "unmanaged",
        "Length": spec.length or None,
        "Precision": spec.precision or None,
        "Scale": spec.scale if spec.precision else None,
        "InlineHelpText": spec.help_text,
        "FullName": f"{entity}.{spec.name}",
        "Metadata": dict(metadata),
    }


def measure(org: "PretendOrg") -> None:
    """Keeps the records that tell how many custom fields each object may have, and how many more."""
    known = {row["EntityDefinitionId"]: row for row in org.rows("EntityLimit")}
    for entity in sorted(ENTITIES):
        left = max(0, org.most_fields - len(org.rows("CustomField", TableEnumOrId=entity)))
        row: dict[str, Any] = {"EntityDefinitionId": entity, "Type": "CustomFields", "Label": "Custom Fields"}
        row |= {"Max": org.most_fields, "Remaining": left}
        if entity in known:
            org.store.put("EntityLimit", {**known[entity], **row})
        else:
            org.load("EntityLimit", [row])


def drop_values(org: "PretendOrg", row: Row) -> None:
    """Takes a deleted field's values and grants away."""
    name = f"{row['DeveloperName']}__c"
    for holder in org.schema.holders(row["TableEnumOrId"]):
        org.hide(holder.name, name)
        for record in [record for record in org.store.table(holder.name).rows.values() if name in record]:
            org.store.put(holder.name, {key: value for key, value in record.items() if key != name})


def as_custom(spec: Field) -> Field:
    """A field as a custom one; an external id can be looked up."""
    return replace(spec, custom=True, id_lookup=spec.id_lookup or spec.external_id)
