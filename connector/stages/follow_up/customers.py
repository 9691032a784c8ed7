"""What the rules look at, read for a page of customers at once: the number of statements is that of a page, not of its customers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from connector.model.follow_up import PersonalFollowUp
from connector.model.stored import StoredAccount
from connector.stages.context import Context
from connector.stages.follow_up.plan import Customer, Unclosed
from connector.store import Transaction
from connector.store.results import follow_up_facts, follow_ups
from connector.store.results.follow_up_facts import JudgedResponse
from connector.store.results.follow_ups import OwedAnswer, PlacedAnswer
from connector.store.results.scores import PublishedScore


def gather(
    context: Context,
    tx: Transaction,
    scores: Sequence[PublishedScore],
    accounts: Mapping[str, Sequence[StoredAccount]],
    now: datetime,
) -> list[Customer]:
    """Return what is known of customers with these figures and accounts."""
    ids = [score.customer for score in scores]
    answers = _answers(context, tx, ids)
    silence = follow_up_facts.silence_of(tx, ids, now)
    opened = follow_up_facts.last_opened(tx, ids)
    unclosed = _unclosed(tx, ids)
    return [
        Customer(
            score.customer,
            answers[score.customer],
            score.figures,
            silence=silence[score.customer][0],
            last_answer=silence[score.customer][1],
            opened=opened.get(score.customer, {}),
            follow_ups=unclosed.get(score.customer, ()),
            accounts=accounts[score.customer],
        )
        for score in scores
    ]


def _answers(context: Context, tx: Transaction, ids: Sequence[str]) -> Mapping[str, list[JudgedResponse]]:
    newest = follow_up_facts.answers_of(tx, ids, crms=context.live)
    corrections = follow_up_facts.second_thoughts(tx, ids)
    answered = {id_: [*newest.get(id_, ()), *corrections.get(id_, ())] for id_ in ids}
    owed = follow_ups.owed_to(tx, ids)
    for id_, unread in _unread(tx, answered, owed).items():
        answered[id_].extend(unread)
    responses = [answer.response.response_id for answers in answered.values() for answer in answers]
    placed = follow_ups.placed(tx, responses)
    owing = {answer.response_id: answer for answers in owed.values() for answer in answers}
    return {
        id_: [_judged(context, answer, placed, owing.get(answer.response.response_id)) for answer in answers]
        for id_, answers in answered.items()
    }


def _unread(
    tx: Transaction, answered: Mapping[str, Sequence[JudgedResponse]], owed: Mapping[str, Sequence[OwedAnswer]]
) -> Mapping[str, list[JudgedResponse]]:
    """Return the answers that are owed a follow-up and are not among those that were read, the newest first."""
    known = {answer.response.response_id for answers in answered.values() for answer in answers}
    customer_of = {
        answer.response_id: customer
        for customer, answers in owed.items()
        for answer in answers
        if answer.response_id not in known
    }
    unread: dict[str, list[JudgedResponse]] = {}
    for answer in follow_up_facts.answers_by_id(tx, customer_of):
        unread.setdefault(customer_of[answer.response.response_id], []).append(answer)
    return unread


def _judged(context: Context, answer: JudgedResponse, placed: set[str], owing: OwedAnswer | None) -> JudgedResponse:
    return replace(
        answer,
        # What came on a connection that is paused or out of reach is looked at when it is back.
        considered=answer.considered or answer.response.connection not in context.live,
        placed=answer.response.response_id in placed,
        owed_by=None if owing is None else owing.rule,
        owed_at=None if owing is None else owing.at,
    )


def _unclosed(tx: Transaction, ids: Sequence[str]) -> Mapping[str, list[Unclosed]]:
    unclosed = follow_ups.unclosed(tx, ids)
    follow_up_ids = [known.follow_up.id for known in unclosed]
    rules = follow_ups.rules_of(tx, follow_up_ids)
    answers = follow_ups.answers_by_follow_up(tx, follow_up_ids)
    of_customer: dict[str, list[Unclosed]] = {}
    for known in unclosed:
        follow_up = known.follow_up
        value = _unclosed_of(known, rules.get(follow_up.id, ()), answers.get(follow_up.id, ()))
        of_customer.setdefault(follow_up.customer, []).append(value)
    return of_customer


def _unclosed_of(known: PersonalFollowUp, rules: Sequence[str], answers: Sequence[PlacedAnswer]) -> Unclosed:
    return Unclosed(
        id=known.follow_up.id,
        person=known.person,
        rules=frozenset({known.follow_up.rule, *rules}),
        newest=max((answer.at for answer in answers), default=None),
        invitations=frozenset(answer.invitation_id for answer in answers if answer.invitation_id),
    )
