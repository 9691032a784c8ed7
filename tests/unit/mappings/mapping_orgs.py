"""A hand-made Salesforce for the tests: the schemas that it shows us, and records as an adapter hands them over."""

from typing import Any

from connector.model import Mood
from connector.ports import FieldSchema, ObjectSchema, Record

STANDARD: dict[str, dict[str, str]] = {
    "User": {
        "Name": "text",
        "Email": "email",
        "IsActive": "boolean",
        "TimeZoneSidKey": "picklist",
        "ManagerId": "reference User",
        "UserType": "picklist",
    },
    "Account": {
        "Name": "text",
        "OwnerId": "reference User",
        "ParentId": "reference Account",
        "Type": "picklist",
        "Industry": "picklist",
        "NumberOfEmployees": "number",
        "AnnualRevenue": "number",
        "Rating": "picklist",
        "BillingCountry": "text",
        "Website": "url",
    },
    "Contact": {
        "Name": "text",
        "AccountId": "reference Account",
        "Email": "email",
        "Title": "text",
        "OwnerId": "reference User",
        "Department": "text",
        "LeadSource": "picklist",
        "HasOptedOutOfEmail": "boolean",
        "Language__c": "picklist",
    },
    "Case": {
        "CaseNumber": "text",
        "Subject": "text",
        "Status": "picklist",
        "Priority": "picklist",
        "Origin": "picklist",
        "Type": "picklist",
        "Reason": "picklist",
        "AccountId": "reference Account",
        "ContactId": "reference Contact",
        "Participants": "reference Contact",
        "OwnerId": "reference User,Group",
        "IsClosed": "boolean",
        "ClosedDate": "datetime",
        "LastModifiedDate": "datetime",
        "LastModifiedById": "reference User",
    },
    "Task": {
        "Subject": "text",
        "Description": "text",
        "Status": "picklist",
        "Priority": "picklist",
        "TaskSubtype": "picklist",
        "CallType": "picklist",
        "CallDurationInSeconds": "number",
        "ActivityDate": "date",
        "AccountId": "reference Account",
        "WhoId": "reference Contact,Lead",
        "Participants": "reference Contact,Lead,User",
        "WhatId": "reference Account,Case",
        "OwnerId": "reference User,Group",
        "IsClosed": "boolean",
        "CompletedDateTime": "datetime",
        "CreatedById": "reference User",
        "LastModifiedDate": "datetime",
        "LastModifiedById": "reference User",
    },
    "Event": {
        "Subject": "text",
        "Location": "text",
        "IsChild": "boolean",
        "IsRecurrence": "boolean",
        "IsAllDayEvent": "boolean",
        "IsPrivate": "boolean",
        "AccountId": "reference Account",
        "WhoId": "reference Contact,Lead",
        "Participants": "reference Contact,Lead,User",
        "OwnerId": "reference User",
        "EndDateTime": "datetime",
        "LastModifiedDate": "datetime",
        "LastModifiedById": "reference User",
    },
    "Opportunity": {
        "Name": "text",
        "StageName": "picklist",
        "Amount": "number",
        "Type": "picklist",
        "LeadSource": "picklist",
        "AccountId": "reference Account",
        "ContactId": "reference Contact",
        "Participants": "reference Contact,Lead,User",
        "OwnerId": "reference User",
        "IsClosed": "boolean",
        "IsWon": "boolean",
        "CloseDate": "date",
        "LastStageChangeDate": "datetime",
        "LastModifiedDate": "datetime",
        "LastModifiedById": "reference User",
    },
}

MOODS = tuple(mood.value for mood in Mood)
OUTCOMES = ("Solved", "Reached, not solved yet", "Not reached", "No action needed")


def a_field(name: str, kind: str, **more: Any) -> FieldSchema:
    """Return a field; ``reference A,B`` is a lookup to these objects."""
    kind, _, targets = kind.partition(" ")
    references = tuple(targets.split(",")) if targets else ()
    return FieldSchema(name, name, kind, references=references, **more)


def ours() -> dict[str, list[FieldSchema]]:
    """Return the fields that set-up makes."""
    whole = {"precision": 3, "scale": 0}
    names = ("Satisfaction", "Satisfaction_From", "Satisfaction_To", "NPS", "CSAT", "CES")
    account = [a_field(f"Afterword_{name}__c", "number", **whole) for name in names]
    account += [a_field("Afterword_People__c", "number", precision=9, scale=0)]
    account += [a_field("Afterword_Mood__c", "picklist", options=MOODS, restricted=True)]
    account += [
        a_field("Afterword_Trend__c", "picklist", options=("rising", "steady", "falling"), restricted=True),
        a_field("Afterword_Summary__c", "text", length=255),
        a_field("Afterword_Attention__c", "text", length=255),
        a_field("Afterword_Last_Answer__c", "datetime"),
        a_field("Afterword_Details__c", "url", length=255),
    ]
    contact = [
        a_field("Afterword_Last_Rating__c", "text", length=255),
        a_field("Afterword_Last_Asked__c", "datetime"),
        a_field("Afterword_No_Surveys__c", "boolean"),
    ]
    task = [
        a_field("Afterword_Key__c", "text", length=80, unique=True, external_id=True),
        a_field("Afterword_Outcome__c", "picklist", options=OUTCOMES, restricted=True),
    ]
    return {"Account": account, "Contact": contact, "Task": task}


def an_org(*, set_up: bool = True) -> dict[str, ObjectSchema]:
    """Return the schemas, with our fields if it has been set up."""
    made = ours() if set_up else {}
    schemas = {}
    for name, fields in STANDARD.items():
        there = [a_field(field, kind) for field, kind in fields.items()] + made.get(name, [])
        schemas[name] = ObjectSchema(name, name, {field.name: field for field in there})
    return schemas


def without(schemas: dict[str, ObjectSchema], object_name: str, *names: str) -> dict[str, ObjectSchema]:
    """Return the schemas with some fields hidden."""
    schema = schemas[object_name]
    fields = {name: field for name, field in schema.fields.items() if name not in names}
    return schemas | {object_name: ObjectSchema(object_name, object_name, fields)}


def with_fields(schemas: dict[str, ObjectSchema], object_name: str, *fields: FieldSchema) -> dict[str, ObjectSchema]:
    """Return the schemas with some fields added or replaced."""
    schema = schemas.get(object_name) or ObjectSchema(object_name, object_name, {})
    merged = {**schema.fields, **{field.name: field for field in fields}}
    return schemas | {object_name: ObjectSchema(object_name, object_name, merged)}


def a_record(object_name: str, crm_id: str, **fields: Any) -> Record:
    """Return a live record with exactly these fields."""
    return Record(object_name, crm_id, "2026-11-12T10:00:00.000+0000", fields)


def full(asked: tuple[str, ...], fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields as a CRM answers: everything that was asked for, empty where nothing was said."""
    return {path: fields.get(path) for path in asked}
