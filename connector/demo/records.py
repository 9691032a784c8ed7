"""What stands on the CRM's records, read over its API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from connector.ports import Condition, CrmAdapter, CrmMapping, Query, Record
from connector.stages.connect import Endpoint, describe_all


@dataclass(frozen=True, slots=True)
class Field:
    """One of our fields on a record: what we call it, what the CRM calls it, and what people see."""

    ours: str
    name: str
    label: str


@dataclass(frozen=True, slots=True)
class FollowUpTask:
    """One of our tasks as it stands in the CRM."""

    id: str
    key: str
    account: str
    contact: str | None
    subject: str
    owner: str
    due: str
    priority: str
    status: str
    outcome: str | None
    body: str

    @property
    def first_line(self) -> str:
        """What the rep reads first."""
        return self.body.strip().partition("\n")[0]


@dataclass(frozen=True, slots=True)
class Records:
    """Reads accounts, contacts and tasks, by an adapter and the mapping as it fits the CRM."""

    adapter: CrmAdapter
    mapping: CrmMapping

    @classmethod
    def of(cls, endpoint: Endpoint, adapter: CrmAdapter) -> Self:
        """Fit the mapping to the CRM as it is now."""
        mapping, _problems = endpoint.mapping.fit(describe_all(endpoint))
        return cls(adapter, mapping)

    def fields(self, target: str) -> list[Field]:
        """Return our fields on ``account``, ``contact`` or ``task``, in the order of the mapping."""
        ours = {self.mapping.crm_field(target, name): name for name in self.mapping.names(target)}
        return [
            Field(ours[spec.name], spec.name, spec.label)
            for spec in self.mapping.wanted_fields()
            if spec.object == self.mapping.object_of(target) and spec.name in ours
        ]

    def shown(self, target: str, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Return what our fields show now, by record and by our names; empty ones are left out."""
        fields = self.fields(target)
        found = self.adapter.fetch(self.mapping.object_of(target), ids, [one.name for one in fields])
        return {record_id: _filled(record, fields) for record_id, record in found.items()}

    def tasks(self) -> list[FollowUpTask]:
        """Return all our tasks, by subject."""
        names = {one: self.mapping.crm_field("task", one) for one in _TASK}
        query = Query(
            self.mapping.object_of("task"),
            (*names.values(), "Owner.Name"),
            ((Condition(names["key"], "!=", (None,)),),),
        )
        pages = self.adapter.changes(query, since=None, after=None)
        found = [_task(record, names) for page in pages for record in page.records if not record.deleted]
        return sorted(found, key=lambda one: (one.due, one.subject))


_TASK = ("key", "account", "contact", "subject", "due", "priority", "status", "outcome", "body")


def _filled(record: Record, fields: Sequence[Field]) -> dict[str, Any]:
    values = {one.ours: record.fields.get(one.name) for one in fields}
    return {name: value for name, value in values.items() if value not in (None, "", False)}


def _task(record: Record, names: Mapping[str, str]) -> FollowUpTask:
    values: dict[str, Any] = {one: record.fields.get(name) for one, name in names.items()}
    return FollowUpTask(id=record.id, owner=str(record.fields.get("Owner.Name")), **values)
