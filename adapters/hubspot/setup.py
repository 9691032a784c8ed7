"""Setting up an account: our properties, in a group of their own; and taking them away again."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from adapters.hubspot import property_room
from adapters.hubspot.errors import Absent
from adapters.hubspot.http.client import HubSpotClient
from adapters.hubspot.http.version import properties
from adapters.hubspot.schemas import ACTIVITIES, LONGEST_TEXT, HubSpotSchemas
from connector.errors import Bug, Conflict, CrmError, NoRoom, RecordRejected, SchemaChanged, Unavailable
from connector.ports import NO_LABELS, FieldSpec, SetupResult, SetupStep

GROUP: Final = "afterword"
_FIELD: Final = "field:"
_OPTIONS: Final = "options:"
_LABEL: Final = "label:"
_GROUP_LABEL: Final = "Afterword"
_ONE_LINE: Final = 255
_PLAIN: Final[Mapping[str, tuple[str, str]]] = {
    "number": ("number", "number"),
    "boolean": ("bool", "booleancheckbox"),
    "date": ("date", "date"),
    "datetime": ("datetime", "date"),
    "url": ("string", "text"),
    "email": ("string", "text"),
    "phone": ("string", "phonenumber"),
    "picklist": ("enumeration", "select"),
}
Detail = Mapping[str, Any]


class HubSpotSetup:
    """Plans from what the account has, and acts step by step."""

    def __init__(self, client: HubSpotClient, schemas: HubSpotSchemas) -> None:
        self._client = client
        self._schemas = schemas

    def plan(self, fields: Sequence[FieldSpec], labels: Mapping[str, str] = NO_LABELS) -> list[SetupStep]:
        """Return what is missing; nothing on an account that is set up."""
        steps: list[SetupStep] = []
        for name in dict.fromkeys(spec.object for spec in fields):
            there = {row["name"]: row for row in self._schemas.definitions(name)}
            wanted = [spec for spec in fields if spec.object == name]
            if missing := [spec for spec in wanted if property_name(spec) not in there]:
                steps += self._steps(name, missing)
            steps += option_steps(wanted, there)
            steps += label_steps(wanted, there, labels)
        return steps

    def _steps(self, object_name: str, missing: Sequence[FieldSpec]) -> Iterator[SetupStep]:
        archived = self._names(object_name, archived=True)
        kept = [spec for spec in missing if property_name(spec) in archived]
        new = [spec for spec in missing if property_name(spec) not in archived]
        if new and GROUP not in self._groups(object_name):
            yield group_step(object_name)
        yield from map(field_step, new)
        if kept:
            yield restore_step(object_name, [spec.label for spec in kept])
        if shown := [spec.label for spec in missing if not spec.unique]:
            yield card_step(object_name, shown)

    def apply(self, steps: Sequence[SetupStep]) -> Iterator[SetupResult]:
        """Carry out the steps; a refused one does not stop the others. A manual one is never done by us."""
        for step in steps:
            if step.manual:
                yield SetupResult(step, done=False)
                continue
            try:
                detail = self._actions[step.detail["action"]](self, step.detail)
            except CrmError as error:
                yield SetupResult(step, done=False, error=error)
            else:
                yield SetupResult(step, done=True, detail=detail)

    def plan_undo(self, made: Sequence[SetupResult]) -> list[SetupStep]:
        """Return steps for what the results say was made, the newest first."""
        return [_removal(result) for result in reversed(made) if result.done and result.detail.get("undo")]

    def _names(self, object_name: str, *, archived: bool = False) -> set[str]:
        return {row["name"] for row in self._schemas.definitions(object_name, archived=archived)}

    def _groups(self, object_name: str) -> set[str]:
        call = f"property groups of {object_name}"
        answer = self._client.read_list(properties(object_name, "groups"), call=call)
        return {str(row.get("name")) for row in answer.rows}

    # ── acting ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _make_group(self, detail: Detail) -> dict[str, Any]:
        body = {"name": GROUP, "label": _GROUP_LABEL, "displayOrder": -1}
        return self._make(properties(detail["object"], "groups"), body, properties(detail["object"], "groups", GROUP))

    def _make_property(self, detail: Detail) -> dict[str, Any]:
        name, body = detail["object"], dict(detail["definition"])
        path, undo = properties(name), properties(name, body["name"])
        try:
            return self._make(path, body, undo)
        except RecordRejected as error:
            if property_room.is_full(error):
                raise NoRoom(error.what, where=error.where, code=error.code) from error
            if not body.get("hasUniqueValue") or name not in ACTIVITIES:
                raise
        # HubSpot may keep unique properties to records; an activity is found through what it hangs on instead.
        return self._make(path, {**body, "hasUniqueValue": False}, undo)

    def _add_options(self, detail: Detail) -> dict[str, Any]:
        """Add options to a property of ours. They stay when the set-up is undone, unless the property goes: records may hold them."""
        path = properties(detail["object"], detail["name"])
        row = self._client.read(path, call=f"definition of {detail['name']}").data
        there = row.get("options") or []
        absent = [option for option in detail["options"] if option not in _values(row)]
        if not absent:
            return {"existed": True}
        # What is written replaces the list: what stands there now, hidden options too, is written as it is.
        last = max((int(old_option.get("displayOrder") or 0) for old_option in there), default=-1)
        new = [_option(option, option, last + place) for place, option in enumerate(absent, start=1)]
        self._client.change("PATCH", path, {"options": [*there, *new]}, call="options")
        return {"added": absent}

    def _change_label(self, detail: Detail) -> dict[str, Any]:
        """Change a label where it still is the one that we gave: an admin's stays."""
        path = properties(detail["object"], detail["name"])
        row = self._client.read(path, call=f"definition of {detail['name']}").data
        if row.get("label") != detail["old"]:
            return {"existed": True}
        self._client.change("PATCH", path, {"label": detail["label"]}, call="label")
        return {"label": detail["label"]}

    def _make(self, path: str, body: Mapping[str, Any], undo: str) -> dict[str, Any]:
        call = f"make {body['name']}"
        try:
            self._client.change("POST", path, body, call=call)
        except Conflict:
            return {"existed": True}
        except RecordRejected as error:
            if "EXISTS" not in error.code and "already exists" not in error.what:
                raise
            return {"existed": True}
        except Unavailable as error:
            # The next plan would find it there, and nobody would know that it is ours.
            if error.not_sent or not self._is_there(undo):
                raise
        return {"undo": {"action": "delete", "path": undo}}

    def _is_there(self, path: str) -> bool:
        try:
            self._client.read(path, call="look at what was made")
        except CrmError:
            return False
        return True

    def _delete(self, detail: Detail) -> dict[str, Any]:
        """Delete what we made; what is gone already counts as done."""
        try:
            self._client.change("DELETE", detail["path"], call="remove")
        except (Absent, SchemaChanged) as error:
            if isinstance(error, SchemaChanged) and not error.field:
                raise
            return {"gone": True}
        return {}

    _actions: Mapping[str, Callable[["HubSpotSetup", Detail], dict[str, Any]]] = {
        "group": _make_group,
        "property": _make_property,
        "options": _add_options,
        "label": _change_label,
        "delete": _delete,
    }


# ── steps ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def property_name(spec: FieldSpec) -> str:
    """Return the name that the property will have: HubSpot knows small letters only."""
    return spec.name.lower()


def group_step(object_name: str) -> SetupStep:
    """Return the step that makes the group of our properties."""
    sentence = f"Make the property group “{_GROUP_LABEL}” for {object_name}."
    return SetupStep(f"group:{object_name}.{GROUP}", sentence, detail={"action": "group", "object": object_name})


def field_step(spec: FieldSpec) -> SetupStep:
    """Return the step that makes a property."""
    detail = {"action": "property", "object": spec.object, "definition": definition(spec)}
    return SetupStep(
        f"{_FIELD}{spec.object}.{spec.name}",
        f"Make the property “{spec.label}” ({property_name(spec)}) of {spec.object}.",
        detail=detail,
        group=f"Make properties of {spec.object}",
        item=f"{spec.label} ({property_name(spec)})",
        makes=(spec.object, spec.name),
    )


def option_steps(wanted: Sequence[FieldSpec], there: Mapping[str, Mapping[str, Any]]) -> Iterator[SetupStep]:
    """Yield a step for each enumeration that lacks some of our options; one that is hidden is there, and stays hidden."""
    for spec in wanted:
        row = there.get(property_name(spec))
        if row is None or row.get("type") != "enumeration" or row.get("externalOptions"):
            continue
        if absent := [option for option in spec.options if option not in _values(row)]:
            named = ", ".join(f"“{option}”" for option in absent)
            detail = {"action": "options", "object": spec.object, "name": property_name(spec), "options": absent}
            sentence = f"Add {named} to the options of “{spec.label}” ({property_name(spec)}) of {spec.object}."
            yield SetupStep(f"{_OPTIONS}{spec.object}.{spec.name}", sentence, detail=detail)


def label_steps(
    wanted: Sequence[FieldSpec], there: Mapping[str, Mapping[str, Any]], labels: Mapping[str, str]
) -> Iterator[SetupStep]:
    """Yield a step for each property that is still called as we called it before."""
    for spec in wanted:
        row = there.get(property_name(spec))
        old = labels.get(f"{_FIELD}{spec.object}.{spec.name}")
        if row is None or old is None or row.get("label") != old or old == spec.label:
            continue
        name = property_name(spec)
        detail = {"action": "label", "object": spec.object, "name": name, "old": old, "label": spec.label}
        sentence = f"Call the property “{old}” ({name}) of {spec.object} “{spec.label}”."
        yield SetupStep(f"{_LABEL}{spec.object}.{spec.name}", sentence, detail=detail)


def restore_step(object_name: str, labels: Sequence[str]) -> SetupStep:
    """Return the click path for properties that were deleted: HubSpot keeps their names for 90 days, and no call restores them."""
    path = f"Settings > Data Management > Properties > {object_name.capitalize()} properties > Archived"
    sentence = (
        f"Restore properties that were deleted, whose names HubSpot keeps for 90 days: {path}: {', '.join(labels)}."
    )
    return SetupStep(f"restore:{object_name}", sentence, manual=True)


def card_step(object_name: str, labels: Sequence[str]) -> SetupStep:
    """Return the click path for showing properties: their place on the page is each account's own."""
    path = f"Settings > Data Management > Objects > {object_name.capitalize()} > Record Customization > (your view)"
    sentence = f"Show the properties on the record: {path} > Add cards > Property list: {', '.join(labels)}."
    return SetupStep(f"layout:{object_name}", sentence, manual=True)


def definition(spec: FieldSpec) -> dict[str, Any]:
    """Return the property as HubSpot takes it. `Bug`: a type that we have no use for."""
    kind, shape = _shape(spec)
    body: dict[str, Any] = {
        "name": property_name(spec),
        "label": spec.label,
        "type": kind,
        "fieldType": shape,
        "groupName": GROUP,
        "description": spec.help,
        "formField": False,
    }
    if spec.type == "boolean":
        body["options"] = [_option("Yes", "true", 0), _option("No", "false", 1)]
    if spec.type == "picklist":
        body["options"] = [_option(word, word, place) for place, word in enumerate(spec.options)]
    if spec.unique:
        body["hasUniqueValue"] = True
    return body


def _shape(spec: FieldSpec) -> tuple[str, str]:
    if spec.type == "text":
        return "string", "text" if (spec.length or _ONE_LINE) <= _ONE_LINE else "textarea"
    if spec.type not in _PLAIN or (spec.length or 0) > LONGEST_TEXT:
        raise Bug(f"no property of type {spec.type} can be made")
    return _PLAIN[spec.type]


def _values(row: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(str(option["value"]) for option in row.get("options") or () if "value" in option)


def _option(label: str, value: str, place: int) -> dict[str, Any]:
    return {"label": label, "value": value, "displayOrder": place, "hidden": False}


def _removal(result: SetupResult) -> SetupStep:
    """Return the step that takes back what a result says was made."""
    step = result.step
    object_name, _, name = step.key.removeprefix(_FIELD).partition(".")
    return SetupStep(
        f"remove:{step.key}",
        _undoing(step.sentence),
        detail=result.detail["undo"],
        group=_undoing(step.group),
        item=step.item,
        holds=(object_name, name.lower()) if step.key.startswith(_FIELD) else None,
    )


def _undoing(sentence: str) -> str:
    return sentence.replace("Make", "Remove", 1)
