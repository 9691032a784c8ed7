"""What the CRMs' records show, read over their API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from typing import Self

from adapters.sandbox.workplaces.crm import Crm, TaskFields
from connector.model import MARK_KEY, Ref
from connector.model.documents import JsonDict
from connector.ports import Condition, CrmMapping, CrmReader, FieldSpec, Query, Record
from connector.stages.connection.connect import Endpoint, describe_all

_TASK = ("key", "subject", "priority", "status", "outcome", "body", "owner")


@dataclass(frozen=True, slots=True)
class ShownField:
    """One of our fields on a record: what we call it, what the CRM calls it, and what people see."""

    ours: str
    name: str
    label: str
    type: str


@dataclass(frozen=True, slots=True)
class FollowUpTask:
    """One of our tasks as it stands in a CRM."""

    ref: Ref
    key: str
    account: Ref
    contact: str | None
    subject: str
    owner: str
    due: str
    priority: str
    status: str
    outcome: str | None
    body: str
    """As the CRM keeps it: text, or HTML."""

    @property
    def first_line(self) -> str:
        """What the rep reads first."""
        return unescape(self.body.replace("<br>", "\n")).strip().partition("\n")[0]


@dataclass(frozen=True, slots=True)
class RecordViewer:
    """Reads accounts, contacts and tasks of one CRM, by an adapter and the mapping as it fits the CRM."""

    crm: Crm
    reader: CrmReader
    mapping: CrmMapping

    @classmethod
    def of(cls, crm: Crm, endpoint: Endpoint, reader: CrmReader) -> Self:
        """Fit the mapping to the CRM as it is now."""
        mapping, _problems = endpoint.mapping.fit(describe_all(endpoint.adapter, endpoint.mapping))
        return cls(crm, reader, mapping)

    def fields(self, target: str) -> list[ShownField]:
        """Return our fields on ``account``, ``contact`` or ``task``, in the order of the mapping."""
        our_names = {self.mapping.crm_field(target, name): name for name in self.mapping.names(target)}
        return [
            _field(spec, our_names[spec.name])
            for spec in self.mapping.wanted_fields()
            if spec.object == self.mapping.object_of(target) and spec.name in our_names
        ]

    def task_fields(self) -> TaskFields:
        """Return what the CRM calls the tasks' own fields."""
        return TaskFields(self.mapping.crm_field("task", "key"), self.mapping.crm_field("task", "outcome"))

    def shown(self, target: str, ids: Sequence[str]) -> dict[Ref, Mapping[str, object]]:
        """Return what our fields show now, by record and by our names; empty ones are left out.

        Numbers and moments are such, whatever form the CRM gives them, so that two CRMs can be compared.
        """
        fields, object_name = self.fields(target), self.mapping.object_of(target)
        records = self.reader.fetch(object_name, ids, [field.name for field in fields])
        return {
            Ref(self.crm.name, object_name, record_id): _filled(record, fields) for record_id, record in records.items()
        }

    def accounts(self) -> dict[Ref, Mapping[str, object]]:
        """Return what all accounts show now."""
        return self.shown("account", [account.ref.id for account in self.crm.accounts()])

    def tasks(self) -> list[FollowUpTask]:
        """Return all our tasks for people, by their due day: not the one that is the installation's mark."""
        names = {name: self.mapping.crm_field("task", name) for name in _TASK} | dict(self.crm.about)
        names["due"] = self.mapping.crm_field("task", "due" if "due" in self.mapping.names("task") else "due_at")
        query = Query(
            self.mapping.object_of("task"), tuple(names.values()), ((Condition(names["key"], "!=", (None,)),),)
        )
        pages = self.reader.changes(query, since=None, after=None)
        living = (record for page in pages for record in page.records if not record.deleted)
        tasks = [self._task(record, names) for record in living if record.fields.get(names["key"]) != MARK_KEY]
        return sorted(tasks, key=lambda task: (task.due, task.subject))

    def _task(self, record: Record, names: Mapping[str, str]) -> FollowUpTask:
        values: JsonDict = {ours: _first(record.fields.get(name)) for ours, name in names.items()}
        values["account"] = Ref(self.crm.name, self.mapping.object_of("account"), str(values["account"]))
        values["owner"] = self.crm.colleague(values["owner"]) if values["owner"] else "nobody"
        values["due"] = str(values["due"])[:10]
        return FollowUpTask(ref=Ref(self.crm.name, record.object, record.id), **values)


def _field(spec: FieldSpec, ours: str) -> ShownField:
    return ShownField(ours, spec.name, spec.label, spec.type)


def _filled(record: Record, fields: Sequence[ShownField]) -> dict[str, object]:
    values = {field.ours: _plain(field.type, record.fields.get(field.name)) for field in fields}
    return {name: value for name, value in values.items() if value not in (None, False)}


def _plain(kind: str, value: object) -> object:
    if value in (None, ""):
        return None
    if kind == "number":
        return float(str(value))
    if kind == "datetime":
        return datetime.fromisoformat(str(value)).astimezone(UTC)
    return str(value).lower() == "true" if kind == "boolean" else value


def _first(value: object) -> object:
    """Return the id, or the first of a list: CRMs give what a record is about as either."""
    return next(iter(value), None) if isinstance(value, tuple | list) else value
