"""What Salesforce says about one record that it refused, as an error of ours."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from adapters.salesforce import errors
from adapters.salesforce.records import soql
from connector.errors import (
    AGAIN,
    BadOption,
    Conflict,
    CrmError,
    Gone,
    RecordRejected,
    RuleRefused,
    TooLong,
    Unavailable,
)
from connector.ports import Write

_TOO_MUCH = re.compile(r"LimitException|CPU time limit|Too many (?:SOQL queries|DML)")
_HOLDER = re.compile(r"record with id: ([A-Za-z0-9]{15,18})")

_CLASSES: Final[Mapping[str, type[RecordRejected]]] = {
    "STRING_TOO_LONG": TooLong,
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": BadOption,
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": RuleRefused,
    "FIELD_FILTER_VALIDATION_EXCEPTION": RuleRefused,
    "DUPLICATES_DETECTED": RuleRefused,
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": RuleRefused,
    "CANNOT_EXECUTE_FLOW_TRIGGER": RuleRefused,
    "DUPLICATE_VALUE": Conflict,
    "DUPLICATE_EXTERNAL_ID": Conflict,
}
_UNJUDGED: Final[Mapping[str, str]] = {
    "UNKNOWN_EXCEPTION": "",
    "SERVER_UNAVAILABLE": "",
    "REQUEST_RUNNING_TOO_LONG": "",
    "ENTITY_IS_LOCKED": "It waits for the approval that holds the record. ",
    "STORAGE_LIMIT_EXCEEDED": "The org's data storage is full: make room in it. ",
}
"""What says nothing about the record itself, with what is to be done: the same write may succeed as soon as that is over."""
_GONE: Final = frozenset({"ENTITY_IS_DELETED", "NOT_FOUND", "INVALID_CROSS_REFERENCE_KEY"})

_REMEDIES: Final[Mapping[str, str]] = {
    "STRING_TOO_LONG": "Map it to a longer field.",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": "Add the value to the field's picklist, or map it to another.",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": "Let the integration user pass this validation rule.",
    "DUPLICATES_DETECTED": "Merge the duplicates, or let the integration user pass this duplicate rule.",
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": "Mend the trigger or flow that failed.",
    "CANNOT_EXECUTE_FLOW_TRIGGER": "Mend the flow that failed.",
    "REQUIRED_FIELD_MISSING": "Map these fields, or give them a default value.",
    "INACTIVE_OWNER_OR_USER": "Give it to somebody who is active.",
    "OP_WITH_INVALID_USER_TYPE_EXCEPTION": "Give it to somebody who is active.",
    "ENTITY_IS_DELETED": "Nothing to do, unless it is restored from the recycle bin.",
}


class TooMuchAtOnce(RuleRefused):
    """A trigger or flow of the org came to one of Salesforce's limits; with fewer records in one go it may not."""


def refusal(write: Write, row: Mapping[str, Any], *, where: str, now: datetime) -> CrmError:
    """Return why this write was refused, from the first error of its result."""
    code = errors.code_of(row)
    if known := errors.by_code(row, where=where, now=now):
        return known
    if code in _UNJUDGED:
        remedy = f"{_UNJUDGED[code]}{AGAIN}"
        return Unavailable(f"{code}: {errors.words(row)}", where=where, remedy=remedy, not_sent=True)
    kind = TooMuchAtOnce if _TOO_MUCH.search(errors.words(row)) else _class_of(code, write, errors.fields_of(row))
    what = f"{code}: {errors.words(row)}" if code else "refused without a reason."
    error = kind(what, where=where, remedy=_REMEDIES.get(code, ""), code=code, fields=errors.fields_of(row))
    if isinstance(error, Conflict) and (holder := _HOLDER.search(errors.words(row))):
        error.existing_id = soql.id18(holder[1]) if soql.is_id(holder[1]) else holder[1]
    return error


def _class_of(code: str, write: Write, fields: tuple[str, ...] | Any) -> type[RecordRejected]:
    # These codes speak of the record itself only if no other field is named; else of a record that it points to.
    if code in _GONE and write.id is not None and set(fields) <= {"Id"}:
        return Gone
    return _CLASSES.get(code, RecordRejected)
