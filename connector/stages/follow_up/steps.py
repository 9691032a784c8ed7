"""Taking the steps that `plan` has planned: follow-ups are opened, take up further answers, and are closed by good ones."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from connector.domain.working_time import WorkingTime
from connector.model import ClosedBy, FollowUpState, Ref
from connector.model.follow_up import UNSETTLED, FollowUp, FollowUpChange
from connector.model.stored import StoredAccount
from connector.sentences import tasks
from connector.settings.model import FollowUpRule
from connector.settings.time_zones import owner_hours, owner_zone
from connector.stages.context import Context
from connector.stages.follow_up.assignment import About, Assigned, assign
from connector.stages.follow_up.plan import ACCOUNT, Customer, Step
from connector.stages.write_back.desired_values import words_of
from connector.store import Transaction
from connector.store.crm.records import mark_stale
from connector.store.results import follow_up_facts, follow_ups
from connector.store.results.follow_up_facts import JudgedResponse

_UNKNOWN_DUE = timedelta(hours=24)
"""How long there is where the rule is in the configuration no more."""


@dataclass(frozen=True, slots=True)
class StepContext:
    """Where a step is taken."""

    context: Context
    tx: Transaction
    customer: Customer
    now: datetime

    @property
    def rules(self) -> dict[str, FollowUpRule]:
        """The follow-up rules, by name, in the file's order."""
        return self.context.settings.follow_up

    def rules_of(self, step: Step) -> list[FollowUpRule]:
        """Return the rules of a step that the configuration still has, the first one first."""
        return [self.rules[name] for name in step.rules if name in self.rules]

    def hours_of(self, ref: Ref | None) -> WorkingTime:
        """Return when an owner is at work."""
        owner = follow_up_facts.owner_at(self.tx, ref)
        return owner_hours(owner, self.context.settings)

    def assign(self, rule: FollowUpRule | None, about: About) -> Assigned:
        """Choose whose a follow-up is."""
        return assign(self.tx, rule.assign if rule else (), about, settings=self.context.settings, now=self.now)


@dataclass(frozen=True, slots=True)
class FollowUpPlace:
    """The account that a follow-up belongs to, and whether it is there."""

    account: StoredAccount
    is_gone: bool = False


def take(here: StepContext, step: Step) -> int:
    """Take a step; returns how many follow-ups it opened."""
    follow_up_id = _join(here, step, step.joins) if step.joins else _open(here, step)
    if follow_up_id is None:
        return 0
    if step.settled_by is not None:
        _close(here, follow_up_id, step.settled_by)
    return int(step.joins is None)


def follow_up_id(customer: str, step: Step, now: datetime) -> str:
    """Name a follow-up after what opened it: planning it and opening it give the same, and one answer opens a task once.

    One that is owed a follow-up may have opened one here before, which was joined into another: it gets a new one each time.
    """
    about = [answer.response.response_id for answer in step.answers] or [now.isoformat()]
    owed = [answer.owed_at.isoformat() for answer in step.answers if answer.owed_at is not None]
    text = "\n".join([step.rules[0], customer, *about, *owed])
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


# ── opening ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _open(here: StepContext, step: Step) -> str | None:
    place = _place(here, step)
    if place is None:
        return None
    first = min(step.answers, key=lambda answer: answer.response.at, default=None)
    worst = step.answers[0] if step.answers else None
    contact_id = _contact_at(here, step, place.account)
    about = About(
        place.account,
        contact_id=contact_id,
        interaction_id=worst.response.interaction_id if worst else None,
        rated=frozenset(follow_ups.rated_by(here.tx, [answer.response.response_id for answer in step.answers])),
    )
    rules = here.rules_of(step)
    assigned = here.assign(rules[0] if rules else None, about)
    new = FollowUp(
        id=follow_up_id(here.customer.id, step, here.now),
        rule=step.rules[0],
        customer=here.customer.id,
        about=(first.response.contact_id or "") if first is not None and step.person != ACCOUNT else "",
        connection=place.account.ref.connection,
        account_id=place.account.id,
        contact_id=contact_id,
        response_id=worst.response.response_id if worst else None,
        interaction_id=about.interaction_id,
        state=FollowUpState.OPEN,
        priority=follow_ups.raised_priority("low", *(rule.priority for rule in rules)) if rules else "normal",
        due_at=_due(here, step, replace(here.context.settings.company.working_time, tz=assigned.tz)),
        owner=assigned.ref,
        owner_note=assigned.note,
        subject="",
        body="",
        text_fingerprint="",
        opened_at=here.now,
    )
    if not follow_ups.insert(here.tx, new):
        return None
    _put_in(here, new.id, step)
    if place.is_gone:
        follow_ups.close(here.tx, new.id, ClosedBy.ACCOUNT_GONE, here.now)
    return new.id


def _place(here: StepContext, step: Step) -> FollowUpPlace | None:
    """Return the account that a follow-up belongs to: where the first answer came from, as long as it is there and its CRM is live.

    Else it is another account of the customer. Of a customer that has none any more the deleted account keeps it, closed.
    """
    accounts = here.customer.accounts
    living = [account for account in accounts if account.ref.connection in here.context.live]
    in_order = [answer.account_id for answer in sorted(step.answers, key=lambda answer: answer.response.at)]
    for account_id in in_order:
        for account in living:
            if account.id == account_id:
                return FollowUpPlace(account)
    if living:
        return FollowUpPlace(living[0])
    if accounts or not in_order:
        return None
    return FollowUpPlace(follow_up_facts.account_of(here.tx, in_order[0]), is_gone=True)


def _contact_at(here: StepContext, step: Step, account: StoredAccount) -> str | None:
    """Return the person's contact in the account's CRM: the first who answered there, else one of the same address."""
    if step.person == ACCOUNT:
        return None
    in_order = sorted(step.answers, key=lambda answer: answer.response.at)
    contacts = [answer.response.contact_id for answer in in_order if answer.response.contact_id]
    return follow_up_facts.contact_in(here.tx, account.ref.connection, contacts, step.person)


def _due(here: StepContext, step: Step, hours: WorkingTime) -> datetime:
    """Return when it is due: counted from the first answer, in its owner's working time, and never before now.

    The shortest time that any of its rules gives is promised. What somebody is owed is counted from now on: the answer is old.
    """
    after = min((rule.due for rule in here.rules_of(step)), default=_UNKNOWN_DUE)
    if any(answer.owed_by is not None for answer in step.answers):
        return hours.add_working_days(here.now, 1)
    begins = min((answer.response.at for answer in step.answers), default=here.now)
    return max(hours.due(begins, after), here.now)


def _put_in(here: StepContext, into: str, step: Step) -> None:
    """Put answers and rules into a follow-up; whoever loses an answer that is owed a follow-up of its own is put into words anew."""
    responses = [answer.response.response_id for answer in step.answers]
    for customer in follow_ups.link(here.tx, into, responses) - {here.customer.id}:
        mark_stale(here.tx, customer, here.now)
    if any(answer.owed_by is not None for answer in step.answers):
        follow_ups.change(here.tx, into, {"separated_at": here.now})
    follow_ups.add_rules(here.tx, into, step.rules, here.now)


# ── joining and closing ──────────────────────────────────────────────────────────────────────────────────────────────


def _join(here: StepContext, step: Step, known: str) -> str:
    """Let a follow-up take up what came later. It is due no later than it was; one that waits for an outcome is open again."""
    follow_up = follow_ups.by_id(here.tx, known)
    before = {answer.response_id for answer in follow_ups.answers_in(here.tx, [known])}
    news = [answer for answer in step.answers if answer.response.response_id not in before]
    _put_in(here, known, step)
    priorities = (rule.priority for rule in here.rules_of(step))
    changes: FollowUpChange = {"priority": follow_ups.raised_priority(follow_up.priority, *priorities)}
    if follow_up.text_fingerprint is None:
        changes["text_fingerprint"] = ""
    if news and follow_up.state is FollowUpState.WAITING_FOR_OUTCOME:
        changes["state"] = FollowUpState.OPEN
        changes["due_at"] = _due(here, step, here.hours_of(follow_up.owner))
        changes["waiting_since"] = changes["attention_ended_at"] = None
    elif news or step.about_account:
        changes["due_at"] = min(follow_up.due_at, _due(here, step, here.hours_of(follow_up.owner)))
    follow_ups.change(here.tx, known, changes)
    _pass_on(here, follow_up, [*before, *(answer.response.response_id for answer in news)])
    return known


def _pass_on(here: StepContext, follow_up: FollowUp, responses: list[str]) -> None:
    """Give a follow-up to somebody else where a further answer rates whoever has it, and there is anybody else."""
    rated = frozenset(follow_ups.rated_by(here.tx, responses))
    if follow_up.owner is None or follow_up.owner not in rated:
        return
    account = follow_up_facts.account_of(here.tx, follow_up.account_id)
    about = About(account, follow_up.contact_id, follow_up.interaction_id, rated=rated)
    assigned = here.assign(here.rules.get(follow_up.rule), about)
    if assigned.ref is not None and assigned.ref not in rated:
        follow_ups.change(here.tx, follow_up.id, {"owner": assigned.ref, "owner_note": assigned.note})


def _close(here: StepContext, known: str, by: JudgedResponse) -> None:
    """Close a follow-up by a later good answer, and say so."""
    follow_up = follow_ups.by_id(here.tx, known)
    if follow_up.state not in UNSETTLED:
        return
    owner = follow_up_facts.owner_at(here.tx, follow_up.owner)
    tz = owner_zone(owner, here.context.settings)
    note = follow_up.note or tasks.later_answer(by.response, words_of(here.context), tz)
    follow_ups.close(here.tx, known, ClosedBy.LATER_ANSWER, here.now, text_fingerprint="", note=note)
