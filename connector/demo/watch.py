"""Looks at the records of the story's customers after each step, and tells what is new on them."""

from collections.abc import Mapping, Sequence
from typing import Any

from connector.demo.records import Records
from connector.demo.story import Tell
from connector.demo.work import Company


class Watch:
    """Remembers what it saw last."""

    def __init__(self, records: Records, companies: Sequence[Company]) -> None:
        self._records = records
        self._names = {company.id: company.name for company in companies}
        self._shown: Mapping[str, Mapping[str, Any]] = {}
        self._tasks: set[str] = set()

    def tell(self, tell: Tell) -> None:
        """Tell what changed since last time."""
        shown = self._records.shown("account", list(self._names))
        for account, values in shown.items():
            before = self._shown.get(account, {})
            if _figures(values) != _figures(before) and "satisfaction" in values:
                likely = f"{values['low']:g} to {values['high']:g}"
                tell("record", f"{self._names[account]}: {values['satisfaction']:g} ({likely}), {values['mood']}")
        self._shown = shown
        for task in self._records.tasks():
            if task.id not in self._tasks:
                self._tasks.add(task.id)
                tell("record", f"new task for {task.owner}: {task.subject}")


def _figures(values: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(values.get(name) for name in ("satisfaction", "low", "high", "mood", "people"))
