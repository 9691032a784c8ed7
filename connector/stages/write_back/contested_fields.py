"""Fields into which others put their own value over ours: after some rounds we leave them to them, and try once a week later."""

from datetime import datetime, timedelta

from connector.model import FieldValues
from connector.model.outbox import LastWrite, RecordFields
from connector.ports import CrmMapping

CONTESTED = 3
"""How often others may put their own value over ours before we leave a field to them."""
PATIENCE = timedelta(days=7)
"""How long a field is left to others; afterwards it is tried once, in case they have stopped."""


def written(mapping: CrmMapping, record: RecordFields, fields: FieldValues, now: datetime) -> dict[str, LastWrite]:
    """Return what to remember of our writes to a record after `fields`: value, when, and how often in a row others replaced it."""
    kept = dict(record.written)
    for name, raw in fields.items():
        times = _times_replaced(mapping, record, name, now) + 1
        kept[name] = {"value": raw, "times": times, "at": now.isoformat()}
    return kept


def is_contested(mapping: CrmMapping, record: RecordFields, name: str, now: datetime) -> bool:
    """Tell whether a field is left to others for now, who have put their own value over ours again and again."""
    return _times_replaced(mapping, record, name, now) >= CONTESTED and _is_recent(record.written[name], now)


def _times_replaced(mapping: CrmMapping, record: RecordFields, name: str, now: datetime) -> int:
    """Return how often in a row we have written a field and found something else there, whatever we wrote.

    An old replacement begins a new count, unless it is one that was never given up.
    """
    last = record.written.get(name)
    if last is None or not mapping.differs(record.target, name, last["value"], record.actual.get(name)):
        return 0
    times = int(last["times"])
    return times if times >= CONTESTED or _is_recent(last, now) else 0


def _is_recent(last: LastWrite, now: datetime) -> bool:
    return "at" in last and now - datetime.fromisoformat(last["at"]) < PATIENCE
