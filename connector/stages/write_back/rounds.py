"""Sending in rounds: what is refused for fields that the CRM names is sent again without these."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from connector.ports import WriteResult
from connector.stages.write_back.outbox import PAGE, ROUNDS, Outbox
from connector.store import Transaction

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Rounds(Generic[_T]):
    """How tasks to be made, or changes of records, are sent."""

    outbox: Outbox
    key_of: Callable[[_T], str]
    """The key of its write."""
    send: Callable[[Sequence[_T]], Iterator[Sequence[WriteResult]]]
    """Sends until the lap is to end; yields results as they come."""
    without_refused: Callable[[_T, WriteResult], _T | None]
    """Returns it without the fields that the CRM names as the reason of a refusal; None where it is not to be sent again."""
    note: Callable[[Transaction, _T, WriteResult], None]

    def run(self, items: Sequence[_T]) -> None:
        """Send them, and keep what became of each."""
        waiting = list(items)
        for last in (False,) * ROUNDS + (True,):
            waiting = self._once(waiting, last=last)
            if not waiting:
                return

    def _once(self, items: Sequence[_T], *, last: bool) -> list[_T]:
        """Send them once; returns what is left to be sent of those that were refused for a field."""
        by_key = {self.key_of(item): item for item in items}
        left: list[_T] = []
        for results in self.send(items):
            for start in range(0, len(results), PAGE):
                with self.outbox.context.store.write() as tx:
                    for result in results[start : start + PAGE]:
                        item = by_key[result.write.key]
                        rest = None if last else self.without_refused(item, result)
                        if rest is None:
                            self.note(tx, item, result)
                            self.outbox.written.count(result)
                        else:
                            left.append(rest)
        return left
