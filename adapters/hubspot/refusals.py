"""What HubSpot says about one record that it refused, as an error of ours."""

import re
from collections.abc import Mapping
from typing import Any, Final

from adapters.hubspot import errors
from connector.errors import BadOption, CrmError, Gone, RecordRejected, RuleRefused, SchemaChanged, TooLong
from connector.ports import Write

_PLAIN: Final[Mapping[str, tuple[type[RecordRejected], str]]] = {
    "INVALID_OPTION": (BadOption, "Add the value to the property's options, or map it to another."),
    "READ_ONLY_VALUE": (RecordRejected, "Map another property: HubSpot fills this one itself."),
    "REQUIRED_PROPERTY": (RecordRejected, "Map the properties that HubSpot requires, or make them optional there."),
}
_LONG: Final = re.compile(
    r"too long|longer than|max(imum)? length|character limit|characters.* at most|at most .*characters", re.IGNORECASE
)
_RULE: Final = "Let the integration pass this rule, or change the rule in HubSpot."


def refined(error: CrmError, write: Write) -> CrmError:
    """Return what a refusal means for this write."""
    if isinstance(error, errors.Absent):
        return _gone(error) if write.id is not None else error
    if type(error) is not RecordRejected:
        return error
    kind, remedy = _kind(error)
    return kind(_naming(error), where=error.where, remedy=remedy or error.remedy, code=error.code, fields=error.fields)


def refusal(write: Write, row: Mapping[str, Any], *, where: str) -> CrmError:
    """Return why a batch refused this write, from the error that it has for it."""
    if row.get("category") == "MISSING_SCOPES":
        return errors.not_permitted(row, errors.words(row), where=where)
    status = 409 if row.get("category") == "CONFLICT" else 400
    return refined(errors.of_body(row, status, where=where), write)


def gone(what: str, *, where: str, merged_into: str | None = None) -> Gone:
    """Return the error for a record that is not there any more."""
    error = Gone(what, where=where, code="OBJECT_NOT_FOUND", remedy="Nothing to do, unless it is restored in HubSpot.")
    error.merged_into = merged_into
    return error


def _gone(error: errors.Absent) -> Gone:
    return gone(error.what, where=error.where)


def _naming(error: RecordRejected) -> str:
    """Return what is wrong, and with which property: HubSpot's words about a value leave that out."""
    unnamed = [name for name in error.fields if name not in error.what]
    return f"{', '.join(unnamed)}: {error.what}" if unnamed else error.what


def _kind(error: RecordRejected) -> tuple[type[RecordRejected], str]:
    if error.code in _PLAIN:
        return _PLAIN[error.code]
    if _LONG.search(error.what) or error.code.endswith(("TOO_LONG", "_LENGTH")):
        return TooLong, "Map it to a property that takes more."
    # An error of HubSpot's own has a code of its own; a rule that somebody made has only words.
    if error.code == "VALIDATION_ERROR" or "RULE" in error.code or "PROPERTY_VALIDATION" in error.code:
        return RuleRefused, _RULE
    return RecordRejected, ""


def concerns_record(error: CrmError) -> bool:
    """Tell whether a whole call was refused, and not carried out, because of one of its records."""
    return isinstance(error, RecordRejected | SchemaChanged)
