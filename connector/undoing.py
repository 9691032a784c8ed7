"""`undo`: takes back the last write-back of one connection, and pauses it, so that the next lap does not write the same again."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from connector.errors import CrmError, StoreError
from connector.ports import WriteResult
from connector.stages import lap, undo
from connector.stages.connect import Endpoint, connect
from connector.stages.lap import Installation
from connector.stages.undo import Step
from connector.stages.write_back_sending import Outbox
from connector.store import connecting, naming, undoing
from connector.store.leases import held

REASON = "the last write-back was taken back"


@dataclass(slots=True)
class Undone:
    """What is to be taken back, and what has become of it."""

    crm: str
    at: datetime | None
    """When the write-back was; None: there is nothing to take back."""
    steps: list[Step] = field(default_factory=list)
    names: Mapping[str, str] = field(default_factory=dict)
    """Names of accounts and contacts, and subjects of tasks, by ref."""
    done: bool = False
    """Whether it was carried out, and not only planned."""
    results: dict[str, WriteResult] = field(default_factory=dict)
    """By the key of the line that was taken back."""
    failure: CrmError | None = None
    """Why the rest could not be done; it can be done by the next attempt."""

    @property
    def due(self) -> list[Step]:
        """The records that are to be changed."""
        return [step for step in self.steps if step.fields]

    @property
    def refused(self) -> list[WriteResult]:
        """What the CRM did not take."""
        return [result for result in self.results.values() if result.outcome == "refused"]

    @property
    def exit_code(self) -> int:
        """0 done (or planned), 1 some records were refused, 3 the CRM could not be reached."""
        return 3 if self.failure is not None else int(bool(self.refused))

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "crm": self.crm,
            "written_at": self.at.isoformat() if self.at else None,
            "done": self.done,
            "records": [self._record(step) for step in self.steps],
            "failure": str(self.failure) if self.failure else None,
        }

    def _record(self, step: Step) -> dict[str, Any]:
        result = self.results.get(step.line.key)
        return {
            "object": step.ref.object,
            "id": step.ref.id,
            "record": self.names.get(step.line.ref, ""),
            "task": step.is_task,
            "fields": {path: {"before": step.now.get(path), "after": value} for path, value in step.fields.items()},
            "left": dict(step.left),
            "outcome": result.outcome if result else None,
            "error": str(result.error) if result and result.error else None,
        }


def plan(house: Installation, endpoint: Endpoint) -> Undone:
    """Return what would be taken back. Changes nothing anywhere."""
    crm, _problems = connect(house.store, house.clock, endpoint)
    with house.store.read() as connection:
        found = undoing.last(connection, endpoint.name)
    if found is None:
        return Undone(endpoint.name, None)
    first, at = found
    planned = [step for page in undo.steps(house.store, crm.adapter, crm.mapping, first) for step in page]
    return Undone(endpoint.name, at, planned, _names(house, endpoint.name, planned))


def carry_out(house: Installation, endpoint: Endpoint) -> Undone:
    """Pause the connection and take back what can be. `StoreError`: another process is at work on it."""
    with _outbox(house, endpoint) as outbox:
        undone = plan(house, endpoint)
        if undone.at is None:
            return undone
        with house.store.write() as connection:
            connecting.pause(connection, endpoint.name, house.clock.now(), REASON)
        try:
            for result in undo.carry_out(outbox, undone.steps):
                undone.results[result.write.key.removeprefix(undoing.UNDOING)] = result
        except CrmError as error:
            undone.failure = error
        undone.done = True
        if not undone.exit_code:
            with house.store.write() as connection:
                undoing.forget(connection, endpoint.name)
    return undone


@contextmanager
def _outbox(house: Installation, endpoint: Endpoint) -> Iterator[Outbox]:
    with held(house.store, f"crm:{endpoint.name}") as lease:
        if lease is None:
            remedy = f"`afterword pause --crm {endpoint.name}` first, and try again in a minute."
            raise StoreError("another process is at work on it right now.", where=endpoint.name, remedy=remedy)
        crm, _problems = connect(house.store, house.clock, endpoint)
        yield Outbox(replace(lap.bare_context(house), connected={endpoint.name: crm}), crm, lease)


def _names(house: Installation, crm: str, planned: Sequence[Step]) -> dict[str, str]:
    refs = {step.line.ref: step.line.key for step in planned}
    with house.store.read() as connection:
        names = {ref: name for (_, ref), name in naming.record_names(connection, [(crm, ref) for ref in refs]).items()}
        subjects = naming.task_subjects(connection, [step.line.key for step in planned if step.is_task])
    return names | {ref: subjects[key] for ref, key in refs.items() if key in subjects}
