"""A wanted field in the form that Salesforce's metadata has for it."""

from typing import Any

from connector.domain.text_cutting import cut
from connector.errors import Bug
from connector.ports import FieldSpec

_PLAIN = {"date": "Date", "datetime": "DateTime", "url": "Url", "email": "Email", "phone": "Phone"}
_LONGEST_TEXT = 255
_ACTIVITIES = frozenset({"Task", "Event"})


def holder(object_name: str) -> str:
    """Return the object that custom fields are defined on: tasks and events share those of Activity."""
    return "Activity" if object_name in _ACTIVITIES else object_name


def full_name(spec: FieldSpec) -> str:
    """Return the name under which the field is defined."""
    return f"{holder(spec.object)}.{spec.name}"


def metadata(spec: FieldSpec) -> dict[str, Any]:
    """Return the definition. `Bug`: a type that we have no use for."""
    common: dict[str, Any] = {"label": spec.label}
    if spec.help:
        common["inlineHelpText"] = cut(spec.help, 510)
    return common | _of_type(spec)


def _of_type(spec: FieldSpec) -> dict[str, Any]:
    if spec.type == "text":
        return _text(spec)
    if spec.type == "number":
        return {"type": "Number", "precision": spec.precision or 18, "scale": spec.scale or 0}
    if spec.type == "boolean":
        return {"type": "Checkbox", "defaultValue": "false"}
    if spec.type == "picklist":
        return {"type": "Picklist", "valueSet": _options(spec)}
    if spec.type in _PLAIN:
        return {"type": _PLAIN[spec.type]}
    raise Bug(f"no field of type {spec.type} can be made")


def _text(spec: FieldSpec) -> dict[str, Any]:
    length = spec.length or _LONGEST_TEXT
    if length > _LONGEST_TEXT:
        return {"type": "LongTextArea", "length": length, "visibleLines": 4}
    unique = {"unique": True, "externalId": True, "caseSensitive": False} if spec.unique else {}
    return {"type": "Text", "length": length, **unique}


def _options(spec: FieldSpec) -> dict[str, Any]:
    values = [{"fullName": option, "label": option, "default": False} for option in spec.options]
    return {"restricted": True, "valueSetDefinition": {"sorted": False, "value": values}}
