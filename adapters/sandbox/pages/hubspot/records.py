"""What stands on a record's page and in a list, worked out without any HTML."""

from collections.abc import Sequence
from dataclasses import replace

from adapters.sandbox.hubspot.portal.property_values import iso
from adapters.sandbox.hubspot.portal.schema import PortalObjectType
from adapters.sandbox.hubspot.portal.store import PortalRecord
from adapters.sandbox.pages.hubspot.viewing import OURS, PortalViewer
from adapters.sandbox.pages.shown import (
    LATEST,
    PER_PAGE,
    Action,
    Card,
    Line,
    Panel,
    RecordTable,
    Shown,
    ShownFollowUp,
    completion,
    panel_of,
)

OUTCOME = f"{OURS}outcome"
KEY = f"{OURS}key"
ACTIVITIES = ("calls", "meetings", "emails", "notes", "tasks")

_COLUMNS: dict[str, tuple[str, ...]] = {
    "companies": ("lifecyclestage", "country", "hubspot_owner_id", f"{OURS}mood", f"{OURS}satisfaction"),
    "contacts": ("email", "jobtitle", "company", f"{OURS}last_rating"),
    "tickets": ("hs_pipeline", "hs_pipeline_stage", "hs_ticket_priority", "hubspot_owner_id", "createdate"),
    "deals": ("dealstage", "amount", "closedate", "hubspot_owner_id"),
    "tasks": ("hs_task_status", "hs_task_priority", "hs_timestamp", "hubspot_owner_id", OUTCOME),
    "calls": ("hs_call_direction", "hs_call_status", "hs_timestamp", "hubspot_owner_id"),
    "meetings": ("hs_meeting_outcome", "hs_meeting_start_time", "hubspot_owner_id"),
    "emails": ("hs_email_direction", "hs_timestamp", "hubspot_owner_id"),
    "notes": ("hs_timestamp", "hubspot_owner_id"),
}
_RELATED: dict[str, tuple[str, ...]] = {
    "companies": ("contacts", "tickets", "deals", "companies"),
    "contacts": ("companies", "tickets", "deals"),
    "tickets": ("contacts", "companies", "deals"),
    "deals": ("contacts", "companies", "tickets"),
}
_OF_ACTIVITIES = ("contacts", "companies", "tickets", "deals")
# What the portal keeps for itself is not among what people read.
_INNER = frozenset(
    {"hs_object_source", "hs_body_preview", "hs_all_contact_vids", "hs_calculated_merged_vids", "hs_task_is_completed"}
    | {"hs_created_by_user_id", "hs_updated_by_user_id", "hs_is_closed", "hs_is_closed_won", "time_to_close"}
)


# What says least about a record stands last.
_LAST = ("createdate", "hs_createdate", "lastmodifieddate", "hs_lastmodifieddate", "hs_object_id")


def title_of(object_type: PortalObjectType) -> str:
    """The plural of an object's name, as a heading."""
    return object_type.name.capitalize()


def listed(viewer: PortalViewer, object_type: PortalObjectType, wanted: str, page: int) -> RecordTable:
    """One page (from 1) of an object's records, newest change first, those with `wanted` in their name only."""
    folded = wanted.casefold()
    live = (record for record in viewer.portal.store.table(object_type.name).rows.values() if record.archived is None)
    matching = [record for record in live if folded in viewer.name(object_type, record).casefold()]
    matching.sort(key=lambda record: (record.modified, record.id), reverse=True)
    start = (page - 1) * PER_PAGE
    return _table(viewer, title_of(object_type), object_type, matching[start : start + PER_PAGE], total=len(matching))


def panel(viewer: PortalViewer, object_type: PortalObjectType, record: PortalRecord) -> Panel | None:
    """Our section, or None where the portal has none of our properties for this object."""
    shown = viewer.fields(object_type, record, tuple(name for name in object_type.properties if name.startswith(OURS)))
    return panel_of({field.name.removeprefix(OURS): field for field in shown})


def cards(viewer: PortalViewer, object_type: PortalObjectType, record: PortalRecord) -> list[Card]:
    """The groups of properties, ours apart: of each the properties that have a value."""
    group_cards = []
    for group in object_type.groups.values():
        specs = [
            spec
            for spec in object_type.properties.values()
            if spec.group == group.name and spec.name not in _INNER and not spec.name.startswith(OURS)
        ]
        specs.sort(key=lambda spec: _LAST.index(spec.name) if spec.name in _LAST else -1)
        values = [shown for spec in specs if (shown := viewer.show(object_type, record, spec)).text]
        if values:
            group_cards.append(Card(group.label, values))
    return group_cards


def related(viewer: PortalViewer, object_type: PortalObjectType, record: PortalRecord) -> list[RecordTable]:
    """What a record is associated with, and what was done about it."""
    portal = viewer.portal
    tables = []
    for name in _RELATED.get(object_type.name, _OF_ACTIVITIES):
        other = portal.object(name)
        joined = _joined(viewer, object_type, record, other)
        if joined or object_type.name in _RELATED:
            title = "Related companies" if other is object_type else title_of(other)
            tables.append(_table(viewer, title, other, joined[:LATEST], total=len(joined)))
    return [*tables, *([_activities(viewer, object_type, record)] if object_type.name in _RELATED else [])]


def follow_ups(viewer: PortalViewer, object_type: PortalObjectType, record: PortalRecord) -> list[ShownFollowUp]:
    """Our tasks about a record: open ones first, by due time."""
    tasks = viewer.portal.object("tasks")
    our_tasks = [task for task in _joined(viewer, object_type, record, tasks) if KEY in task.properties]
    our_tasks.sort(key=lambda task: (not is_open(task), task.properties.get("hs_timestamp", "9999")))
    return [_follow_up(viewer, tasks, task) for task in our_tasks]


def is_open(task: PortalRecord) -> bool:
    """Whether a task is still to be done."""
    return task.properties.get("hs_task_status") != "COMPLETED"


def actions(viewer: PortalViewer, object_type: PortalObjectType, record: PortalRecord) -> list[Action]:
    """What can be done on a record's page: complete a task and say how it went, or move a record to another stage."""
    record_path = viewer.address(object_type, record.id)
    if object_type.name == "tasks":
        outcome = object_type.properties.get(OUTCOME)
        options = tuple((option.value, option.label) for option in outcome.options) if outcome else ()
        if is_open(record):
            return [completion(f"{record_path}/complete", options)]
        chosen = record.properties.get(OUTCOME, "")
        changing = Action(
            f"{record_path}/outcome", "Save", "", "outcome", outcome.label if outcome else "", "None", options
        )
        reopening = Action(f"{record_path}/reopen", "Mark as not completed")
        return [*([replace(changing, chosen=chosen)] if options else []), reopening]
    if object_type.pipeline and object_type.stage:
        return [_stages(viewer, object_type, record, object_type.stage)]
    return []


def _stages(viewer: PortalViewer, object_type: PortalObjectType, record: PortalRecord, name: str) -> Action:
    present = record.properties.get(name, "")
    pipeline_and_stage = viewer.portal.pipelines.of_stage(object_type.name, present)
    options = tuple((stage.id, stage.label) for stage in (pipeline_and_stage[0].live() if pipeline_and_stage else ()))
    label = object_type.properties[name].label
    return Action(f"{viewer.address(object_type, record.id)}/stage", "Save", "", "stage", label, "", options, present)


def _follow_up(viewer: PortalViewer, object_type: PortalObjectType, task: PortalRecord) -> ShownFollowUp:
    def text(name: str) -> str:
        spec = object_type.properties.get(name)
        return viewer.show(object_type, task, spec).text if spec else ""

    priority = text("hs_task_priority")
    return ShownFollowUp(
        subject=viewer.name(object_type, task),
        href=viewer.address(object_type, task.id),
        due=text("hs_timestamp"),
        owner=text("hubspot_owner_id"),
        priority=priority,
        status=text("hs_task_status"),
        outcome=text(OUTCOME),
        description=text("hs_task_body"),
        open=is_open(task),
    )


def _activities(viewer: PortalViewer, object_type: PortalObjectType, record: PortalRecord) -> RecordTable:
    """What was done about a record, latest first; our own tasks stand elsewhere."""
    activities = [
        (activity.properties.get("hs_timestamp") or iso(activity.created), other, activity)
        for other in map(viewer.portal.object, ACTIVITIES)
        for activity in _joined(viewer, object_type, record, other)
        if KEY not in activity.properties
    ]
    activities.sort(key=lambda activity: activity[0], reverse=True)
    lines = [_activity(viewer, other, activity) for _, other, activity in activities[:LATEST]]
    return RecordTable("Activities", "Title", ["Kind", "Activity date", "Owner"], lines, len(activities))


def _activity(viewer: PortalViewer, object_type: PortalObjectType, record: PortalRecord) -> Line:
    kind = Shown("kind", "Kind", object_type.singular.capitalize())
    cells = [kind, *viewer.fields(object_type, record, ("hs_timestamp", "hubspot_owner_id"))]
    return Line(viewer.name(object_type, record), viewer.address(object_type, record.id), cells)


def _joined(
    viewer: PortalViewer, object_type: PortalObjectType, record: PortalRecord, other: PortalObjectType
) -> list[PortalRecord]:
    table = viewer.portal.store.table(other.name)
    ids = viewer.portal.links.of(object_type.name, record.id, other.name)
    records = [alive for key in ids if (alive := table.alive(key))]
    return sorted(records, key=lambda record: (record.modified, record.id), reverse=True)


def _table(
    viewer: PortalViewer, title: str, object_type: PortalObjectType, shown: Sequence[PortalRecord], *, total: int
) -> RecordTable:
    names = tuple(name for name in _COLUMNS[object_type.name] if name in object_type.properties)
    lines = [
        Line(
            viewer.name(object_type, record),
            viewer.address(object_type, record.id),
            viewer.fields(object_type, record, names),
        )
        for record in shown
    ]
    return RecordTable(title, "Name", [object_type.properties[name].label for name in names], lines, total)
