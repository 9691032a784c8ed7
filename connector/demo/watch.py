"""Looks at the records of the story's customers after each step, and tells what is new on them."""

from collections.abc import Mapping
from typing import Any

from connector.demo.scene import Branch
from connector.demo.story import Tell
from connector.model import Ref


class Watch:
    """Remembers what it saw last in one CRM."""

    def __init__(self, branch: Branch) -> None:
        self._title = branch.crm.title
        self._records = branch.records
        self._names = {company.account.ref: company.name for company in branch.companies}
        self._shown: Mapping[Ref, Mapping[str, Any]] = {}
        self._tasks: set[Ref] = set()

    def tell(self, tell: Tell) -> None:
        """Tell what changed since last time."""
        shown = self._records.shown("account", [account.id for account in self._names])
        for account, values in shown.items():
            before = self._shown.get(account, {})
            if _figures(values) != _figures(before) and "satisfaction" in values:
                likely = f"{values['low']:g} to {values['high']:g}"
                figures = f"{self._names[account]}: {values['satisfaction']:g} ({likely}), {values['mood']}"
                tell("record", f"{self._title}: {figures}")
        self._shown = shown
        for task in self._records.tasks():
            if task.ref not in self._tasks:
                self._tasks.add(task.ref)
                tell("record", f"{self._title}: new task for {task.owner}: {task.subject}")


def _figures(values: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(values.get(name) for name in ("satisfaction", "low", "high", "mood", "people"))
