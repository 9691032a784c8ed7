"""Making and removing fields in the CRM in memory."""

from collections.abc import Sequence
from dataclasses import replace

from adapters.memory.crm import MemoryCrm
from connector.errors import CrmError, NoRoom, NotPermitted
from connector.model import MissingRight
from connector.ports import FieldLimit, FieldSchema, FieldSpec, Needs, SetupResult, SetupStep


def plan_setup(crm: MemoryCrm, fields: Sequence[FieldSpec]) -> list[SetupStep]:
    """Return a step for each field that is not there, or hidden from the integration user."""
    steps = []
    for spec in fields:
        if spec.name not in crm.definition(spec.object).fields:
            steps.append(_create(spec))
        elif spec.name in crm.unseen(spec.object):
            steps.append(
                _step("permission", "grant", (spec.object, spec.name), f"Let Afterword use {spec.object}.{spec.name}.")
            )
        elif absent := _absent_options(crm.definition(spec.object).fields[spec.name], spec):
            sentence = f"Add {', '.join(absent)} to the list of {spec.object}.{spec.name}."
            step = _step("options", "extend", (spec.object, spec.name), sentence)
            steps.append(replace(step, detail={**step.detail, "options": list(absent)}))
    return steps


def field_limits(crm: MemoryCrm, objects: Sequence[str]) -> list[FieldLimit]:
    """Return the limits of custom fields of these objects."""
    if not crm.tells_limits:
        return []
    return [
        FieldLimit((name,), crm.most_fields[name], _custom(crm, name)) for name in objects if name in crm.most_fields
    ]


def _custom(crm: MemoryCrm, object_name: str) -> int:
    return sum(name.lower().endswith("__c") for name in crm.definition(object_name).fields)


def missing_rights(crm: MemoryCrm, needs: Needs) -> list[MissingRight]:
    """Return the rights that the user was not granted."""
    lacking = [(right, name) for name, rights in needs.items() for right in sorted(rights & crm.withheld(name))]
    return [MissingRight(f"the right to {right} {name}", "Grant it.") for right, name in lacking]


def plan_undo(made: Sequence[SetupResult]) -> list[SetupStep]:
    """Return the steps that take back what was done, newest first."""
    opposite = {"create": ("remove", "Remove the field"), "grant": ("withdraw", "No longer let Afterword use")}
    steps = []
    for result in reversed(made):
        action, doing = opposite.get(str(result.detail.get("action")), (None, ""))
        if result.done and action is not None:
            name = f"{result.detail['object']}.{result.detail['name']}"
            detail = {**result.detail, "action": action}
            holds = (str(detail["object"]), str(detail["name"])) if action == "remove" else None
            steps.append(replace(result.step, sentence=f"{doing} {name}.", detail=detail, holds=holds))
    return steps


def carry_out(crm: MemoryCrm, step: SetupStep) -> SetupResult:
    """Carry out one step. Raises `NotPermitted` when the user may not customise the CRM."""
    if step.manual:
        return SetupResult(step, done=False)
    if not crm.may_customise:
        raise NotPermitted("the user may not change the CRM's set-up.", remedy="Use an administrator's token.")
    object_name, name = str(step.detail["object"]), str(step.detail["name"])
    try:
        _do(crm, str(step.detail["action"]), _schema(step))
    except CrmError as error:
        return SetupResult(step, done=False, error=error)
    detail = {"action": step.detail["action"], "object": object_name, "name": name}
    return SetupResult(step, done=True, detail=detail)


def _do(crm: MemoryCrm, action: str, target: tuple[str, FieldSchema]) -> None:
    object_name, field = target
    match action:
        case "create":
            most = crm.most_fields.get(object_name)
            if most is not None and _custom(crm, object_name) >= most:
                raise NoRoom(f"{object_name} has {most} custom fields already.")
            crm.add_field(object_name, field)
        case "remove":
            crm.remove_field(object_name, field.name)
        case "grant":
            crm.show(object_name, field.name)
        case "withdraw":
            crm.hide(object_name, field.name)
        case "extend":
            there = crm.definition(object_name).fields[field.name]
            absent = [option for option in field.options if option not in there.options]
            crm.add_field(object_name, replace(there, options=(*there.options, *absent)))


def _absent_options(there: FieldSchema, spec: FieldSpec) -> tuple[str, ...]:
    if there.type != "picklist":
        return ()
    return tuple(option for option in spec.options if option not in there.options)


def _create(spec: FieldSpec) -> SetupStep:
    step = _step(
        "field", "create", (spec.object, spec.name), f"Create the field {spec.object}.{spec.name} ({spec.label})."
    )
    more = {
        "label": spec.label,
        "type": spec.type,
        "length": spec.length,
        "precision": spec.precision,
        "scale": spec.scale,
        "options": list(spec.options),
        "unique": spec.unique,
    }
    return replace(step, detail={**step.detail, **more}, makes=(spec.object, spec.name))


def _step(kind: str, action: str, field: tuple[str, str], sentence: str) -> SetupStep:
    object_name, name = field
    detail = {"action": action, "object": object_name, "name": name}
    return SetupStep(f"{kind}:{object_name}.{name}", sentence, detail=detail)


def _schema(step: SetupStep) -> tuple[str, FieldSchema]:
    detail = step.detail
    field = FieldSchema(
        name=detail["name"],
        label=detail.get("label", detail["name"]),
        type=detail.get("type", "text"),
        length=detail.get("length"),
        precision=detail.get("precision"),
        scale=detail.get("scale"),
        options=tuple(detail.get("options", ())),
        restricted=bool(detail.get("options")),
        unique=bool(detail.get("unique")),
        external_id=bool(detail.get("unique")),
    )
    return str(detail["object"]), field
