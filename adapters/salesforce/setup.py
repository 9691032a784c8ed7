"""Setting up an org: our fields, the permission to use them, and their place on the page; and taking all of it away."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from adapters.salesforce import layouts
from adapters.salesforce.config import SalesforceAccess
from adapters.salesforce.custom_fields import full_name, holder
from adapters.salesforce.http.client import SalesforceClient, expect_object
from adapters.salesforce.options import listed, with_options
from adapters.salesforce.org import SalesforceOrg
from adapters.salesforce.record_pages import RecordPages, held_by
from adapters.salesforce.records import soql
from adapters.salesforce.records.reader import SalesforceReader
from adapters.salesforce.schemas import SalesforceSchemas
from adapters.salesforce.setup_steps import (
    FIELD,
    PERMISSION_SET,
    SetupState,
    dynamic_step,
    field_steps,
    label_steps,
    layout_step,
    manual_layout_step,
    option_steps,
    permission_steps,
    undoing,
    values_of,
    visibility_step,
)
from connector.errors import CrmError, Locked, NoRoom, NotPermitted, RecordRejected, SchemaChanged
from connector.model import Unseen
from connector.ports import NO_LABELS, Condition, FieldLimit, FieldSpec, ObjectSchema, SetupResult, SetupStep

_FIELDS_URL = "tooling/sobjects/CustomField"
_ADMIN = "This takes an administrator, with the right Customize Application."
_LOCKED = "Somebody else is changing it, or Salesforce is still at work on it: run the same command again in a minute."
_FULL = frozenset({"CUSTOM_ENTITY_OR_FIELD_LIMIT", "LIMIT_EXCEEDED"})
"""Codes of a field that is one too many."""
_PAUSES = (2.0, 5.0)
"""Seconds before what was locked is tried again."""
Detail = Mapping[str, Any]


class SalesforceSetup:
    """Plans from what the org has, and acts step by step."""

    def __init__(
        self,
        access: SalesforceAccess,
        client: SalesforceClient,
        *,
        reader: SalesforceReader,
        schemas: SalesforceSchemas,
        org: SalesforceOrg,
    ) -> None:
        self._access = access
        self._client = client
        self._reader = reader
        self._schemas = schemas
        self._org = org
        self._pages = RecordPages(client)

    def plan(
        self,
        fields: Sequence[FieldSpec],
        hidden: Sequence[tuple[str, str]] = (),
        labels: Mapping[str, str] = NO_LABELS,
    ) -> list[SetupStep]:
        """Return what is missing; nothing on an org that is set up. `hidden`: what the integration user is to read besides; `labels`:
        what we called fields last, by the keys of the steps that made them."""
        state = self._look(fields)
        new = [spec for spec in fields if full_name(spec) not in state.defined]
        return [
            *field_steps(new),
            *option_steps(fields, state.short),
            *label_steps(fields, dict(self._outdated(fields, labels))),
            *permission_steps(fields, hidden, state),
            *self._layout_steps(fields, new),
        ]

    def apply(self, steps: Sequence[SetupStep]) -> Iterator[SetupResult]:
        """Carry out the steps; a refused one does not stop the others. A manual one is never done by us."""
        for step in steps:
            if step.manual:
                yield SetupResult(step, done=False)
                continue
            try:
                detail = self._carry_out(step.detail)
            except NotPermitted as error:
                # What helps with records, our permission set, is one of the things that are not made yet.
                yield SetupResult(step, done=False, error=NotPermitted(error.what, where=error.where, remedy=_ADMIN))
            except Locked as error:
                yield SetupResult(step, done=False, error=Locked(error.what, where=error.where, remedy=_LOCKED))
            except CrmError as error:
                yield SetupResult(step, done=False, error=error)
            else:
                yield SetupResult(step, done=True, detail=detail)

    def plan_undo(self, made: Sequence[SetupResult]) -> list[SetupStep]:
        """Return steps for what the results say was made, the newest first."""
        return [_removal(result) for result in reversed(made) if result.done and result.detail.get("undo")]

    def limits(self, objects: Sequence[str]) -> list[FieldLimit]:
        """Return how many custom fields these objects may have; those of tasks and events are those of Activity."""
        field_limits = []
        for owner in dict.fromkeys(map(holder, objects)):
            both = [held_by(owner, "EntityDefinitionId"), Condition("Type", "=", ("CustomFields",))]
            text = soql.select(("Max", "Remaining"), "EntityLimit", *map(soql.condition, both))
            of_owner = tuple(name for name in objects if holder(name) == owner)
            for row in self._pages.rows(text, call=f"limits of {owner}"):
                most, left = row.get("Max"), row.get("Remaining")
                if isinstance(most, int) and isinstance(left, int):
                    field_limits.append(FieldLimit(of_owner, most, most - left))
        return field_limits

    def unseen(self, fields: Sequence[FieldSpec]) -> list[Unseen]:
        """Return which fields no page shows to people. A task's key is nothing to look at."""
        schemas = self._described(fields)
        there = [spec for spec in fields if not spec.unique and spec.name in schemas[spec.object].fields]
        unseen_fields: list[Unseen] = []
        for name in dict.fromkeys(spec.object for spec in there):
            unseen_fields += self._pages.unseen(name, [spec for spec in there if spec.object == name])
        return unseen_fields

    # ── looking ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _look(self, fields: Sequence[FieldSpec]) -> SetupState:
        schemas = self._described(fields)
        visible = {full_name(spec) for spec in fields if spec.name in schemas[spec.object].fields}
        hidden = [spec for spec in fields if full_name(spec) not in visible]
        user = self._integration_user()
        set_id = self._permission_set()
        return SetupState(
            defined=frozenset(visible | self._defined(hidden)),
            short=dict(self._short(fields, schemas)),
            permitted=frozenset(self._permitted(fields, schemas, set_id)),
            by_set=self._for_somebody_else,
            permission_set=set_id,
            user=user,
            assigned=bool(set_id and user and self._assignment(set_id, user)),
        )

    def _described(self, fields: Sequence[FieldSpec]) -> dict[str, ObjectSchema]:
        return {name: self._schemas.describe(name) for name in dict.fromkeys(spec.object for spec in fields)}

    def _defined(self, specs: Sequence[FieldSpec]) -> set[str]:
        """Return which of these exist though they are hidden from us."""
        full_names = set()
        for owner in dict.fromkeys(holder(spec.object) for spec in specs):
            text = soql.select(("DeveloperName",), "CustomField", soql.condition(held_by(owner, "TableEnumOrId")))
            names = {f"{row.get('DeveloperName')}__c" for row in self._pages.rows(text, call=f"fields of {owner}")}
            full_names |= {full_name(spec) for spec in specs if holder(spec.object) == owner and spec.name in names}
        return full_names

    def _short(
        self, fields: Sequence[FieldSpec], schemas: Mapping[str, ObjectSchema]
    ) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield the picklists that lack options. One that an admin has switched off is there, and stays switched off."""
        for spec in fields:
            there = schemas[spec.object].fields.get(spec.name)
            if there is None or there.type != "picklist" or set(spec.options) <= set(there.options):
                continue
            row = self._definition(full_name(spec))
            known = listed(row["Metadata"]) if row else frozenset(there.options)
            if absent := tuple(option for option in spec.options if option not in known):
                yield full_name(spec), absent

    def _outdated(self, fields: Sequence[FieldSpec], labels: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """Yield the fields that are still called as we called them before, with that label, and are to be called otherwise.

        What a describe shows may be a translation: the label is that of the definition.
        """
        for name, spec in {full_name(spec): spec for spec in fields}.items():
            old = labels.get(f"{FIELD}{name}")
            if old is None or old == spec.label:
                continue
            row = self._definition(name)
            if row is not None and row["Metadata"].get("label") == old:
                yield name, old

    def _definition(self, name: str) -> dict[str, Any] | None:
        """Return the id and the metadata of a custom field; None when we may not see them."""
        owner, _, field = name.partition(".")
        both = [held_by(owner, "TableEnumOrId"), Condition("DeveloperName", "=", (field.removesuffix("__c"),))]
        text = soql.select(("Id", "Metadata"), "CustomField", *map(soql.condition, both))
        rows = self._pages.rows(text, call=f"definition of {name}")
        return rows[0] if len(rows) == 1 and isinstance(rows[0].get("Metadata"), dict) else None

    @property
    def _for_somebody_else(self) -> bool:
        """Whether we act with an admin's token for an integration user who is not the admin."""
        other = self._access.integration_user
        return bool(other) and other != self._org.user().get("preferred_username")

    def _integration_user(self) -> str | None:
        name = self._access.integration_user or self._access.username
        if not self._for_somebody_else and (user := self._org.user().get("user_id")):
            return str(user)
        if not name:
            return None
        text = soql.select(("Id",), "User", soql.condition(Condition("Username", "=", (name,))))
        return self._only_id(text, "integration user")

    def _permission_set(self) -> str | None:
        text = soql.select(("Id",), "PermissionSet", soql.condition(Condition("Name", "=", (PERMISSION_SET,))))
        return self._only_id(text, "permission set")

    def _assignment(self, set_id: str, user: str) -> str | None:
        both = [Condition("PermissionSetId", "=", (set_id,)), Condition("AssigneeId", "=", (user,))]
        return self._only_id(soql.select(("Id",), "PermissionSetAssignment", *map(soql.condition, both)), "assignment")

    def _only_id(self, text: str, call: str) -> str | None:
        rows = self._reader.rows(text, call=call, resource="query")
        return str(rows[0]["Id"]) if rows else None

    def _permitted(
        self, fields: Sequence[FieldSpec], schemas: Mapping[str, ObjectSchema], set_id: str | None
    ) -> set[str]:
        if not self._for_somebody_else:
            return {
                f"{spec.object}.{spec.name}"
                for spec in fields
                if (seen := schemas[spec.object].fields.get(spec.name)) and seen.updateable
            }
        return set(self._granted(set_id)) if set_id else set()

    def _granted(self, set_id: str) -> dict[str, str]:
        """Return the fields that the permission set lets edit, with the ids of the rows that say so."""
        both = [Condition("ParentId", "=", (set_id,)), Condition("PermissionsEdit", "=", (True,))]
        text = soql.select(("Id", "Field"), "FieldPermissions", *map(soql.condition, both))
        return {row["Field"]: row["Id"] for row in self._reader.rows(text, call="field permissions", resource="query")}

    def _layout_steps(self, fields: Sequence[FieldSpec], new: Sequence[FieldSpec]) -> Iterator[SetupStep]:
        for name in dict.fromkeys(spec.object for spec in fields):
            shown = [spec for spec in fields if spec.object == name and not spec.unique]
            if not shown:
                continue
            fresh = any(spec.object == name for spec in new)
            page_layouts = self._pages.layouts(name)
            for layout in page_layouts:
                if absent := [spec for spec in shown if spec.name not in layout.fields]:
                    yield layout_step(name, layout, absent)
            if not page_layouts and fresh:
                yield manual_layout_step(name, shown)
            for page in self._pages.dynamic(name):
                if labels := [spec.label for spec in shown if spec.name not in page.fields]:
                    yield dynamic_step(name, page.name, labels)
            if fresh:
                yield visibility_step(name, shown)

    # ── acting ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _carry_out(self, detail: Detail) -> dict[str, Any]:
        """Do what a step says. After a change Salesforce works on a permission set for a while, and lets nobody else do so."""
        act = self._actions[detail["action"]]
        for pause in _PAUSES:
            try:
                return act(self, detail)
            except Locked:
                self._client.clock.sleep(pause)
        return act(self, detail)

    def _make_field(self, detail: Detail) -> dict[str, Any]:
        try:
            return self._make(_FIELDS_URL, {"FullName": detail["name"], "Metadata": detail["metadata"]})
        except RecordRejected as error:
            if error.code in _FULL:
                raise NoRoom(error.what, where=error.where, code=error.code) from error
            if error.code not in ("DUPLICATE_DEVELOPER_NAME", "DUPLICATE_VALUE"):
                raise
            return {"existed": True}

    def _add_options(self, detail: Detail) -> dict[str, Any]:
        """Add options to a picklist of ours. They stay when the set-up is undone, unless the field goes: records may hold them."""
        row = self._definition(detail["name"])
        if row is None:
            # What is written replaces the definition: without what stands there now it would be wiped.
            raise NotPermitted("the field's definition cannot be read.", where=self._client.where(detail["name"]))
        changed = with_options(row["Metadata"], detail["options"])
        if changed is None:
            return {"existed": True}
        self._client.change("PATCH", f"{_FIELDS_URL}/{row['Id']}", {"Metadata": changed}, call="options")
        return {"added": list(detail["options"])}

    def _change_label(self, detail: Detail) -> dict[str, Any]:
        """Change a field's label where it still is the one that we gave: an admin's stays."""
        row = self._definition(detail["name"])
        if row is None:
            # What is written replaces the definition: without what stands there now it would be wiped.
            raise NotPermitted("the field's definition cannot be read.", where=self._client.where(detail["name"]))
        if row["Metadata"].get("label") != detail["old"]:
            return {"existed": True}
        changed = {**row["Metadata"], "label": detail["label"]}
        self._client.change("PATCH", f"{_FIELDS_URL}/{row['Id']}", {"Metadata": changed}, call="label")
        return {"label": detail["label"]}

    def _make_permission_set(self, _detail: Detail) -> dict[str, Any]:
        about = "Lets the integration user read and write the fields of Afterword."
        body = {"Name": PERMISSION_SET, "Label": PERMISSION_SET, "Description": about}
        return self._make("sobjects/PermissionSet", body)

    def _permit(self, detail: Detail) -> dict[str, Any]:
        parent = self._needed_permission_set()
        right = {"PermissionsRead": True, "PermissionsEdit": detail.get("edit", True)}
        among = [Condition("ParentId", "=", (parent,)), Condition("Field", "=", (detail["field"],))]
        text = soql.select(("Id",), "FieldPermissions", *map(soql.condition, among))
        if row := self._only_id(text, "field permission"):
            more = {name: True for name, allowed in right.items() if allowed}
            self._client.change("PATCH", f"sobjects/FieldPermissions/{row}", more, call="field permission")
            return {"existed": True}
        body = {"ParentId": parent, "SobjectType": detail["object"], "Field": detail["field"], **right}
        return self._make("sobjects/FieldPermissions", body)

    def _assign(self, detail: Detail) -> dict[str, Any]:
        body = {"AssigneeId": detail["user"], "PermissionSetId": self._needed_permission_set()}
        return self._make("sobjects/PermissionSetAssignment", body)

    def _needed_permission_set(self) -> str:
        if set_id := self._permission_set():
            return set_id
        what = f"there is no permission set {PERMISSION_SET}."
        raise SchemaChanged(what, where=self._client.where("permission set"), object_name="PermissionSet")

    def _make(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        call = f"make {path.rpartition('/')[2]}"
        made = expect_object(self._client.change("POST", path, body, call=call), self._client.where(call))
        return {"id": made.get("id"), "undo": {"action": "delete", "path": f"{path}/{made.get('id')}"}}

    def _place(self, detail: Detail) -> dict[str, Any]:
        self._change_layout(detail, layouts.with_fields)
        return {"undo": {**detail, "action": "unplace"}}

    def _unplace(self, detail: Detail) -> dict[str, Any]:
        """Take our fields off a layout; one that is gone already shows them no more."""
        try:
            self._change_layout(detail, layouts.without_fields)
        except SchemaChanged:
            return {"gone": True}
        return {}

    def _change_layout(self, detail: Detail, change: Callable[[layouts.Layout, Sequence[str]], dict[str, Any]]) -> None:
        layout = self._pages.layout(detail["layout"])
        if layout is None:
            # What is written replaces the layout: without what stands there now it would be wiped.
            raise NotPermitted("the page layout cannot be read.", where=self._client.where("layout"))
        changed = change(layout, detail["fields"])
        path = f"tooling/sobjects/Layout/{detail['layout']}"
        self._client.change("PATCH", path, {"Metadata": changed}, call="layout")

    def _delete(self, detail: Detail) -> dict[str, Any]:
        """Delete what we made; what is gone already counts as done."""
        try:
            self._client.change("DELETE", detail["path"], call="remove")
        except SchemaChanged:
            return {"gone": True}
        except RecordRejected as error:
            if error.code not in ("ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"):
                raise
            return {"gone": True}
        return {}

    _actions: Mapping[str, Callable[["SalesforceSetup", Detail], dict[str, Any]]] = {
        "field": _make_field,
        "options": _add_options,
        "label": _change_label,
        "permission_set": _make_permission_set,
        "permit": _permit,
        "assign": _assign,
        "place": _place,
        "unplace": _unplace,
        "delete": _delete,
    }


def _removal(result: SetupResult) -> SetupStep:
    """Return the step that takes back what a result says was made."""
    step = result.step
    return SetupStep(
        f"remove:{step.key}",
        undoing(step.sentence),
        detail=result.detail["undo"],
        group=undoing(step.group) if step.group else "",
        item=step.item,
        holds=values_of(step.key),
    )
