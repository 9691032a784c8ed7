"""Writing records: what is checked, in which order, and what else a write moves."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from adapters.sandbox.faults import Faults
from adapters.sandbox.hubspot.errors import HubSpotError, Invalid, invalid_values, not_found
from adapters.sandbox.hubspot.portal.owners import PortalOwners
from adapters.sandbox.hubspot.portal.pipelines import PortalPipelines
from adapters.sandbox.hubspot.portal.property_values import check, from_python, iso
from adapters.sandbox.hubspot.portal.schema import PortalObjectType, PortalSchema, Property
from adapters.sandbox.hubspot.portal.store import PortalRecord, PortalStore, PortalTable, Revision

Values = Mapping[str, Any]
FIRST_ID = 21_300_000_001
HISTORY_KEPT = 20


@dataclass(frozen=True)
class PortalWriter:
    """Who writes (a user id), when (milliseconds since 1970) and from where.

    What came over the wire (`called`) respects read-only values and meets the faults; the portal itself does neither.
    """

    user: int
    at: int
    source: str = "CRM_UI"
    called: bool = False


class PortalRecords:
    """Create, update, archive and restore single records; each raises HubSpotError when it is refused."""

    def __init__(
        self, store: PortalStore, schema: PortalSchema, faults: Faults, owners: PortalOwners, pipelines: PortalPipelines
    ) -> None:
        self._store = store
        self._schema = schema
        self._faults = faults
        self._owners = owners
        self._pipelines = pipelines
        self._ids: dict[str, int] = {}
        self.portal_id = 0
        self.blocked: set[str] = set()
        self.changed: Callable[[PortalObjectType, PortalRecord | None, PortalRecord], None] = lambda *_: None

    # Reading

    def value(self, object_type: PortalObjectType, record: PortalRecord, name: str) -> str | None:
        """A property of a record on the wire; None when it is empty."""
        if name == "hs_object_id":
            return str(record.id)
        if name == object_type.created:
            return iso(record.created)
        if name == object_type.modified:
            return iso(record.modified)
        return record.properties.get(name)

    def texts(self, object_type: PortalObjectType, name: str) -> Callable[[PortalRecord], Iterable[str]]:
        """What stands for a property in the index by text: folded, each choice of several for itself."""

        def of(record: PortalRecord) -> Iterable[str]:
            value = self.value(object_type, record, name)
            return () if value is None else {value.lower(), *value.lower().split(";")}

        return of

    def holding(self, object_type: PortalObjectType, name: str, text: str) -> list[PortalRecord]:
        """The live records whose property holds a text, capitals apart."""
        table = self._store.table(object_type.name)
        record_ids = table.hashed(name, self.texts(object_type, name)).ids(text.lower())
        return [record for key in sorted(record_ids) if (record := table.alive(key))]

    def existing(self, object_type: PortalObjectType, record_id: str, id_property: str | None = None) -> PortalRecord:
        """The live record behind an id, a merged-away id, or the value of a unique property; raises HubSpotError (404)."""
        record = self.lookup(object_type, record_id, id_property)
        if record is None:
            raise not_found()
        return record

    def lookup(
        self, object_type: PortalObjectType, record_id: str, id_property: str | None = None
    ) -> PortalRecord | None:
        """The same, or None."""
        if id_property and id_property != "hs_object_id":
            spec = self.key(object_type, id_property)
            return next(iter(self.holding(object_type, spec.name, record_id)), None)
        table = self._store.table(object_type.name)
        return table.alive(table.survivor(int(record_id))) if record_id.isascii() and record_id.isdecimal() else None

    def key(self, object_type: PortalObjectType, name: str) -> Property:
        """A property that tells records apart; raises HubSpotError."""
        spec = object_type.properties.get(name)
        if spec is None or not (spec.unique or spec.is_email):
            raise HubSpotError(f"Property '{name}' is not a unique identifier for {object_type.word}")
        return spec

    # Writing

    def next_id(self, object_type: PortalObjectType) -> int:
        """A new id; those of different objects are alike."""
        self._ids[object_type.name] = self._ids.get(object_type.name, FIRST_ID - 1) + 1
        return self._ids[object_type.name]

    def skip_ids(self, object_type: PortalObjectType, taken: int) -> None:
        """New ids come after one that was taken."""
        self._ids[object_type.name] = max(self._ids.get(object_type.name, FIRST_ID - 1), taken)

    def create(self, object_type: PortalObjectType, values: Values, writer: PortalWriter) -> PortalRecord:
        """Makes a record."""
        self._may(object_type, "create", values, writer)
        written = self._checked(object_type, values, {}, writer)
        new = {name: value for name, value in written.items() if value}
        self._fill(object_type, new)
        self._complete(object_type, new)
        self._unique(object_type, new, None)
        new |= {"hs_created_by_user_id": str(writer.user), "hs_object_source": writer.source}
        record_id = self.next_id(object_type)
        if object_type.name == "contacts":
            new["hs_all_contact_vids"] = str(record_id)
        revision = Revision(writer.at, written, writer.source, writer.user)
        return self._finish(
            object_type, PortalRecord(record_id, new, writer.at, writer.at, None, (revision,)), None, writer
        )

    def update(
        self, object_type: PortalObjectType, old: PortalRecord, values: Values, writer: PortalWriter
    ) -> PortalRecord:
        """Changes properties; even a write that changes nothing moves the stamp."""
        self._may(object_type, "update", {"id": str(old.id), **values}, writer)
        self._free(old.id, writer)
        written = self._checked(object_type, values, old.properties, writer)
        new = {name: value for name, value in {**old.properties, **written}.items() if value}
        self._stay_in_pipeline(object_type, new, written)
        self._unique(object_type, new, old)
        revision = Revision(writer.at, written, writer.source, writer.user)
        changed = replace(old, properties=new, modified=writer.at, history=(*old.history, revision))
        return self._finish(object_type, changed, old, writer)

    def archive(self, object_type: PortalObjectType, old: PortalRecord, writer: PortalWriter) -> None:
        """Archives a record; its stamp stays, as with the vendor."""
        self._may(object_type, "archive", {"id": str(old.id)}, writer)
        self._free(old.id, writer)
        self._put(object_type, replace(old, archived=writer.at), old)

    def restore(self, object_type: PortalObjectType, record_id: int, writer: PortalWriter) -> None:
        """Takes an archived record back; raises HubSpotError (404)."""
        old = self._store.table(object_type.name).rows.get(record_id)
        if old is None or old.archived is None:
            raise not_found()
        self._unique(object_type, old.properties, old)
        self._put(object_type, replace(old, archived=None, modified=writer.at), old)

    def touch(
        self, object_type: PortalObjectType, old: PortalRecord, values: Mapping[str, str | None], at: int
    ) -> None:
        """Sets calculated properties (None empties one), which moves the stamp."""
        new = {name: value for name, value in {**old.properties, **values}.items() if value is not None}
        self._put(object_type, replace(old, properties=new, modified=at), old)

    def derived(self, object_type: PortalObjectType, new: PortalRecord, old: PortalRecord | None) -> PortalRecord:
        """A new version of a record with what follows from its other values: whether it is closed, and since when."""
        values = dict(new.properties)
        self._derive(object_type, values, new, old)
        return replace(new, properties=values)

    def put(self, object_type: PortalObjectType, new: PortalRecord) -> None:
        """Writes a record as it is, unchecked."""
        self._put(object_type, new, self._store.table(object_type.name).rows.get(new.id))

    def table(self, object_type: PortalObjectType) -> PortalTable:
        """The table of an object."""
        return self._store.table(object_type.name)

    # Within

    def _may(self, object_type: PortalObjectType, operation: str, values: Values, writer: PortalWriter) -> None:
        if not writer.called:
            return
        if object_type.read_only:
            raise HubSpotError(f"{object_type.word} objects are read only", status=405, category="METHOD_NOT_ALLOWED")
        fault = self._faults.for_row(object_type.name, operation, values)
        if fault:
            context = {"propertyName": list(fault.fields)} if fault.fields else {}
            raise HubSpotError(fault.message, category=fault.code, context=context)

    def _free(self, record_id: int, writer: PortalWriter) -> None:
        if writer.called and self._faults.locks(str(record_id)):
            words = f"Object {record_id} is locked by another request. Please try again in at least 2 seconds."
            raise HubSpotError(words, status=423, category="LOCKED")

    def _checked(
        self, object_type: PortalObjectType, values: Values, old: Mapping[str, str], writer: PortalWriter
    ) -> dict[str, str]:
        good: dict[str, str] = {}
        wrong: list[Invalid] = []
        for name, value in values.items():
            if value is None:
                continue
            outcome = self._judged(object_type, name, from_python(value), {**old, **good}, writer)
            if isinstance(outcome, Invalid):
                wrong.append(outcome)
            else:
                good[name.lower()] = outcome
        wrong += self._right_stage(object_type, good)
        if wrong:
            raise invalid_values(wrong, self.portal_id)
        return good

    def _judged(
        self, object_type: PortalObjectType, name: str, text: str, old: Mapping[str, str], writer: PortalWriter
    ) -> str | Invalid:
        spec = object_type.properties.get(name.lower())
        if spec is None:
            return Invalid(name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
        if spec.read_only and writer.called:
            words = f'"{spec.name}" is a read only property; its value cannot be set.'
            return Invalid(spec.name, "READ_ONLY_VALUE", words)
        if text == "":
            return ""
        if spec.is_owner:
            return self._owner(spec, text)
        if spec.field_type == "checkbox" and text.startswith(";"):
            text = ";".join(filter(None, [old.get(spec.name, ""), text[1:]]))
        return check(spec, text)

    def _owner(self, spec: Property, text: str) -> str | Invalid:
        if not text.isascii() or not text.isdecimal() or int(text) > 2**31 - 1:
            return Invalid(spec.name, "INVALID_INTEGER", f"{text} was not a valid integer (for owner ID).")
        if not self._owners.exists(int(text)):
            return Invalid(spec.name, "INVALID_OWNER_ID", f"Owner {text} does not exist")
        return text

    def _right_stage(self, object_type: PortalObjectType, good: Mapping[str, str]) -> list[Invalid]:
        if object_type.pipeline is None or object_type.stage is None:
            return []
        known = self._pipelines.of(object_type.name)
        wanted = good.get(object_type.pipeline)
        if wanted and wanted not in {pipeline.id for pipeline in known}:
            options = ", ".join(pipeline.id for pipeline in known)
            words = f"{wanted} is not a valid pipeline ID. Valid options are: [{options}]"
            return [Invalid(object_type.pipeline, "INVALID_OPTION", words)]
        stage = good.get(object_type.stage)
        within = [pipeline for pipeline in known if wanted in (None, "", pipeline.id)]
        if not stage or any(stage in {known_stage.id for known_stage in pipeline.live()} for pipeline in within):
            return []
        options = ", ".join(
            f"pipelineId={pipeline.id} : [{', '.join(known_stage.id for known_stage in pipeline.live())}]"
            for pipeline in within
        )
        words = f"{stage} is not a valid pipeline stage ID. Valid options are: {options}"
        return [Invalid(object_type.stage, "INVALID_OPTION", words)]

    def _fill(self, object_type: PortalObjectType, new: dict[str, str]) -> None:
        if object_type.pipeline and object_type.stage:
            pipeline_and_stage = self._pipelines.of_stage(object_type.name, new.get(object_type.stage))
            new.setdefault(
                object_type.pipeline,
                pipeline_and_stage[0].id if pipeline_and_stage else self._pipelines.of(object_type.name)[0].id,
            )
        if object_type.name == "tasks":
            new.setdefault("hs_task_status", "NOT_STARTED")
            new.setdefault("hs_task_priority", "NONE")
            new.setdefault("hs_task_type", "TODO")

    def _stay_in_pipeline(self, object_type: PortalObjectType, new: dict[str, str], written: Mapping[str, str]) -> None:
        """A new stage alone takes the record to the pipeline that has it."""
        if (
            object_type.pipeline
            and object_type.stage
            and object_type.stage in written
            and object_type.pipeline not in written
        ):
            pipeline_and_stage = self._pipelines.of_stage(object_type.name, new.get(object_type.stage))
            if pipeline_and_stage:
                new[object_type.pipeline] = pipeline_and_stage[0].id

    def _complete(self, object_type: PortalObjectType, new: Mapping[str, str]) -> None:
        missing = [name for name in object_type.required if name not in new]
        if missing:
            words = f"Error creating {object_type.word}. Some required properties were not set."
            raise HubSpotError(words, context={"properties": missing})

    def _unique(self, object_type: PortalObjectType, new: Mapping[str, str], old: PortalRecord | None) -> None:
        for spec in object_type.properties.values():
            value = new.get(spec.name)
            if not value or not (spec.unique or (spec.is_email and object_type.name == "contacts")):
                continue
            if old and old.archived is None and old.properties.get(spec.name) == value:
                continue
            if spec.is_email and value in self.blocked:
                raise HubSpotError(f"The email address {value} was permanently deleted and cannot be added.")
            holders = self.holding(object_type, spec.name, value)
            if spec.is_email:
                holders += self.holding(object_type, "hs_additional_emails", value)
            other = next((holder for holder in holders if old is None or holder.id != old.id), None)
            if other:
                raise self._conflict(object_type, spec, value, other)

    def _conflict(self, object_type: PortalObjectType, spec: Property, value: str, other: PortalRecord) -> HubSpotError:
        if spec.is_email:
            words = f"{object_type.singular.capitalize()} already exists. Existing ID: {other.id}"
            return HubSpotError(words, status=409, category="CONFLICT", context={"existingId": [str(other.id)]})
        words = f'Property "{spec.name}" has unique values; {value} is already taken by {object_type.word} {other.id}.'
        return invalid_values([Invalid(spec.name, "CONFLICTING_UNIQUE_VALUE", words)], self.portal_id)

    def _finish(
        self, object_type: PortalObjectType, new: PortalRecord, old: PortalRecord | None, writer: PortalWriter
    ) -> PortalRecord:
        values = {**new.properties, "hs_updated_by_user_id": str(writer.user)}
        stored = self.derived(object_type, replace(new, properties=values), old)
        self._put(object_type, stored, old)
        return stored

    def _derive(
        self, object_type: PortalObjectType, values: dict[str, str], new: PortalRecord, old: PortalRecord | None
    ) -> None:
        if object_type.pipeline and object_type.stage:
            self._close(object_type, values, new, old)
        if object_type.name == "tasks":
            done = values.get("hs_task_status") == "COMPLETED"
            values["hs_task_is_completed"] = str(int(done))
            if done:
                values.setdefault("hs_task_completion_date", iso(new.modified))
            else:
                values.pop("hs_task_completion_date", None)

    def _close(
        self, object_type: PortalObjectType, values: dict[str, str], new: PortalRecord, old: PortalRecord | None
    ) -> None:
        pipeline_and_stage = self._pipelines.of_stage(object_type.name, values.get(object_type.stage or ""))
        closes = pipeline_and_stage is not None and pipeline_and_stage[1].closes
        if old is None or old.properties.get(object_type.stage or "") != values.get(object_type.stage or ""):
            values["hs_v2_date_entered_current_stage"] = iso(new.modified)
        if "hs_is_closed" in object_type.properties:
            values["hs_is_closed"] = str(closes).lower()
        if "hs_is_closed_won" in object_type.properties:
            values["hs_is_closed_won"] = str(pipeline_and_stage is not None and pipeline_and_stage[1].won).lower()
        if object_type.name != "tickets":
            return
        if not closes:
            values.pop("closed_date", None)
            values.pop("time_to_close", None)
        elif old is None or "closed_date" not in old.properties:
            values["closed_date"] = iso(new.modified)
            values["time_to_close"] = str(new.modified - new.created)

    def _put(self, object_type: PortalObjectType, new: PortalRecord, old: PortalRecord | None) -> None:
        self._store.put(object_type.name, new)
        self.changed(object_type, old, new)
