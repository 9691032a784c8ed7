"""When a record stops to show a follow-up whose task is done, and of which nobody says how it ended."""

from datetime import datetime, timedelta
from typing import Any

from connector.stages.context import Context
from connector.store import Row
from connector.store.crm.records import mark_stale
from connector.store.results import tasks

WORKING_DAYS = 10
PAGE = 200


def end_attention(context: Context) -> None:
    """Take what has waited for an outcome for ten working days off its record; `status` goes on naming it. Comes before `score`."""
    now, after = context.clock.now(), ""
    while not context.stop.is_set():
        with context.write() as tx:
            rows = tasks.waiting_since(tx, now - timedelta(days=WORKING_DAYS), after=after, limit=PAGE)
            for row in rows:
                if _is_over(context, row, now):
                    tasks.change(tx, row.id, {"attention_ended_at": now})
                    mark_stale(tx, row.customer, now)
        if len(rows) < PAGE:
            return
        after = rows[-1].id


def _is_over(context: Context, row: Row[Any], now: datetime) -> bool:
    working_time = context.settings.company.working_time
    return working_time.add_working_days(row.waiting_since, WORKING_DAYS) <= now
