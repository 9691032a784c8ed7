"""`follow_up`: new ratings, moods and silence become follow-ups; then each touched record's fields are put into words (`present`).

A customer is done in one transaction: what opens, what the rep is shown, and the mark that it was dealt with. Alerts go out after it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from connector.domain.follow_up_rules import matches_silence
from connector.model import ClosedBy
from connector.settings.model import FollowUpRule
from connector.stages.context import Context
from connector.stages.follow_up.plan import Customer, Unclosed, plan
from connector.stages.follow_up.steps import StepContext, take
from connector.stages.follow_up.texts import renew
from connector.stages.score.plan import answers_key
from connector.stages.score.stage import waiting
from connector.stages.write_back.desired_values import present
from connector.stages.write_back.task_links import learn_addresses
from connector.store import Transaction
from connector.store.crm.records import mark_stale
from connector.store.results import follow_up_facts, follow_up_moves, follow_ups, scores
from connector.store.results.follow_up_facts import JudgedResponse
from connector.store.results.follow_ups import OwedAnswer, PlacedAnswer
from connector.store.results.scores import PublishedScore

PAGE = 200


@dataclass(frozen=True, slots=True)
class FollowUpResult:
    """How many follow-ups were opened."""

    opened: int = 0


def run(context: Context) -> FollowUpResult:
    """Look at every customer that something happened to."""
    now = context.clock.now()
    with context.store.read() as tx:
        live = {name: follow_up_facts.live_since(tx, f"follow_up:{name}") for name in context.settings.follow_up}
    opened = 0
    for score in waiting(context):
        learn_addresses(context, score.customer)
        with context.write() as tx:
            if not _is_ours(context, tx, score.customer):
                continue  # not now: its connection is observed, paused or out of reach
            follow_up_facts.lock_answers(tx, score.customer)
            if answers_key(scores.ratings_of(tx, score.customer)) != score.answers_key:
                continue  # an answer came in after `score`: the next lap takes both in
            opened += _one(context, tx, score, live, now)
    return FollowUpResult(opened)


def _one(
    context: Context, tx: Transaction, score: PublishedScore, live: Mapping[str, Mapping[str, datetime]], now: datetime
) -> int:
    follow_up_moves.join_same(tx, score.customer, now)
    follow_ups.owe_others(tx, score.customer, now)
    _follow_account(tx, score.customer, now)
    customer = _customer(context, tx, score.customer, now)
    surroundings = StepContext(context, tx, customer, now)
    opened = sum(take(surroundings, step) for step in plan(customer, context.settings.follow_up, live, now))
    renew(context, tx, customer, now)
    present(context, tx, replace(customer, answers=[answer for answer in customer.answers if answer.counts]))
    seen = [answer.response.response_id for answer in customer.answers]
    all_considered = follow_up_facts.considered(tx, score.customer, seen, crms=context.live, now=now)
    if all_considered and score.stale_at is not None:
        scores.settled(tx, score.customer, score.stale_at)
    return opened


def _is_ours(context: Context, tx: Transaction, customer: str) -> bool:
    accounts = follow_up_facts.accounts_of(tx, customer)
    return not accounts or any(account.ref.connection in context.live for account in accounts)


def _follow_account(tx: Transaction, customer: str, now: datetime) -> None:
    """Close what is about a customer whose last account was deleted: no record shows it. Open it again when one is back."""
    if not follow_up_facts.accounts_of(tx, customer):
        for unclosed in follow_ups.unclosed(tx, [customer]):
            follow_ups.close(tx, unclosed.follow_up.id, ClosedBy.ACCOUNT_GONE, now)
        return
    for closed in follow_ups.gone_with_account(tx, customer):
        same = [known.follow_up for known in follow_ups.unclosed(tx, [customer]) if known.person == closed.person]
        if same:
            follow_ups.take_over(tx, same[0], [closed.follow_up], now)
        else:
            follow_ups.reopen(tx, closed.follow_up.id)


# ── what is known ────────────────────────────────────────────────────────────────────────────────────────────────────


def _customer(context: Context, tx: Transaction, customer_id: str, now: datetime) -> Customer:
    fresh = follow_up_facts.answers_of(tx, customer_id, crms=context.live)
    answered = [*fresh, *follow_up_facts.second_thoughts(tx, customer_id)]
    owed = {owed_answer.response_id: owed_answer for owed_answer in follow_ups.owed_to(tx, customer_id)}
    known = {answer.response.response_id for answer in answered}
    unread = [answer for answer in follow_up_facts.answers_by_id(tx, owed) if answer.response.response_id not in known]
    answers = _answers(context, tx, [*answered, *unread])
    figures = scores.figures_of(tx, customer_id)
    silence, last = follow_up_facts.silence_of(tx, customer_id, now)
    customer = Customer(
        customer_id,
        [_owed(answer, owed.get(answer.response.response_id)) for answer in answers],
        figures,
        silence=silence,
        last_answer=last,
        opened=follow_up_facts.last_opened(tx, customer_id),
    )
    return replace(customer, follow_ups=_unclosed(tx, customer_id))


def _owed(answer: JudgedResponse, owing: OwedAnswer | None) -> JudgedResponse:
    return answer if owing is None else replace(answer, owed_by=owing.rule, owed_at=owing.at)


def _answers(context: Context, tx: Transaction, answered: list[JudgedResponse]) -> list[JudgedResponse]:
    placed = follow_ups.placed(tx, [answer.response.response_id for answer in answered])
    return [
        replace(
            answer,
            # What came on a connection that is paused or out of reach is looked at when it is back.
            considered=answer.considered or answer.response.connection not in context.live,
            placed=answer.response.response_id in placed,
        )
        for answer in answered
    ]


def _unclosed(tx: Transaction, customer: str) -> list[Unclosed]:
    unclosed = follow_ups.unclosed(tx, [customer])
    ids = [known.follow_up.id for known in unclosed]
    rules = follow_ups.rules_of(tx, ids)
    answers: dict[str, list[PlacedAnswer]] = {}
    for answer in follow_ups.answers_in(tx, ids):
        answers.setdefault(answer.follow_up_id, []).append(answer)
    return [
        Unclosed(
            id=known.follow_up.id,
            person=known.person,
            rules=frozenset({known.follow_up.rule, *rules.get(known.follow_up.id, ())}),
            newest=max((answer.at for answer in answers.get(known.follow_up.id, ())), default=None),
            invitations=frozenset(
                answer.invitation_id for answer in answers.get(known.follow_up.id, ()) if answer.invitation_id
            ),
        )
        for known in unclosed
    ]


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
            for customer in silent:
                mark_stale(tx, customer, now)
        if len(silent) < PAGE:
            return
        place = silent[-1]


def _least_times(rule: FollowUpRule) -> int:
    """Return the smallest number of silent invitations that satisfies a rule."""
    return next((n for n in range(1, 101) if matches_silence(rule.when, n)), 101)
