"""TinyCRM as Afterword sees a CRM."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from afterword_tinycrm.crm import TinyCrm, Values
from connector.errors import SchemaChanged
from connector.model import MissingRight, Ref, Unseen
from connector.ports import (
    NO_LABELS,
    AdapterTools,
    BulkWriter,
    Condition,
    FieldLimit,
    FieldSchema,
    FieldSpec,
    Needs,
    NoteTaker,
    ObjectSchema,
    Org,
    Page,
    Position,
    Query,
    Record,
    SetupResult,
    SetupStep,
    Usage,
    Write,
    WriteResult,
)


class TinyAdapter:
    """One workspace. It answers at once, so that nothing is ever late."""

    write_batch = 10
    lag = timedelta()
    bulk: BulkWriter | None = None
    notes: NoteTaker | None = None

    def __init__(self, connection: str, server: str, crm: TinyCrm, tools: AdapterTools) -> None:
        self.connection = connection
        self._server = server
        self._crm = crm
        self._clock = tools.clock
        self._budget = tools.budget
        self._calls = 0

    # ── reading ──

    def org(self) -> Org:
        """See `CrmAdapter`."""
        self._call()
        return Org("tiny", "Tiny", "Europe/Helsinki", None, "1", None, self._clock.now())

    def describe(self, object_name: str) -> ObjectSchema:
        """See `CrmAdapter`."""
        self._call()
        return ObjectSchema(object_name, object_name, dict(self._fields(object_name)))

    def changes(self, query: Query, *, since: datetime | None, after: Position | None) -> Iterator[Page]:
        """See `CrmAdapter`: one page has them all."""
        records = sorted(self._matching(query), key=attrgetter("modified", "id"))
        if since is not None:
            records = [record for record in records if datetime.fromisoformat(record.modified) >= since]
        if after is not None:
            records = [record for record in records if (record.modified, record.id) > (after.modified, after.id)]
        last = Position(records[-1].modified, records[-1].id) if records else after
        yield Page(records, last, self._clock.now())

    def count(self, query: Query) -> int:
        """See `CrmAdapter`."""
        return len(self._matching(query))

    def fetch(self, object_name: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Record]:
        """See `CrmAdapter`."""
        return {record.id: record for record in self._matching(Query(object_name, tuple(fields))) if record.id in ids}

    def newest(self, object_name: str, fields: Sequence[str], limit: int) -> Sequence[Record]:
        """See `CrmAdapter`."""
        return self._matching(Query(object_name, tuple(fields)))[::-1][:limit]

    def find(self, object_name: str, field: str, value: str, fields: Sequence[str]) -> Record | None:
        """See `CrmAdapter`."""
        where = ((Condition(field, "=", (value,)),),)
        return next(iter(self._matching(Query(object_name, tuple(fields), where))), None)

    def usage(self) -> Usage:
        """See `CrmAdapter`."""
        return Usage(self._calls)

    def record_url(self, ref: Ref) -> str:
        """See `CrmAdapter`."""
        return f"{self._server}/{ref.object}/{ref.id}"

    # ── writing ──

    def write(self, writes: Sequence[Write]) -> list[WriteResult]:
        """See `CrmAdapter`."""
        self._call()
        return [self._written(write) for write in writes]

    def delete(self, object_name: str, record_id: str) -> None:
        """See `CrmAdapter`."""
        self._call()
        self._crm.records[object_name].pop(record_id, None)

    def unrelatable(self, object_name: str, others: Sequence[str]) -> Sequence[str]:
        """See `CrmAdapter`."""
        return ()

    # ── setting up ──

    def missing_rights(self, needs: Needs) -> Sequence[MissingRight]:
        """See `CrmAdapter`: there are no rights."""
        return ()

    def plan_setup(
        self,
        fields: Sequence[FieldSpec],
        hidden: Sequence[tuple[str, str]] = (),
        labels: Mapping[str, str] = NO_LABELS,
    ) -> list[SetupStep]:
        """See `CrmAdapter`."""
        return [
            SetupStep(
                f"field:{spec.object}.{spec.name}",
                f"make the field {spec.name}",
                detail={"type": spec.type, "options": list(spec.options), "scale": spec.scale, "unique": spec.unique},
                makes=(spec.object, spec.name),
            )
            for spec in fields
            if spec.name not in self._fields(spec.object)
        ]

    def field_limits(self, objects: Sequence[str]) -> Sequence[FieldLimit]:
        """See `CrmAdapter`: there are none."""
        return ()

    def unseen(self, fields: Sequence[FieldSpec]) -> Sequence[Unseen]:
        """See `CrmAdapter`: everything is shown."""
        return ()

    def apply_setup(self, steps: Sequence[SetupStep]) -> Iterator[SetupResult]:
        """See `CrmAdapter`."""
        for step in steps:
            assert step.makes is not None
            kind, name = step.makes
            made = {**step.detail, "options": tuple(step.detail["options"])}
            self._crm.fields[kind][name] = FieldSchema(name, name, made.pop("type"), length=255, **made)
            yield SetupResult(step, done=True)

    def plan_undo(self, made: Sequence[SetupResult]) -> list[SetupStep]:
        """See `CrmAdapter`."""
        return [result.step for result in reversed(made)]

    def close(self) -> None:
        """See `CrmAdapter`."""

    # ── helpers ──

    def _call(self) -> None:
        if self._budget is not None:
            self._budget.take(where=self.connection)
        self._calls += 1

    def _fields(self, kind: str) -> dict[str, FieldSchema]:
        if kind not in self._crm.fields:
            raise SchemaChanged(f"there is no list of {kind}.", object_name=kind)
        return self._crm.fields[kind]

    def _matching(self, query: Query) -> list[Record]:
        self._call()
        unknown = set(query.fields) - set(self._fields(query.object))
        if unknown:
            raise SchemaChanged(f"there is no field {sorted(unknown)[0]}.", object_name=query.object)
        return [
            Record(query.object, record_id, values["changed"], {name: values.get(name) for name in query.fields})
            for record_id, values in self._crm.records[query.object].items()
            if not query.where or any(all(_holds(test, values) for test in tests) for tests in query.where)
        ]

    def _written(self, write: Write) -> WriteResult:
        record_id = write.id
        if record_id is None and write.external is not None:
            found = self.find(write.object, *write.external, ())
            record_id = found.id if found else None
        if record_id is None:
            key = dict([write.external]) if write.external else {}
            return WriteResult(write, "created", self._crm.insert(write.object, **key, **write.fields))
        self._crm.update(write.object, record_id, write.fields)
        return WriteResult(write, "updated", record_id)


def _holds(test: Condition, values: Values) -> bool:
    value: Any = values.get(test.field)
    assert test.op in ("=", "!=", "in", "not in"), "no other is asked for by the mapping"
    return (value in test.values) == (test.op in ("=", "in"))
