"""What an object and its fields are, in the attributes of the vendor's describe."""

from typing import TYPE_CHECKING, Any

from adapters.sandbox.salesforce.org.permissions import UserAccess, visible_fields
from adapters.sandbox.salesforce.org.schema import NUMBER_TYPES, Field, OrgObjectType
from adapters.sandbox.salesforce.org.store import OrgStore

if TYPE_CHECKING:
    from adapters.sandbox.salesforce.org.org import PretendOrg

_SOAP = {"boolean": "xsd:boolean", "int": "xsd:int", "date": "xsd:date", "datetime": "xsd:dateTime", "id": "tns:ID"}
_SOAP |= {"double": "xsd:double", "currency": "xsd:double", "percent": "xsd:double", "reference": "tns:ID"}
_CUSTOM_SETTING_FREE = ("deprecatedAndHidden", "customSetting", "feedEnabled")


def object_summary(object_type: OrgObjectType, access: UserAccess, version: str) -> dict[str, Any]:
    """An object as the list of objects shows it."""
    base = f"/services/data/v{version}/sobjects/{object_type.name}"
    return {
        "name": object_type.name,
        "label": object_type.label,
        "labelPlural": object_type.plural,
        "keyPrefix": object_type.prefix,
        "custom": object_type.custom,
        "createable": access.may(object_type.name, "PermissionsCreate"),
        "updateable": access.may(object_type.name, "PermissionsEdit"),
        "deletable": access.may(object_type.name, "PermissionsDelete"),
        "undeletable": access.may(object_type.name, "PermissionsDelete"),
        "queryable": True,
        "retrieveable": True,
        "replicateable": "SystemModstamp" in object_type.fields,
        "searchable": True,
        "layoutable": True,
        "mergeable": object_type.name in {"Account", "Contact", "Lead", "Case"},
        "triggerable": True,
        **dict.fromkeys(_CUSTOM_SETTING_FREE, False),
        "urls": {"sobject": base, "describe": f"{base}/describe", "rowTemplate": f"{base}/{{ID}}"},
    }


def describe(object_type: OrgObjectType, access: UserAccess, org: "PretendOrg", version: str) -> dict[str, Any]:
    """The full description of an object for one user: hidden fields are absent."""
    fields = [describe_field(object_type, spec, access, org.store) for spec in visible_fields(object_type, access)]
    children = [
        {
            "childSObject": child.name,
            "field": lookup.name,
            "relationshipName": child.plural.replace(" ", ""),
            "cascadeDelete": False,
        }
        for child, lookup in org.schema.lookups_to(object_type.name)
        if org.readable(child, access) and access.sees(child.name, lookup)
    ]
    summary = object_summary(object_type, access, version)
    return summary | {"fields": fields, "childRelationships": children, "recordTypeInfos": []}


def describe_field(object_type: OrgObjectType, spec: Field, access: UserAccess, store: OrgStore) -> dict[str, Any]:
    """One field as one user sees it; not editable ones show createable and updateable as false."""
    editable = access.edits(object_type.name, spec)
    text = spec.length if spec.type not in NUMBER_TYPES else 0
    return {
        "aggregatable": spec.filterable and spec.type != "boolean",
        "aiPredictionField": False,
        "autoNumber": spec.auto_number,
        "byteLength": text if spec.type in {"id", "reference"} else text * 3,
        "calculated": spec.path is not None,
        "calculatedFormula": None,
        "cascadeDelete": False,
        "caseSensitive": spec.case_sensitive,
        "compoundFieldName": None,
        "createable": spec.createable and editable,
        "custom": spec.custom,
        "defaultValue": False if spec.type == "boolean" else None,
        "defaultedOnCreate": spec.type == "boolean" or spec.default is not None or spec.auto_number or _by_system(spec),
        "dependentPicklist": False,
        "deprecatedAndHidden": False,
        "digits": spec.precision if spec.type == "int" else 0,
        "encrypted": False,
        "externalId": spec.external_id,
        "extraTypeInfo": "plaintextarea" if spec.type == "textarea" else None,
        "filterable": spec.filterable,
        "groupable": spec.filterable and spec.type not in {"datetime", "double", "currency", "percent"},
        "htmlFormatted": False,
        "idLookup": spec.id_lookup,
        "inlineHelpText": spec.help_text,
        "label": spec.label,
        "length": text,
        "name": spec.name,
        "nameField": spec.name_field,
        "namePointing": spec.polymorphic,
        "nillable": spec.nillable and not _by_system(spec),
        "permissionable": spec.permissionable,
        "picklistValues": _picklist(spec, store),
        "polymorphicForeignKey": spec.polymorphic,
        "precision": spec.precision if spec.type != "int" else 0,
        "referenceTo": list(spec.refers_to),
        "relationshipName": spec.relationship,
        "restrictedPicklist": spec.restricted,
        "scale": spec.scale,
        "soapType": _SOAP.get(spec.type, "xsd:string"),
        "sortable": spec.filterable,
        "type": spec.type,
        "unique": spec.unique,
        "updateable": spec.updateable and editable,
    }


def _by_system(spec: Field) -> bool:
    return spec.name in {
        "Id",
        "OwnerId",
        "CreatedDate",
        "CreatedById",
        "LastModifiedDate",
        "LastModifiedById",
        "SystemModstamp",
    }


def _picklist(spec: Field, store: OrgStore) -> list[dict[str, Any]]:
    labels = list(spec.values)
    if spec.values_from:
        labels = [row["MasterLabel"] for row in store.table(spec.values_from).live()]
    return [
        {"active": True, "defaultValue": label == spec.default, "label": label, "validFor": None, "value": label}
        for label in labels
    ]
