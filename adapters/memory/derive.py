"""Fields of the small org that follow from others: a closed case has a closing time, a call its customer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from adapters.memory.schema import CLOSED_CASE, DONE_TASK, LOST, WON
from adapters.memory.validation import stamp

if TYPE_CHECKING:
    from adapters.memory.database import Database

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PendingRecord:
    """A record as it is about to be kept: `values` may still be added to."""

    object: str
    values: Values
    before: Mapping[str, Any]
    now: datetime


def derive(crm: "Database", change: PendingRecord) -> None:
    """Set what follows from the rest of the record's values."""
    values, now = change.values, change.now
    match change.object:
        case "Contact":
            _name(values)
        case "Case":
            _case(crm, values, now)
        case "Task":
            _end(values, "CompletedDateTime", closed=values.get("Status") == DONE_TASK, now=now)
            _customer(crm, values)
        case "Event":
            _customer(crm, values)
        case "Opportunity":
            _stage(values, change.before, now)


def _name(values: Values) -> None:
    names = (values.get("FirstName"), values.get("LastName"))
    values["Name"] = " ".join(name for name in names if name) or None


def _case(crm: "Database", values: Values, now: datetime) -> None:
    if not values.get("CaseNumber"):
        values["CaseNumber"] = f"{1 + sum(1 for _ in crm.rows('Case')):08d}"
    _end(values, "ClosedDate", closed=values.get("Status") == CLOSED_CASE, now=now)


def _end(values: Values, field: str, *, closed: bool, now: datetime) -> None:
    values["IsClosed"] = closed
    values[field] = (values.get(field) or stamp(now)) if closed else None


def _customer(crm: "Database", values: Values) -> None:
    what = crm.row(values.get("WhatId"))
    if what is None:
        who = crm.row(values.get("WhoId"))
        values["AccountId"] = who.latest.values.get("AccountId") if who else None
        return
    values["AccountId"] = what.id if what.object == "Account" else what.latest.values.get("AccountId")


def _stage(values: Values, before: Mapping[str, Any], now: datetime) -> None:
    stage = values.get("StageName")
    values["IsWon"] = stage == WON
    values["IsClosed"] = stage in (WON, LOST)
    if stage != before.get("StageName"):
        values["LastStageChangeDate"] = stamp(now)
