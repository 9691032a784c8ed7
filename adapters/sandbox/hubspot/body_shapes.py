"""The shapes of request bodies: what does not fit is refused before anything else looks at it, as the vendor's parser does.

A shape is TEXT, WHOLE, FLAG, MAP or ANY, a list of one shape, or a dict of fields. Fields that a shape does not name are left
out, and so are those that hold null. Numbers and flags may stand for text, and text for numbers and flags.
"""

from collections.abc import Callable, Mapping
from typing import Any

from adapters.sandbox.hubspot.errors import HubSpotError, bad_json

TEXT, WHOLE, FLAG, MAP, ANY = "text", "whole", "flag", "map", "any"

ID = {"id": TEXT}
SPEC = {"associationCategory": TEXT, "associationTypeId": WHOLE}
RECORD = {
    "id": TEXT,
    "idProperty": TEXT,
    "objectWriteTraceId": TEXT,
    "properties": MAP,
    "associations": [{"to": ID, "types": [SPEC]}],
}
RECORDS = {"inputs": [RECORD], "idProperty": TEXT, "properties": [TEXT], "propertiesWithHistory": [TEXT]}
FILTER = {"propertyName": TEXT, "operator": TEXT, "value": TEXT, "highValue": TEXT, "values": [TEXT]}
SEARCH = {
    "filterGroups": [{"filters": [FILTER]}],
    "sorts": [ANY],
    "query": TEXT,
    "properties": [TEXT],
    "limit": WHOLE,
    "after": TEXT,
}
MERGE = {"primaryObjectId": TEXT, "objectIdToMerge": TEXT}
GDPR = {"objectId": TEXT, "idProperty": TEXT}
JOINED = {"inputs": [{"from": ID, "to": ID, "type": TEXT, "types": [SPEC]}]}
PARTED = {"inputs": [{"from": ID, "to": [ID]}]}
STARTS = {"inputs": [{"id": TEXT, "after": WHOLE}]}
LABEL = {"label": TEXT, "name": TEXT, "inverseLabel": TEXT, "associationTypeId": WHOLE}
OPTION = {"label": TEXT, "value": TEXT, "displayOrder": WHOLE, "hidden": FLAG, "description": TEXT}
DEFINITION = {
    **dict.fromkeys(("name", "label", "type", "fieldType", "groupName", "description", "calculationFormula"), TEXT),
    **dict.fromkeys(("currencyPropertyName", "dateDisplayHint", "numberDisplayHint", "textDisplayHint"), TEXT),
    **dict.fromkeys(("hasUniqueValue", "hidden", "formField", "externalOptions", "showCurrencySymbol"), FLAG),
    "referencedObjectType": TEXT,
    "displayOrder": WHOLE,
    "options": [OPTION],
}
DEFINITIONS = {"inputs": [DEFINITION], "archived": FLAG}
GROUP = {"name": TEXT, "label": TEXT, "displayOrder": WHOLE}
STAGE = {"label": TEXT, "displayOrder": WHOLE, "metadata": MAP, "stageId": TEXT, "archived": FLAG}
PIPELINE = {"label": TEXT, "displayOrder": WHOLE, "pipelineId": TEXT, "stages": [STAGE], "archived": FLAG}

_WORDS = {list: "START_ARRAY", dict: "START_OBJECT", str: "VALUE_STRING", type(None): "VALUE_NULL", bool: "VALUE_TRUE"}


def shaped(value: Any, shape: Any) -> Any:
    """The value with what its shape names; raises HubSpotError."""
    if isinstance(shape, list):
        if not isinstance(value, list):
            raise _misfit("java.util.ArrayList", value)
        return [shaped(item, shape[0]) for item in value]
    if isinstance(shape, Mapping):
        if not isinstance(value, dict):
            raise _misfit("java.util.LinkedHashMap", value)
        return {name: shaped(value[name], inner) for name, inner in shape.items() if value.get(name) is not None}
    return _SCALARS[shape](value)


def _text(value: Any) -> str:
    if value is None or isinstance(value, list | dict):
        raise _misfit("java.lang.String", value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _whole_number(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.removeprefix("-").isascii() and value.removeprefix("-").isdecimal():
        return int(value)
    raise _misfit("int", value)


def _flag(value: Any) -> bool:
    if value in (True, False, "true", "false"):
        return value in (True, "true")
    raise _misfit("boolean", value)


def _map(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _misfit("java.util.LinkedHashMap", value)
    return {name: None if item is None else _scalar(item) for name, item in value.items()}


def _scalar(value: Any) -> Any:
    if isinstance(value, list | dict):
        raise _misfit("java.lang.String", value)
    return value


def _misfit(wanted: str, value: Any) -> HubSpotError:
    return bad_json(f"Cannot deserialize instance of `{wanted}` out of {_WORDS.get(type(value), 'VALUE_NUMBER')} token")


_SCALARS: Mapping[str, Callable[[Any], Any]] = {
    TEXT: _text,
    WHOLE: _whole_number,
    FLAG: _flag,
    MAP: _map,
    ANY: lambda value: value,
}
