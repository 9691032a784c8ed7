"""Taking back, with everything that is told of it kept: in the product it is printed page by page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connector.commands.undo import Taken, Undone
from connector.ports import WriteResult
from connector.stages.installation import Installation
from connector.stages.write_back.undo import UndoStep


@dataclass
class Told:
    """What was told, and what it came to."""

    undone: Undone = None  # type: ignore[assignment]  # set when it has ended
    taken: list[Taken] = field(default_factory=list)

    def show(self, _undone: Undone, page: Sequence[Taken]) -> None:
        """Keep a page."""
        self.taken += page

    @property
    def steps(self) -> list[UndoStep]:
        """All records."""
        return [one.step for one in self.taken]

    @property
    def due(self) -> list[UndoStep]:
        """Those that were to be changed."""
        return [step for step in self.steps if step.fields]

    @property
    def refused(self) -> list[WriteResult]:
        """What the CRM did not take."""
        return [one.result for one in self.taken if one.refused and one.result is not None]

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records as JSON values."""
        return [one.as_json() for one in self.taken]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.undone, name)


def told(act: Callable[..., Undone], installation: Installation, since: datetime | None = None) -> Told:
    """Plan or carry out, and keep what is told."""
    found = Told()
    found.undone = act(installation, installation.endpoints[0], since, show=found.show)
    return found
