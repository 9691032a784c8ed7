"""The calls about properties and their groups."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from adapters.sandbox.hubspot.body_shapes import DEFINITION, DEFINITIONS, GROUP
from adapters.sandbox.hubspot.calls import HubSpotCall
from adapters.sandbox.hubspot.errors import HubSpotError, bad_json, not_found, required
from adapters.sandbox.hubspot.portal.property_values import iso
from adapters.sandbox.hubspot.portal.schema import Group, Option, PortalObjectType, Property
from adapters.sandbox.hubspot.read_calls import MOST_INPUTS, inputs_of
from adapters.sandbox.web import Response, json_response

TYPES = frozenset({"bool", "date", "datetime", "enumeration", "number", "phone_number", "string"})
FIELD_TYPES = frozenset(
    [
        "booleancheckbox",
        "calculation_equation",
        "checkbox",
        "date",
        "file",
        "html",
        "number",
        "phonenumber",
        "radio",
        "select",
        "text",
        "textarea",
    ]
)
_EXTRAS = (
    "calculationFormula",
    "currencyPropertyName",
    "dateDisplayHint",
    "numberDisplayHint",
    "referencedObjectType",
    "showCurrencySymbol",
    "textDisplayHint",
)


def answer(call: HubSpotCall, rest: list[str]) -> Response:
    """Everything under properties/{type}."""
    object_type = call.portal.object(rest[0])
    call.note.sobject = object_type.name
    reads = call.request.method == "GET" or rest[1:] == ["batch", "read"]
    _scoped(call, object_type, write=not reads)
    match (call.request.method, *rest[1:]):
        case ("GET",):
            return _listed(call, object_type)
        case ("POST",):
            return _create(call, object_type)
        case ("POST", "batch", action):
            return _batch(call, object_type, action)
        case (_, "groups", *more):
            return _groups(call, object_type, more)
        case ("GET", name):
            call.read(1)
            return json_response(definition_json(call, object_type.property(name, archived=call.flag("archived"))))
        case ("PATCH", name):
            return _change(call, object_type, name)
        case ("DELETE", name):
            call.wrote()
            object_type.archive(name, call.portal.now())
            return Response(204)
    raise not_found()


def limits(call: HubSpotCall) -> Response:
    """How many properties of its own each object may have, and has."""
    call.read(1)
    rows = [_limit(call, object_type) for object_type in call.portal.schema.objects.values()]
    most, used = sum(row["limit"] for row in rows), sum(row["usage"] for row in rows)
    overall = {"overallLimit": most, "overallUsage": used, "overallPercentage": _share(used, most)}
    return json_response({"byObjectType": rows, **overall})


def _limit(call: HubSpotCall, object_type: PortalObjectType) -> dict[str, Any]:
    most, used = call.portal.most_properties, _custom_count(object_type)
    labels = {"singularLabel": object_type.singular.capitalize(), "pluralLabel": object_type.name.capitalize()}
    return {
        "objectTypeId": object_type.type_id,
        **labels,
        "limit": most,
        "usage": used,
        "percentage": _share(used, most),
    }


def _share(used: int, most: int) -> float:
    return round(100 * used / most, 2) if most else 100.0


def _custom_count(object_type: PortalObjectType) -> int:
    return sum(not spec.standard for spec in object_type.properties.values())


def definition_json(call: HubSpotCall, spec: Property) -> dict[str, Any]:
    """A property's definition on the wire."""
    formula = spec.field_type == "calculation_equation"
    meta: dict[str, Any] = {"archivable": not spec.standard, "readOnlyDefinition": spec.standard}
    meta |= {"readOnlyValue": spec.read_only or formula}
    if spec.type == "enumeration":
        meta["readOnlyOptions"] = spec.external
    definition = {
        "name": spec.name,
        "label": spec.label,
        "type": spec.type,
        "fieldType": spec.field_type,
        "description": spec.description,
        "groupName": spec.group,
        "options": [option.as_json() for option in spec.options],
        "displayOrder": spec.order,
        "calculated": formula,
        "externalOptions": spec.external,
        "archived": spec.archived is not None,
        "hasUniqueValue": spec.unique,
        "hidden": spec.hidden,
        "modificationMetadata": meta,
        "formField": spec.form_field,
        "dataSensitivity": "non_sensitive",
        **spec.extras,
    }
    if spec.standard:
        return definition | {"hubspotDefined": True}
    return definition | _origin(call, spec)


def _origin(call: HubSpotCall, spec: Property) -> dict[str, Any]:
    user = spec.user or str(call.portal.admin.user_id)
    at = {"createdAt": spec.created, "updatedAt": spec.updated, "archivedAt": spec.archived}
    stamps = {name: iso(ms) for name, ms in at.items() if ms is not None}
    return {**stamps, "createdUserId": user, "updatedUserId": user}


def _scoped(call: HubSpotCall, object_type: PortalObjectType, *, write: bool) -> None:
    bases = [scope for scope in object_type.scopes if scope != "sales-email-read"]
    schemas = [base.replace("objects", "schemas") for base in bases if base != "tickets"]
    plain = [base for base in bases if base == "tickets"]
    if write:
        call.scoped(*(f"{schema}.write" for schema in schemas), *plain)
    else:
        names = [f"{schema}.read" for schema in (*schemas, *(base for base in bases if base != "tickets"))]
        call.scoped(*names, *plain)


def _listed(call: HubSpotCall, object_type: PortalObjectType) -> Response:
    archived = call.flag("archived")
    properties = object_type.archived_properties if archived else object_type.properties
    call.read(len(properties))
    return json_response({"results": [definition_json(call, spec) for spec in properties.values()]})


def _create(call: HubSpotCall, object_type: PortalObjectType) -> Response:
    call.wrote()
    return json_response(definition_json(call, _new_property(call, object_type, call.body(DEFINITION))), 201)


def _new_property(call: HubSpotCall, object_type: PortalObjectType, body: Mapping[str, Any]) -> Property:
    missing = [name for name in ("fieldType", "groupName", "label", "name", "type") if not body.get(name)]
    if missing:
        raise required(missing)
    now, user = call.portal.now(), str(call.token.user_id)
    blank = Property(body["name"].lower(), unique=body.get("hasUniqueValue", False), created=now, user=user)
    spec = _with(blank, object_type, body, now)
    if spec.name not in object_type.properties and _custom_count(object_type) >= call.portal.most_properties:
        most = call.portal.most_properties
        raise HubSpotError(f"You have reached the limit of {most} custom properties for {object_type.word} objects.")
    object_type.add(spec)
    return spec


def _change(call: HubSpotCall, object_type: PortalObjectType, name: str) -> Response:
    call.wrote()
    spec = object_type.property(name)
    if spec.standard:
        raise HubSpotError(f'Property "{name}" is defined by HubSpot and cannot be changed.')
    changed = _with(spec, object_type, call.body(DEFINITION), call.portal.now())
    object_type.properties[name] = changed
    call.portal.store.table(object_type.name).forget(name)
    return json_response(definition_json(call, changed))


def _with(spec: Property, object_type: PortalObjectType, body: Mapping[str, Any], at: int) -> Property:
    kind, field_type = body.get("type", spec.type), body.get("fieldType", spec.field_type)
    if kind not in TYPES or field_type not in FIELD_TYPES:
        raise bad_json(f"type {kind} or fieldType {field_type} is not one of those that exist")
    group = body.get("groupName", spec.group)
    if group not in object_type.groups:
        raise HubSpotError(f"Property group '{group}' does not exist")
    extras = {name: body[name] for name in _EXTRAS if name in body}
    return replace(
        spec,
        type=kind,
        field_type=field_type,
        label=body.get("label", spec.label),
        group=group,
        description=body.get("description", spec.description),
        options=_options(body["options"]) if "options" in body else _usual(spec, kind),
        external=body.get("externalOptions", spec.external),
        hidden=body.get("hidden", spec.hidden),
        form_field=body.get("formField", spec.form_field),
        order=body.get("displayOrder", spec.order),
        updated=at,
        extras={**spec.extras, **extras},
    )


def _usual(spec: Property, kind: str) -> tuple[Option, ...]:
    if kind == "bool" and not spec.options:
        return (Option("true", "Yes", 0), Option("false", "No", 1))
    return spec.options


def _options(written: list[dict[str, Any]]) -> tuple[Option, ...]:
    options = tuple(
        Option(
            sent.get("value", ""),
            sent.get("label", ""),
            sent.get("displayOrder", -1),
            hidden=sent.get("hidden", False),
            description=sent.get("description", ""),
        )
        for sent in written
    )
    if len({option.value for option in options}) < len(options):
        raise HubSpotError("Option values must be unique.")
    return options


def _batch(call: HubSpotCall, object_type: PortalObjectType, action: str) -> Response:
    body = call.body(DEFINITIONS, "inputs")
    inputs = inputs_of(body, most=MOST_INPUTS)
    match action:
        case "read":
            call.read(len(inputs))
            return _several(call, [_named(object_type, sent, archived=body.get("archived", False)) for sent in inputs])
        case "create":
            call.wrote(len(inputs))
            return _several(call, [_attempt(call, object_type, sent) for sent in inputs], status=201)
        case "archive":
            call.wrote(len(inputs))
            for sent in inputs:
                if sent.get("name") in object_type.properties:
                    object_type.archive(sent["name"], call.portal.now())
            return Response(204)
    raise not_found()


def _named(object_type: PortalObjectType, sent: Mapping[str, Any], *, archived: bool) -> Property | HubSpotError:
    try:
        return object_type.property(sent.get("name", ""), archived=archived)
    except HubSpotError as error:
        return error


def _attempt(call: HubSpotCall, object_type: PortalObjectType, sent: Mapping[str, Any]) -> Property | HubSpotError:
    try:
        return _new_property(call, object_type, sent)
    except HubSpotError as error:
        return error


def _several(call: HubSpotCall, outcomes: list[Property | HubSpotError], *, status: int = 200) -> Response:
    good = [definition_json(call, outcome) for outcome in outcomes if isinstance(outcome, Property)]
    return call.batch(good, [outcome.row() for outcome in outcomes if isinstance(outcome, HubSpotError)], status=status)


def _groups(call: HubSpotCall, object_type: PortalObjectType, rest: list[str]) -> Response:
    match (call.request.method, *rest):
        case ("GET",):
            call.read(len(object_type.groups))
            return json_response({"results": [group.as_json() for group in object_type.groups.values()]})
        case ("POST",):
            return _new_group(call, object_type)
        case ("GET", name):
            return json_response(_group(object_type, name).as_json())
        case ("PATCH", name):
            call.wrote()
            group, body = _group(object_type, name), call.body(GROUP)
            group.label = body.get("label", group.label)
            group.order = body.get("displayOrder", group.order)
            return json_response(group.as_json())
        case ("DELETE", name):
            return _drop_group(call, object_type, name)
    raise not_found()


def _new_group(call: HubSpotCall, object_type: PortalObjectType) -> Response:
    call.wrote()
    body = call.body(GROUP, "label", "name")
    name = body["name"].lower()
    if name in object_type.groups:
        words = f"A property group named '{name}' already exists."
        raise HubSpotError(words, status=409, category="OBJECT_ALREADY_EXISTS")
    object_type.groups[name] = Group(name, body["label"], body.get("displayOrder", -1))
    return json_response(object_type.groups[name].as_json(), 201)


def _drop_group(call: HubSpotCall, object_type: PortalObjectType, name: str) -> Response:
    call.wrote()
    _group(object_type, name)
    if any(spec.group == name for spec in object_type.properties.values()):
        raise HubSpotError(f"Property group '{name}' still has properties and cannot be deleted.")
    del object_type.groups[name]
    return Response(204)


def _group(object_type: PortalObjectType, name: str) -> Group:
    if name not in object_type.groups:
        raise not_found(f"Property group '{name}' does not exist")
    return object_type.groups[name]
