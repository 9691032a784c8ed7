"""Making and removing fields in the CRM in memory."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from adapters.memory.crm import MemoryCrm
from connector.errors import CrmError, NoRoom, NotPermitted
from connector.model import MissingRight
from connector.ports import NO_LABELS, FieldLimit, FieldSchema, FieldSpec, Needs, SetupResult, SetupStep


def plan_setup(crm: MemoryCrm, fields: Sequence[FieldSpec], labels: Mapping[str, str] = NO_LABELS) -> list[SetupStep]:
    """Return a step for each field that is not there, hidden from the integration user, or called as we called it before."""
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
    return [*steps, *_label_steps(crm, fields, labels)]


def _label_steps(crm: MemoryCrm, fields: Sequence[FieldSpec], labels: Mapping[str, str]) -> Iterator[SetupStep]:
    for spec in fields:
        name = f"{spec.object}.{spec.name}"
        present = crm.definition(spec.object).fields.get(spec.name)
        if present is not None and labels.get(f"field:{name}") == present.label != spec.label:
            step = _step("label", "rename", (spec.object, spec.name), f"Call {name} {spec.label}, not {present.label}.")
            yield replace(step, detail={**step.detail, "old": present.label, "label": spec.label})


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
    if step.detail["action"] == "rename" and _called_otherwise(crm, step):
        return SetupResult(step, done=True, detail={"existed": True})
    try:
        _do(crm, str(step.detail["action"]), _schema(step))
    except CrmError as error:
        return SetupResult(step, done=False, error=error)
    detail = {name: step.detail[name] for name in ("action", "object", "name", "label") if name in step.detail}
    return SetupResult(step, done=True, detail=detail)


def _called_otherwise(crm: MemoryCrm, step: SetupStep) -> bool:
    present = crm.definition(str(step.detail["object"])).fields.get(str(step.detail["name"]))
    return present is None or present.label != step.detail["old"]


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
        case "rename":
            crm.add_field(object_name, replace(crm.definition(object_name).fields[field.name], label=field.label))
        case "extend":
            present = crm.definition(object_name).fields[field.name]
            absent = [option for option in field.options if option not in present.options]
            crm.add_field(object_name, replace(present, options=(*present.options, *absent)))


def _absent_options(present: FieldSchema, spec: FieldSpec) -> tuple[str, ...]:
    if present.type != "picklist":
        return ()
    return tuple(option for option in spec.options if option not in present.options)


def _create(spec: FieldSpec) -> SetupStep:
    step = _step(
        "field", "create", (spec.object, spec.name), f"Create the field “{spec.label}” ({spec.object}.{spec.name})."
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
