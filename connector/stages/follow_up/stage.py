"""`follow_up`: new ratings, moods and silence become follow-ups; then each touched record's fields are put into words (`present`).

A page of customers is done in one transaction: what opens, what the reps are shown, and the mark that they were dealt with. Alerts go
out after it. Statements ask about all customers of the page; those about a single one are for whom something is opened or reworded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from connector.domain.follow_up_rules import matches_silence
from connector.model import ClosedBy
from connector.model.stored import StoredAccount
from connector.settings.model import FollowUpRule
from connector.stages.context import Context
from connector.stages.follow_up.customers import gather
from connector.stages.follow_up.plan import plan
from connector.stages.follow_up.steps import StepContext, take
from connector.stages.follow_up.texts import renew
from connector.stages.page_size import PageSize
from connector.stages.score.plan import answers_key
from connector.stages.score.stage import waiting
from connector.stages.write_back.desired_values import present
from connector.stages.write_back.task_links import learn_addresses
from connector.store import Transaction
from connector.store.crm.records import mark_all_stale
from connector.store.outbox import fields as stored_fields
from connector.store.results import follow_up_facts, follow_up_moves, follow_ups, scores
from connector.store.results.scores import PublishedScore

PAGE = 200
LiveSince = Mapping[str, Mapping[str, datetime]]
"""Since when each rule is live, by connection."""


@dataclass(frozen=True, slots=True)
class FollowUpResult:
    """How many follow-ups were opened."""

    opened: int = 0


def run(context: Context) -> FollowUpResult:
    """Look at every customer that something happened to."""
    now, size = context.clock.now(), PageSize()
    with context.store.read() as tx:
        live = {name: follow_up_facts.live_since(tx, f"follow_up:{name}") for name in context.settings.follow_up}
    opened = 0
    for page in waiting(context, size):
        learn_addresses(context, [score.customer for score in page])
        with context.write() as tx, size.timed(len(page)):
            opened += _follow_up(context, tx, page, live, now)
    return FollowUpResult(opened)


def _follow_up(
    context: Context, tx: Transaction, page: Sequence[PublishedScore], live: LiveSince, now: datetime
) -> int:
    accounts = follow_up_facts.accounts_of(tx, [score.customer for score in page])
    ours = [score for score in page if _is_ours(context, accounts[score.customer])]
    page = _taken_in(tx, ours) if ours else ours
    if not page:
        return 0
    ids = [score.customer for score in page]
    follow_up_moves.join_same(tx, ids, now)
    follow_ups.owe_others(tx, ids, now)
    _follow_accounts(tx, {id_: accounts[id_] for id_ in ids}, now)
    customers = gather(context, tx, page, accounts, now)
    opened = 0
    for customer in customers:
        surroundings = StepContext(context, tx, customer, now)
        opened += sum(take(surroundings, step) for step in plan(customer, context.settings.follow_up, live, now))
    renew(context, tx, customers, now)
    # A correction that came after somebody had called counts in no sentence.
    counting = [[answer for answer in customer.answers if answer.counts] for customer in customers]
    shown = [replace(customer, answers=answers) for customer, answers in zip(customers, counting, strict=True)]
    desired, unchanged = present(context, tx, shown), _unchanged(tx, page)
    if len(unchanged) < len(page):
        desired = present(context, tx, [customer for customer in shown if customer.id in unchanged])
    stored_fields.set_desired_of(tx, desired)
    seen = {customer.id: {answer.response.response_id for answer in customer.answers} for customer in customers}
    considered = follow_up_facts.considered(tx, seen, crms=context.live, now=now)
    done = considered & unchanged
    scores.settled(tx, {score.customer: score.stale_at for score in page if score.customer in done})
    return opened


def _is_ours(context: Context, accounts: Sequence[StoredAccount]) -> bool:
    """Tell whether a customer is looked at now: not while its connection is observed, paused or out of reach."""
    return not accounts or any(account.ref.connection in context.live for account in accounts)


def _taken_in(tx: Transaction, page: Sequence[PublishedScore]) -> list[PublishedScore]:
    """Return those whose figures are made of all their answers: what came in after `score` the next lap takes in, with its figures."""
    ids = [score.customer for score in page]
    follow_up_facts.lock_answers(tx, ids)
    ratings = scores.ratings_of(tx, ids)
    waiting_still = [score for score in scores.of_customers(tx, ids) if score.stale_at is not None]
    return [score for score in waiting_still if answers_key(ratings[score.customer]) == score.answers_key]


def _unchanged(tx: Transaction, page: Sequence[PublishedScore]) -> set[str]:
    """Return those to whom nothing has happened since the page was read, locked until the end of the transaction.

    Another process may have put an answer into words that came in meanwhile, and what this page knows is older.
    """
    marks = {score.customer: score.stale_at for score in page}
    return {score.customer for score in scores.locked(tx, marks) if score.stale_at == marks[score.customer]}


def _follow_accounts(tx: Transaction, accounts: Mapping[str, Sequence[StoredAccount]], now: datetime) -> None:
    """Close what is about customers whose last account was deleted: no record shows it. Open it again when one is back."""
    without = [customer for customer, theirs in accounts.items() if not theirs]
    if without:
        for unclosed in follow_ups.unclosed(tx, without):
            follow_ups.close(tx, unclosed.follow_up.id, ClosedBy.ACCOUNT_GONE, now)
    there = [customer for customer, theirs in accounts.items() if theirs]
    for closed in follow_ups.gone_with_account(tx, there):
        unclosed_now = follow_ups.unclosed(tx, [closed.follow_up.customer])
        same = [known.follow_up for known in unclosed_now if known.person == closed.person]
        if same:
            follow_ups.take_over(tx, same[0], [closed.follow_up], now)
        else:
            follow_ups.reopen(tx, closed.follow_up.id)


# ── silence ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def mark_silent(context: Context) -> None:
    """Silence makes no event: those whose invitations ran out are looked at when a rule asks about it. Comes before `score`."""
    now = context.clock.now()
    for name, rule in context.settings.follow_up.items():
        if rule.when.on_silence:
            _mark_silent_for(context, name, _least_times(rule), now)


def _mark_silent_for(context: Context, rule: str, least: int, now: datetime) -> None:
    place = ""
    while not context.stop.is_set():
        with context.write() as tx:
            silent = follow_up_facts.newly_silent(tx, rule, now, least=least, after=place, limit=PAGE)
            mark_all_stale(tx, silent, now)
        if len(silent) < PAGE:
            return
        place = silent[-1]


def _least_times(rule: FollowUpRule) -> int:
    """Return the smallest number of silent invitations that satisfies a rule."""
    return next((n for n in range(1, 101) if matches_silence(rule.when, n)), 101)
