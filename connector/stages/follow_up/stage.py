"""`follow_up`: new ratings, moods and silence become follow-ups; then each touched record's fields are put into words (`present`).

A customer is done in one transaction: what opens, what the rep is shown, and the mark that it was dealt with. Alerts go out after it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from connector.domain.follow_up_rules import matches_silence
from connector.model import ClosedBy
from connector.sentences.values import NamedResponse
from connector.settings.model import FollowUpRule
from connector.stages.context import Context
from connector.stages.follow_up.plan import Customer, JudgedResponse, Unclosed, plan
from connector.stages.follow_up.steps import StepContext, take
from connector.stages.follow_up.texts import renew
from connector.stages.score.plan import answers_key
from connector.stages.score.stage import waiting
from connector.stages.write_back.desired_values import present
from connector.stages.write_back.task_links import learn_addresses
from connector.store import Row, Transaction
from connector.store.crm.records import mark_stale
from connector.store.results import follow_up_facts, follow_up_moves, follow_ups, scores

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
    for row in waiting(context):
        learn_addresses(context, row.customer)
        with context.write() as tx:
            if not _is_ours(context, tx, row.customer):
                continue  # not now: its connection is observed, paused or out of reach
            follow_up_facts.lock_answers(tx, row.customer)
            if answers_key(scores.ratings_of(tx, row.customer)) != row.answers_key:
                continue  # an answer came in after `score`: the next lap takes both in
            opened += _one(context, tx, row, live, now)
    return FollowUpResult(opened)


def _one(
    context: Context, tx: Transaction, row: Row[Any], live: Mapping[str, Mapping[str, datetime]], now: datetime
) -> int:
    follow_up_moves.join_same(tx, row.customer, now)
    follow_ups.owe_others(tx, row.customer, now)
    _follow_account(tx, row.customer, now)
    customer = _customer(context, tx, row, now)
    surroundings = StepContext(context, tx, customer, now)
    opened = sum(take(surroundings, step) for step in plan(customer, context.settings.follow_up, live, now))
    renew(context, tx, customer, now)
    present(context, tx, replace(customer, answers=[answer for answer in customer.answers if answer.counts]))
    seen = [answer.response.response_id for answer in customer.answers]
    if follow_up_facts.considered(tx, row.customer, seen, crms=context.live, now=now):
        scores.settled(tx, row.customer, row.stale_at)
    return opened


def _is_ours(context: Context, tx: Transaction, customer: str) -> bool:
    accounts = follow_up_facts.accounts_of(tx, customer)
    return not accounts or any(one.connection in context.live for one in accounts)


def _follow_account(tx: Transaction, customer: str, now: datetime) -> None:
    """Close what is about a customer whose last account was deleted: no record shows it. Open it again when one is back."""
    if not follow_up_facts.accounts_of(tx, customer):
        for row in follow_ups.unclosed(tx, [customer]):
            follow_ups.close(tx, row.id, ClosedBy.ACCOUNT_GONE, now)
        return
    for row in follow_ups.gone_with_account(tx, customer):
        there = [one for one in follow_ups.unclosed(tx, [customer]) if one.person == row.person]
        if there:
            follow_ups.take_over(tx, there[0], [row], now)
        else:
            follow_ups.reopen(tx, row.id)


# ── what is known ────────────────────────────────────────────────────────────────────────────────────────────────────


def _customer(context: Context, tx: Transaction, row: Row[Any], now: datetime) -> Customer:
    fresh = follow_up_facts.answers_of(tx, row.customer, crms=context.live)
    answered = [*fresh, *follow_up_facts.second_thoughts(tx, row.customer)]
    owed = {owed_answer.response_id: owed_answer for owed_answer in follow_ups.owed_to(tx, row.customer)}
    unread = [
        pair
        for pair in follow_up_facts.answers_by_id(tx, owed)
        if pair[1].id not in {response.id for _, response in answered}
    ]
    answers = _answers(context, tx, [*answered, *unread])
    figures = scores.figures_of(tx, row.customer)
    silence, last = follow_up_facts.silence_of(tx, row.customer, now)
    customer = Customer(
        row.customer,
        [_owed(answer, owed.get(answer.response.response_id)) for answer in answers],
        figures,
        silence=silence,
        last_answer=last,
        opened=follow_up_facts.last_opened(tx, row.customer),
    )
    return replace(customer, follow_ups=_unclosed(tx, row.customer))


def _owed(answer: JudgedResponse, owing: Row[Any] | None) -> JudgedResponse:
    return answer if owing is None else replace(answer, owed_by=owing.rule, owed_at=owing.at)


def _answers(context: Context, tx: Transaction, answered: list[tuple[NamedResponse, Row[Any]]]) -> list[JudgedResponse]:
    placed = follow_ups.placed(tx, [row.id for _, row in answered])
    return [
        JudgedResponse(
            response=response,
            ratings=response.ratings,
            connection=row.connection,
            account_id=row.account_id,
            source=row.source,
            # What came on a connection that is paused or out of reach is looked at when it is back.
            considered=row.considered_at is not None or row.connection not in context.live,
            person=row.person or row.contact_id or "",
            interaction_id=row.interaction_id,
            invitation_id=row.invitation_id,
            counts=row.counts,
            placed=row.id in placed,
        )
        for response, row in answered
    ]


def _unclosed(tx: Transaction, customer: str) -> list[Unclosed]:
    rows = follow_ups.unclosed(tx, [customer])
    rules = follow_ups.rules_of(tx, [row.id for row in rows])
    answers: dict[str, list[Row[Any]]] = {}
    for answer in follow_ups.answers_in(tx, [row.id for row in rows]):
        answers.setdefault(answer.follow_up_id, []).append(answer)
    return [
        Unclosed(
            id=row.id,
            person=row.person,
            rules=frozenset({row.rule, *rules.get(row.id, ())}),
            newest=max((answer.at for answer in answers.get(row.id, ())), default=None),
            invitations=frozenset(answer.invitation_id for answer in answers.get(row.id, ()) if answer.invitation_id),
        )
        for row in rows
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
