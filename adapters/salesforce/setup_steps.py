"""The steps of setting up an org, in an admin's words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from adapters.salesforce.custom_fields import full_name, holder, metadata
from adapters.salesforce.record_pages import RecordPage, dynamic_path, layout_path
from connector.ports import FieldSpec, SetupStep

PERMISSION_SET = "Afterword"
FIELD = "field:"
_OPTIONS = "options:"
_LABEL = "label:"


@dataclass(frozen=True, slots=True)
class SetupState:
    """What is there already."""

    defined: frozenset[str]
    """Full names of wanted fields that exist, visible to us or not."""
    short: Mapping[str, tuple[str, ...]]
    """By full name, the options that a picklist lacks."""
    permitted: frozenset[str]
    """Wanted fields, as ``Object.Field``, that the integration user may read and edit."""
    by_set: bool
    """Whether `permitted` tells what the permission set gives, which is the integration user's only once it is assigned."""
    permission_set: str | None
    user: str | None
    """The integration user's id, if we can tell."""
    assigned: bool


def field_steps(new: Sequence[FieldSpec]) -> Iterator[SetupStep]:
    """Yield a step for each definition; fields of tasks and events are one."""
    for name, spec in {full_name(spec): spec for spec in new}.items():
        detail = {"action": "field", "name": name, "metadata": metadata(spec)}
        yield SetupStep(
            f"{FIELD}{name}",
            f"Make the field “{spec.label}” ({name}).",
            detail=detail,
            group=f"Make fields of {holder(spec.object)}",
            item=f"{spec.label} ({spec.name})",
            makes=(spec.object, spec.name),
        )


def option_steps(fields: Sequence[FieldSpec], short: Mapping[str, tuple[str, ...]]) -> Iterator[SetupStep]:
    """Yield a step for each picklist that lacks some of our options."""
    for name, spec in {full_name(spec): spec for spec in fields if full_name(spec) in short}.items():
        options = short[name]
        yield SetupStep(
            f"{_OPTIONS}{name}",
            f"Add {', '.join(f'“{option}”' for option in options)} to the list of “{spec.label}” ({name}).",
            detail={"action": "options", "name": name, "options": list(options)},
        )


def label_steps(fields: Sequence[FieldSpec], outdated: Mapping[str, str]) -> Iterator[SetupStep]:
    """Yield a step for each field that is to be called otherwise than we called it before."""
    for name, spec in {full_name(spec): spec for spec in fields if full_name(spec) in outdated}.items():
        old = outdated[name]
        yield SetupStep(
            f"{_LABEL}{name}",
            f"Call the field “{old}” ({name}) “{spec.label}”.",
            detail={"action": "label", "name": name, "old": old, "label": spec.label},
        )


def permission_steps(
    fields: Sequence[FieldSpec], hidden: Sequence[tuple[str, str]], state: SetupState
) -> Iterator[SetupStep]:
    """Yield what the integration user lacks. A new field is visible to nobody, admins included, until it is permitted."""
    lacking = [spec for spec in fields if f"{spec.object}.{spec.name}" not in state.permitted]
    if not lacking and not hidden and (state.assigned or not state.by_set):
        return
    if state.permission_set is None:
        sentence = f"Make the permission set {PERMISSION_SET}."
        yield SetupStep(f"permission_set:{PERMISSION_SET}", sentence, detail={"action": "permission_set"})
    for spec in lacking:
        name = f"{spec.object}.{spec.name}"
        yield SetupStep(
            f"permission:{name}",
            f"Let the permission set read and edit {name}.",
            detail={"action": "permit", "object": spec.object, "field": name},
            group=f"Let the permission set read and edit on {spec.object}",
            item=spec.label,
        )
    for object_name, field in hidden:
        name = f"{object_name}.{field}"
        yield SetupStep(
            f"permission:{name}",
            f"Let the permission set read {name}.",
            detail={"action": "permit", "object": object_name, "field": name, "edit": False},
            group=f"Let the permission set read on {object_name}",
            item=field,
        )
    if not state.assigned:
        yield assignment_step(state.user)


def assignment_step(user: str | None) -> SetupStep:
    """Return the step that gives the permission set to the integration user, by hand if we cannot tell who that is."""
    key = f"assignment:{PERMISSION_SET}"
    if user is not None:
        sentence = f"Assign the permission set {PERMISSION_SET} to the integration user."
        return SetupStep(key, sentence, detail={"action": "assign", "user": user})
    path = f"Setup > Users > Permission Sets > {PERMISSION_SET} > Manage Assignments > Add Assignment"
    return SetupStep(key, f"Assign the permission set to the integration user: {path}.", manual=True)


def undoing(sentence: str) -> str:
    """Return what takes back the step that this sentence tells."""
    verb, _, rest = sentence.partition(" ")
    return f"Remove {rest}" if verb == "Make" else f"No longer {verb.lower()} {rest}"


def values_of(key: str) -> tuple[str, str] | None:
    """Return the object and the field that the step of this key made; None where it made something else."""
    owner, _, name = key.removeprefix(FIELD).partition(".")
    if not key.startswith(FIELD) or not name:
        return None
    return ("Task" if owner == holder("Task") else owner), name


def layout_step(object_name: str, layout: RecordPage, fields: Sequence[FieldSpec]) -> SetupStep:
    """Return the step that puts fields on one page layout."""
    sentence = f"Show {_labels(fields)} on the {object_name} page layout “{layout.name}”."
    detail = {"action": "place", "layout": layout.id, "fields": [spec.name for spec in fields]}
    return SetupStep(f"layout:{object_name}:{layout.id}", sentence, detail=detail)


def manual_layout_step(object_name: str, fields: Sequence[FieldSpec]) -> SetupStep:
    """Return the click path for showing fields, for orgs whose layouts we may not change."""
    sentence = f"Show the fields on the page: {layout_path(object_name)}, drag in {_labels(fields)}, Save."
    return SetupStep(f"layout:{object_name}", sentence, manual=True)


def dynamic_step(object_name: str, page: str, labels: Sequence[str]) -> SetupStep:
    """Return the click path for a Lightning page that takes its fields from no layout."""
    sentence = (
        f"Show the fields on the Lightning page “{page}”: {dynamic_path(page)}, drag in {', '.join(labels)}, Save."
    )
    return SetupStep(f"page:{object_name}:{page}", sentence, manual=True)


def visibility_step(object_name: str, fields: Sequence[FieldSpec]) -> SetupStep:
    """Return the click path by which people get to see new fields: who may see what is the admin's decision."""
    path = f"Setup > Users > Permission Sets > (your people's) > Object Settings > {object_name} > Edit"
    edited = [spec for spec in fields if spec.edited]
    rights = [
        f"Read Access of {_labels([spec for spec in fields if not spec.edited])}" if len(edited) < len(fields) else ""
    ]
    rights += [f"Edit Access of {_labels(edited)}, which people fill in" if edited else ""]
    doing = "see the fields" if not edited else "see and fill in the fields"
    sentence = f"Let people {doing}: {path}, tick {' and '.join(filter(None, rights))}, Save."
    return SetupStep(f"visibility:{object_name}", sentence, manual=True)


def _labels(fields: Sequence[FieldSpec]) -> str:
    return ", ".join(spec.label for spec in fields)
