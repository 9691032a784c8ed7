"""When a record stops to show a follow-up whose task is done, and of which nobody says how it ended."""

from datetime import datetime, timedelta
from functools import partial

from connector.model.follow_up import FollowUp
from connector.stages.context import Context
from connector.store import Transaction
from connector.store.crm.records import mark_stale
from connector.store.results import follow_ups, tasks

WORKING_DAYS = 10
PAGE = 200


def end_attention(context: Context) -> None:
    """Take what has waited for an outcome for ten working days off its record; `status` goes on naming it. Comes before `score`."""
    now, after = context.clock.now(), ""
    while not context.stop.is_set():
        waiting = context.write_where_needed(partial(_end_page, context, after=after, now=now))
        if len(waiting) < PAGE:
            return
        after = waiting[-1].id


def _end_page(context: Context, tx: Transaction, *, after: str, now: datetime) -> list[FollowUp]:
    waiting = tasks.waiting_since(tx, now - timedelta(days=WORKING_DAYS), after=after, limit=PAGE)
    for follow_up in waiting:
        if _is_over(context, follow_up, now):
            follow_ups.change(tx, follow_up.id, {"attention_ended_at": now})
            mark_stale(tx, follow_up.customer, now)
    return waiting


def _is_over(context: Context, follow_up: FollowUp, now: datetime) -> bool:
    working_time, since = context.settings.company.working_time, follow_up.waiting_since
    return since is not None and working_time.add_working_days(since, WORKING_DAYS) <= now
