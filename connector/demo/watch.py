"""Looks at the records of the demo's customers after each step, and announces what is new on them."""

from collections.abc import Mapping

from connector.demo.parts import Branch
from connector.demo.simulation import Announce
from connector.model import Ref


class RecordWatch:
    """Remembers what it saw last in one CRM."""

    def __init__(self, branch: Branch) -> None:
        self._title = branch.crm.title
        self._records = branch.records
        self._names = {company.account.ref: company.name for company in branch.companies}
        self._shown: Mapping[Ref, Mapping[str, object]] = {}
        self._tasks: set[Ref] = set()

    def announce_changes(self, announce: Announce) -> None:
        """Announce what changed since last time."""
        shown = self._records.shown("account", [account.id for account in self._names])
        for account, values in shown.items():
            before = self._shown.get(account, {})
            if _figures(values) != _figures(before) and "mood" in values:
                announce("record", f"{self._title}: {self._names[account]}: {_mood_text(values)}")
        self._shown = shown
        for task in self._records.tasks():
            if task.ref not in self._tasks:
                self._tasks.add(task.ref)
                announce("record", f"{self._title}: new task for {task.owner}: {task.subject}")


def _mood_text(values: Mapping[str, object]) -> str:
    """Return the mood, with the number where there is one."""
    if "satisfaction" not in values:
        return str(values["mood"])
    return f"{values['satisfaction']:g} ({values['low']:g} to {values['high']:g}), {values['mood']}"


def _figures(values: Mapping[str, object]) -> tuple[object, ...]:
    return tuple(values.get(name) for name in ("satisfaction", "low", "high", "mood", "people"))
