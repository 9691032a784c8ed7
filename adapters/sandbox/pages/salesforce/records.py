"""What stands on a record's page and in a list, worked out without any HTML."""

from collections.abc import Iterable, Sequence
from itertools import islice

from adapters.sandbox.pages.salesforce.viewing import OURS, OrgViewer, address, label_of, name_of
from adapters.sandbox.pages.shown import (
    LATEST,
    PER_PAGE,
    Action,
    Line,
    Panel,
    RecordTable,
    ShownFollowUp,
    completion,
    day,
    panel_of,
)
from adapters.sandbox.salesforce.org.schema import OrgObjectType
from adapters.sandbox.salesforce.org.store import Row

OUTCOME = "Afterword_Outcome__c"

DETAILS: dict[str, tuple[str, ...]] = {
    "Account": (
        *(
            "OwnerId",
            "Type",
            "Industry",
            "ParentId",
            "Phone",
            "Website",
            "NumberOfEmployees",
            "AnnualRevenue",
            "Rating",
        ),
        *("BillingStreet", "BillingPostalCode", "BillingCity", "BillingCountry", "Description", "LastActivityDate"),
    ),
    "Contact": (
        *("AccountId", "Title", "Department", "Email", "Phone", "MobilePhone", "Language__c", "HasOptedOutOfEmail"),
        *("MailingCity", "MailingCountry", "LeadSource", "OwnerId", "LastActivityDate"),
    ),
    "Case": (
        *("Subject", "Status", "Priority", "AccountId", "ContactId", "OwnerId", "Origin", "Type", "Reason"),
        *("CreatedDate", "ClosedDate", "Description"),
    ),
    "Task": (
        *("Subject", "Status", "Priority", "ActivityDate", "OwnerId", "WhoId", "WhatId", "CallType"),
        *("CallDurationInSeconds", "CompletedDateTime", "CreatedDate", "CreatedById", "Description"),
    ),
    "Opportunity": (
        *("AccountId", "ContactId", "StageName", "Amount", "Probability", "CloseDate", "Type", "NextStep", "OwnerId"),
        *("LastStageChangeDate", "Description"),
    ),
    "User": ("Title", "Department", "Email", "IsActive", "TimeZoneSidKey"),
}
COLUMNS: dict[str, tuple[str, ...]] = {
    "Account": ("Type", "Industry", "BillingCountry", "OwnerId", f"{OURS}Mood__c", f"{OURS}Satisfaction__c"),
    "Contact": ("AccountId", "Title", "Email", f"{OURS}Last_Rating__c"),
    "Case": ("Subject", "AccountId", "ContactId", "Status", "Priority", "CreatedDate"),
    "Task": ("WhatId", "Status", "Priority", "ActivityDate", "OwnerId"),
    "Opportunity": ("AccountId", "StageName", "Amount", "CloseDate", "OwnerId"),
    "User": ("Title", "Email", "IsActive", "TimeZoneSidKey"),
}
SEARCHED: dict[str, tuple[str, ...]] = {"Case": ("CaseNumber", "Subject"), "Task": ("Subject",)}


def panel(viewer: OrgViewer, object_type: OrgObjectType, row: Row) -> Panel | None:
    """Our section, or None where none of our fields is visible."""
    names = tuple(name for name in object_type.fields if name.startswith(OURS))
    shown = viewer.fields(object_type, row, names)
    return panel_of({field.name.removeprefix(OURS).removesuffix("__c").lower(): field for field in shown})


def actions(viewer: OrgViewer, object_type: OrgObjectType, row: Row) -> list[Action]:
    """What can be done on a record's page."""
    record_path = f"/lightning/r/{object_type.name}/{row['Id']}"
    if object_type.name == "Case":
        closed = row["IsClosed"]
        return [
            Action(f"{record_path}/{'reopen' if closed else 'close'}", f"{'Reopen' if closed else 'Close'} this case")
        ]
    if object_type.name == "Task" and not row["IsClosed"]:
        outcome = object_type.find(OUTCOME)
        values = outcome.values if outcome and viewer.edits(object_type, OUTCOME) else ()
        options = tuple((outcome_value, outcome_value) for outcome_value in values)
        return [completion(f"{record_path}/complete", options)]
    return []


def hidden_fields(viewer: OrgViewer, object_type: OrgObjectType) -> bool:
    """Whether the org has fields of ours on this object that this viewer may not see."""
    our_fields = [name for name in object_type.fields if name.startswith(OURS)]
    return bool(our_fields) and not any(viewer.sees(object_type, name) for name in our_fields)


def related(viewer: OrgViewer, object_name: str, record_id: str) -> list[RecordTable]:
    """The related lists of an account or a contact."""
    if object_name == "Account":
        return _of_account(viewer, record_id)
    if object_name == "Contact":
        return [
            _table(
                viewer,
                "Cases",
                "Case",
                _children(viewer, "Case", "ContactId", record_id),
                ("Subject", "Status", "ClosedDate"),
            ),
            _table(
                viewer, "Activities", "Task", _children(viewer, "Task", "WhoId", record_id), ("Status", "ActivityDate")
            ),
        ]
    return []


def _of_account(viewer: OrgViewer, record_id: str) -> list[RecordTable]:
    cases = _children(viewer, "Case", "AccountId", record_id)
    tasks = [row for row in _children(viewer, "Task", "AccountId", record_id) if not is_ours(row)]
    people = sorted(_children(viewer, "Contact", "AccountId", record_id), key=lambda row: str(row.get("LastName")))
    running = [row for row in cases if not row["IsClosed"]]
    closed = sorted((row for row in cases if row["IsClosed"]), key=lambda row: row["ClosedDate"], reverse=True)
    below = _children(viewer, "Account", "ParentId", record_id)
    tables = [
        _table(viewer, "Contacts", "Contact", people, ("Title", "Email", f"{OURS}Last_Rating__c")),
        _table(viewer, "Open cases", "Case", running, ("Subject", "ContactId", "Status", "Priority", "CreatedDate")),
        _table(viewer, "Closed cases", "Case", closed, ("Subject", "ContactId", "Priority", "ClosedDate")),
        _table(viewer, "Calls and tasks", "Task", tasks, ("WhoId", "Status", "ActivityDate", "OwnerId")),
        _table(
            viewer,
            "Opportunities",
            "Opportunity",
            _children(viewer, "Opportunity", "AccountId", record_id),
            ("StageName", "Amount", "CloseDate"),
        ),
    ]
    return [*tables, *([_table(viewer, "Subsidiaries", "Account", below, ("Type", "BillingCountry"))] if below else [])]


def follow_ups(viewer: OrgViewer, account_id: str) -> list[ShownFollowUp]:
    """Our tasks about an account: open ones first, by due day."""
    tasks = [row for row in _children(viewer, "Task", "AccountId", account_id) if is_ours(row)]
    tasks.sort(key=lambda row: (row["IsClosed"], row.get("ActivityDate") or "9999"))
    return [_follow_up(viewer, row) for row in tasks]


def is_ours(task: Row) -> bool:
    """Whether a task carries our key."""
    return bool(task.get(f"{OURS}Key__c"))


def _follow_up(viewer: OrgViewer, row: Row) -> ShownFollowUp:
    object_type = viewer.org.object("Task")
    return ShownFollowUp(
        subject=name_of(object_type, row),
        href=address("Task", row["Id"]),
        due=day(row["ActivityDate"]) if row.get("ActivityDate") else "",
        owner=viewer.show(object_type.fields["OwnerId"], row).text,
        priority=row.get("Priority") or "",
        status=row.get("Status") or "",
        outcome=(row.get(OUTCOME) or "") if viewer.sees(object_type, OUTCOME) else "",
        description=row.get("Description") or "",
        open=not row["IsClosed"],
    )


def listed(viewer: OrgViewer, object_name: str, wanted: str, page: int) -> RecordTable:
    """One page (from 1) of an object's records, newest change first, those with `wanted` in their name only."""
    object_type = viewer.org.object(object_name)
    names = SEARCHED.get(object_name, ("Name",))
    folded = wanted.casefold()
    table = viewer.org.store.table(object_type.name)
    matching = [row for row in table.live() if any(folded in str(row.get(name, "")).casefold() for name in names)]
    matching.sort(key=lambda row: row["SystemModstamp"], reverse=True)
    start = (page - 1) * PER_PAGE
    shown = matching[start : start + PER_PAGE]
    return _lines(viewer, object_type.plural, object_type, shown, total=len(matching), names=COLUMNS[object_name])


def _children(viewer: OrgViewer, object_name: str, link: str, record_id: str) -> list[Row]:
    object_type = viewer.org.object(object_name)
    if not viewer.org.readable(object_type, viewer.access):
        return []
    rows = viewer.org.store.table(object_name).holding(link, record_id)
    live = (row for row in rows if not row["IsDeleted"])
    return sorted(live, key=lambda row: row["SystemModstamp"], reverse=True)


def _table(viewer: OrgViewer, title: str, object_name: str, rows: Sequence[Row], names: tuple[str, ...]) -> RecordTable:
    object_type = viewer.org.object(object_name)
    return _lines(viewer, title, object_type, islice(rows, LATEST), total=len(rows), names=names)


def _lines(
    viewer: OrgViewer,
    title: str,
    object_type: OrgObjectType,
    rows: Iterable[Row],
    *,
    total: int,
    names: tuple[str, ...],
) -> RecordTable:
    seen = tuple(name for name in names if viewer.sees(object_type, name))
    lines = [
        Line(name_of(object_type, row), address(object_type.name, row["Id"]), viewer.fields(object_type, row, seen))
        for row in rows
    ]
    labels = [label_of(object_type.fields[name]) for name in seen]
    label = object_type.name_field.label if object_type.name_field else "Subject"
    return RecordTable(title, label, labels, lines, total)
