"""Sending in rounds: what is refused for fields that the CRM names is sent again without these."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from connector.ports import BulkWriter, WriteResult
from connector.stages.write_back.changes import Change
from connector.stages.write_back.outbox import PAGE, Outbox
from connector.store import Transaction

ROUNDS: Final = 4
"""How often a record is sent again without fields that were refused: a CRM may name them one after the other."""

C = TypeVar("C", bound=Change)


def send_changes(
    outbox: Outbox,
    changes: Sequence[C],
    note: Callable[[Transaction, C, WriteResult], None],
    bulk: BulkWriter | None = None,
) -> None:
    """Send changes until the lap is to end, log each, and set aside what is refused; `note` keeps what the CRM has taken."""
    waiting = list(changes)
    for last in (False,) * ROUNDS + (True,):
        waiting = _send_once(outbox, waiting, note, bulk, last=last)
        if not waiting:
            return


def _send_once(
    outbox: Outbox,
    changes: Sequence[C],
    note: Callable[[Transaction, C, WriteResult], None],
    bulk: BulkWriter | None,
    *,
    last: bool,
) -> list[C]:
    """Send changes once; returns what is left to be sent of those that were refused for a field."""
    mapping = outbox.crm.mapping
    by_key = {change.key: change for change in changes}
    left: list[C] = []
    for results in outbox.sent([change.as_write(mapping) for change in changes], bulk):
        for start in range(0, len(results), PAGE):
            with outbox.context.store.write() as tx:
                for result in results[start : start + PAGE]:
                    change = by_key[result.write.key]
                    rest = None if last else change.without_refused(result, mapping)
                    if rest is not None:
                        left.append(rest)
                        continue
                    outbox.log(tx, change, result)
                    outbox.written.count(result)
                    if result.outcome == "refused":
                        outbox.note_refused(tx, change, result)
                    else:
                        note(tx, change, result)
    return left
