"""`follow_up`: new ratings, moods and silence become follow-ups; then each touched record's fields are put into words (`present`).

A customer is done in one transaction: what opens, what the rep is shown, and the mark that it was dealt with. Alerts go out after it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connector.model import FollowUpState
from connector.rules import matches_silence
from connector.sentences import tasks
from connector.sentences.values import Link
from connector.settings.model import FollowUp
from connector.stages.assigning import About, assign
from connector.stages.context import Context
from connector.stages.follow_up_plan import Answer, Customer, Opening, plan
from connector.stages.present import details_url, present, reasons, words_of
from connector.stages.score import waiting
from connector.stages.score_plan import answers_key
from connector.store import Row, Transaction, following, scoring
from connector.store.pulling import mark_stale

PAGE = 200


@dataclass(frozen=True, slots=True)
class FollowUpResult:
    """How many follow-ups were opened."""

    opened: int = 0


def run(context: Context) -> FollowUpResult:
    """Look at every customer that something happened to."""
    now = context.clock.now()
    with context.store.read() as connection:
        live = {name: following.live_since(connection, f"follow_up:{name}") for name in context.settings.follow_up}
    opened = 0
    for row in waiting(context):
        with context.write() as connection:
            if not _is_ours(context, connection, row.customer):
                continue  # not now: its connection is observed, paused or out of reach
            following.lock_answers(connection, row.customer)
            if answers_key(scoring.ratings_of(connection, row.customer)) != row.answers_key:
                continue  # an answer came in after `score`: the next lap takes both in
            opened += _one(context, connection, row, live, now)
    return FollowUpResult(opened)


def _one(
    context: Context, connection: Transaction, row: Row[Any], live: Mapping[str, Mapping[str, datetime]], now: datetime
) -> int:
    customer = _customer(context, connection, row, now)
    openings = plan(customer, context.settings.follow_up, live, now)
    opened = sum(_open(context, connection, customer, opening, now=now) for opening in openings)
    present(context, connection, customer)
    seen = [answer.said.response_id for answer in customer.answers]
    if following.considered(connection, row.customer, seen, crms=context.live, now=now):
        scoring.settled(connection, row.customer, row.stale_at)
    return opened


def _is_ours(context: Context, connection: Transaction, customer: str) -> bool:
    accounts = following.accounts_of(connection, customer)
    return not accounts or any(one.connection in context.live for one in accounts)


# ── what is known ────────────────────────────────────────────────────────────────────────────────────────────────────


def _customer(context: Context, connection: Transaction, row: Row[Any], now: datetime) -> Customer:
    found = following.answers_of(connection, row.customer)
    answers = [
        Answer(
            said=said,
            ratings=said.ratings,
            connection=one.connection,
            account_id=one.account_id,
            source=one.source,
            # What came on a connection that is paused or out of reach is looked at when it is back.
            considered=one.considered_at is not None or one.connection not in context.live,
            interaction_id=one.interaction_id,
        )
        for said, one in found
    ]
    figures = scoring.figures_of(connection, row.customer)
    silence, last = following.silence_of(connection, row.customer, now)
    opened = following.last_opened(connection, row.customer)
    return Customer(row.customer, answers, figures, silence=silence, last_answer=last, opened=opened)


def mark_silent(context: Context) -> None:
    """Silence makes no event: those whose invitations ran out are looked at when a rule asks about it. Comes before `score`."""
    now = context.clock.now()
    for name, rule in context.settings.follow_up.items():
        if rule.when.on_silence:
            _mark_silent_for(context, name, _least_times(rule), now)


def _mark_silent_for(context: Context, rule: str, least: int, now: datetime) -> None:
    place = ""
    while not context.stop.is_set():
        with context.write() as connection:
            found = following.newly_silent(connection, rule, now, least=least, after=place, limit=PAGE)
            for customer in found:
                mark_stale(connection, customer, now)
        if len(found) < PAGE:
            return
        place = found[-1]


def _least_times(rule: FollowUp) -> int:
    """Return the smallest number of silent invitations that satisfies a rule."""
    return next((n for n in range(1, 101) if matches_silence(rule.when, n)), 101)


# ── opening ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _open(context: Context, connection: Transaction, customer: Customer, opening: Opening, *, now: datetime) -> int:
    rule = context.settings.follow_up[opening.rule]
    account, crm = _place(context, connection, customer, opening)
    if account is None:
        return 0
    first = opening.answers[0] if opening.answers else None
    about = About(
        account,
        contact_id=first.said.contact_id if first else None,
        interaction_id=first.interaction_id if first else None,
    )
    assigned = assign(connection, rule.assign, about, context.settings)
    begins = first.said.at if first else now
    due = max(begins, now - rule.due) + rule.due
    said = [one.said for one in opening.answers]
    why = reasons(
        context, connection, customer.id, rule=opening.rule, at=now, said=[one.said for one in customer.answers]
    )
    task = tasks.TaskText(
        rule.when,
        [Link(tasks.link_names(words_of(context))[0], details_url(context, account.id))],
        assigned.tz,
        said=said,
        reasons=() if said else why,
        owner_note=assigned.note,
    )
    row = {
        "id": follow_up_id(customer, opening, now),
        "rule": opening.rule,
        "customer": customer.id,
        "connection": crm,
        "account_id": account.id,
        "contact_id": about.contact_id,
        "response_id": first.said.response_id if first else None,
        "interaction_id": about.interaction_id,
        "state": FollowUpState.OPEN.value,
        "priority": rule.priority.value,
        "due_at": due,
        "owner_ref": assigned.ref,
        "owner_note": assigned.note,
        "subject": _subject(context, account.name, task, due=due, now=now),
        "body": tasks.body(task, words_of(context)),
        "opened_at": now,
    }
    opened = following.open_one(connection, row, [one.response_id for one in said])
    return int(opened == row["id"])


def follow_up_id(customer: Customer, opening: Opening, now: datetime) -> str:
    """Name a follow-up after what opened it: planning it and opening it give the same, and one answer opens a rule's task once."""
    about = [answer.said.response_id for answer in opening.answers] or [now.isoformat()]
    text = "\n".join([opening.rule, customer.id, *about])
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def _place(
    context: Context, connection: Transaction, customer: Customer, opening: Opening
) -> tuple[Row[Any] | None, str]:
    """Return the account and the connection that the follow-up belongs to: where the answer came from, and live."""
    accounts = [one for one in following.accounts_of(connection, customer.id) if one.connection in context.live]
    if not opening.answers:
        return (accounts[0], accounts[0].connection) if accounts else (None, "")
    mine = [one for one in accounts if one.id == opening.answers[0].account_id]
    return (mine[0], mine[0].connection) if mine else (None, "")


def _subject(context: Context, account: str, task: tasks.TaskText, *, due: datetime, now: datetime) -> str:
    words = words_of(context)
    if task.said:
        return tasks.call_subject(task.said[0], due, words, tz=task.tz, now=now)
    return tasks.account_subject(account, task.reasons, due, words, tz=task.tz, now=now)
