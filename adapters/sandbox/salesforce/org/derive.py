"""What the CRM works out by itself when a record is written: names, closed flags, the account of an activity."""

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from adapters.sandbox.salesforce.errors import RowError
from adapters.sandbox.salesforce.org.field_values import moment_of, stamp
from adapters.sandbox.salesforce.org.store import OrgStore, Row


@dataclass(frozen=True)
class Writing:
    """One record on its way in: `new` is still open, `old` is None for an insert, `at` the stamp of the statement."""

    store: OrgStore
    new: MutableMapping[str, Any]
    old: Row | None
    at: str

    def changed(self, name: str) -> bool:
        """Whether the write sets the field to another value."""
        return self.new.get(name) != (self.old or {}).get(name)

    def status(self, table: str, label: str | None) -> Row:
        """The record of a status table behind a label; an unknown status is open."""
        return next(iter(self.store.table(table).holding("MasterLabel", label)), {}) if label else {}


def derive(object_name: str, writing: Writing) -> None:
    """Fills the derived fields of a record before it is stored.

    Raises RowError where the vendor demands a field of several (REQUIRED_FIELD_MISSING for an event without an end).
    """
    rule = _RULES.get(object_name)
    if rule:
        rule(writing)


def _person(writing: Writing) -> None:
    parts = (writing.new.get("FirstName"), writing.new.get("LastName"))
    writing.new["Name"] = " ".join(part for part in parts if part)


def _contact(writing: Writing) -> None:
    _person(writing)
    writing.new["IsEmailBounced"] = bool(writing.new.get("EmailBouncedDate"))


def _user(writing: Writing) -> None:
    _person(writing)
    if writing.old is None:
        writing.new["IsActive"] = writing.new.get("IsActive", True) is not False


def _case(writing: Writing) -> None:
    new = writing.new
    new.pop("Comments", None)  # becomes a comment of the case; reading the field gives nothing
    if writing.old is None and not new.get("AccountId") and new.get("ContactId"):
        _put(new, "AccountId", _parent(writing.store, new["ContactId"], "AccountId"))
    new["IsClosed"] = bool(writing.status("CaseStatus", new.get("Status")).get("IsClosed"))
    if not new["IsClosed"]:
        new.pop("ClosedDate", None)
    elif not (writing.old or {}).get("IsClosed"):
        new.setdefault("ClosedDate", writing.at)


def _task(writing: Writing) -> None:
    new = writing.new
    new["IsClosed"] = bool(writing.status("TaskStatus", new.get("Status")).get("IsClosed"))
    new["IsHighPriority"] = bool(writing.status("TaskPriority", new.get("Priority")).get("IsHighPriority"))
    if not new["IsClosed"]:
        new.pop("CompletedDateTime", None)
    elif not (writing.old or {}).get("IsClosed"):
        new.setdefault("CompletedDateTime", writing.at)
    _people(new)
    _put(new, "AccountId", account_of(writing.store, new))


def _people(activity: MutableMapping[str, Any]) -> None:
    activity["WhoCount"] = max(activity.get("WhoCount", 0), 1) if activity.get("WhoId") else 0


def _event(writing: Writing) -> None:
    new = writing.new
    _agree(writing, "StartDateTime", "ActivityDateTime")
    start, end = new.get("StartDateTime"), new.get("EndDateTime")
    if start is None and not new.get("IsAllDayEvent"):
        raise RowError("REQUIRED_FIELD_MISSING", "Required fields are missing: [StartDateTime]", ["StartDateTime"])
    if start and end and (writing.changed("EndDateTime") or new.get("DurationInMinutes") is None):
        new["DurationInMinutes"] = int((moment_of(end) - moment_of(start)).total_seconds() // 60)
    elif start and new.get("DurationInMinutes") is not None:
        new["EndDateTime"] = stamp(_later(start, new["DurationInMinutes"]))
    elif start:
        raise RowError(
            "REQUIRED_FIELD_MISSING", "Required fields are missing: [DurationInMinutes]", ["DurationInMinutes"]
        )
    if start:
        new["ActivityDate"] = start[:10]
        new["EndDate"] = new["EndDateTime"][:10]
    _people(new)
    _put(new, "AccountId", account_of(writing.store, new))


def _agree(writing: Writing, first: str, other: str) -> None:
    """Two names for one value: the one that the write changed wins."""
    changed = other if writing.changed(other) and writing.new.get(other) and not writing.changed(first) else first
    value = writing.new.get(changed) or writing.new.get(other if changed == first else first)
    _put(writing.new, first, value)
    _put(writing.new, other, value)


def _later(start: str, minutes: int) -> datetime:
    return moment_of(start) + timedelta(minutes=minutes)


def _opportunity(writing: Writing) -> None:
    new = writing.new
    stage = writing.status("OpportunityStage", new.get("StageName"))
    if writing.changed("StageName"):
        new["LastStageChangeDate"] = writing.at
        if not writing.changed("Probability") or new.get("Probability") is None:
            new["Probability"] = stage.get("DefaultProbability", 0.0)
        _put(new, "ForecastCategory", stage.get("ForecastCategory"))
        _put(new, "ForecastCategoryName", stage.get("ForecastCategoryName"))
    new["IsClosed"], new["IsWon"] = bool(stage.get("IsClosed")), bool(stage.get("IsWon"))
    amount = new.get("Amount")
    expected = None if amount is None else round(amount * (new.get("Probability") or 0.0) / 100, 2)
    _put(new, "ExpectedRevenue", expected)


def _counted(name: str, of: str) -> Callable[[Writing], None]:
    """The rule for one more relation of an activity: it counts the people."""

    def count(writing: Writing) -> None:
        activity = writing.store.get(name, writing.new.get(of))
        if writing.old is None and activity is not None and not writing.new.get("IsWhat"):
            writing.store.put(name, {**activity, "WhoCount": activity.get("WhoCount", 0) + 1})

    return count


_RULES: dict[str, Callable[[Writing], None]] = {
    "Contact": _contact,
    "Lead": _person,
    "User": _user,
    "Case": _case,
    "Task": _task,
    "Event": _event,
    "TaskRelation": _counted("Task", "TaskId"),
    "EventRelation": _counted("Event", "EventId"),
    "Opportunity": _opportunity,
}


def account_of(store: OrgStore, activity: Row) -> str | None:
    """The account of a task or event: that of what it is about, else that of the person."""
    what, who = activity.get("WhatId"), activity.get("WhoId")
    if what and what.startswith("001"):
        return str(what)
    return (_parent(store, what, "AccountId") if what else None) or (_parent(store, who, "AccountId") if who else None)


def touched_by(object_name: str, activity: Row) -> list[str]:
    """The records whose last activity an activity moves."""
    if object_name not in {"Task", "Event"}:
        return []
    related = (activity.get("AccountId"), activity.get("WhoId"), activity.get("WhatId"))
    return list(dict.fromkeys(record_id for record_id in related if record_id))


def activity_date(object_name: str, activity: Row) -> str | None:
    """The day that counts as last activity: of an event, or of a task once it is closed."""
    counts = object_name == "Event" or activity.get("IsClosed")
    return (activity.get("ActivityDate") or activity["SystemModstamp"][:10]) if counts else None


_OBJECTS = {"003": "Contact", "00Q": "Lead", "500": "Case", "006": "Opportunity", "001": "Account"}


def _parent(store: OrgStore, record_id: str, name: str) -> str | None:
    return (store.get(_OBJECTS.get(record_id[:3], ""), record_id) or {}).get(name)


def _put(row: MutableMapping[str, Any], name: str, value: Any) -> None:
    if value is None:
        row.pop(name, None)
    else:
        row[name] = value
