"""What a follow-up's task is called and says; made anew when something came into it: an answer, a rule, an owner, a due time."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from connector.model import ClosedBy, FollowUpState
from connector.model.follow_up import FollowUp, FollowUpChange, PersonalFollowUp
from connector.sentences import tasks
from connector.sentences.clauses import worst_response
from connector.sentences.content import AccountReason, Link, NamedResponse
from connector.settings.time_zones import owner_zone
from connector.stages.context import Context
from connector.stages.follow_up.plan import Customer, is_good, with_worst_rating
from connector.stages.write_back.desired_values import details_url, reasons, words_of
from connector.stages.write_back.task_links import links, outcome_links
from connector.store import Transaction
from connector.store.results import follow_up_facts, follow_ups
from connector.store.tables import ref_text

MOST = 10
"""How many answers stand in a task in full: the worst one, and the newest of the others."""


def renew(context: Context, tx: Transaction, customers: Sequence[Customer], now: datetime) -> None:
    """Put into words what these customers' follow-ups came to. A text that an earlier version made stays until something changes."""
    by_id = {customer.id: customer for customer in customers}
    worded = follow_ups.to_be_worded(tx, by_id)
    ids = [known.follow_up.id for known in worded]
    rules, answers = follow_ups.rules_of(tx, ids), follow_ups.answers_by_follow_up(tx, ids)
    for known in worded:
        follow_up = known.follow_up
        inside = answers.get(follow_up.id, ())
        text = _Text(
            context,
            tx,
            known,
            sorted(answer.response_id for answer in inside),
            rules=rules.get(follow_up.id, ()),
            of_others=sorted(answer.response_id for answer in inside if answer.connection != follow_up.connection),
        )
        fingerprint = text.fingerprint(now)
        if follow_up.text_fingerprint == fingerprint:
            continue
        is_first = follow_up.text_fingerprint is None
        changes = FollowUpChange() if is_first else text.words(by_id[follow_up.customer], now)
        changes["text_fingerprint"] = fingerprint
        follow_ups.change(tx, follow_up.id, changes)


@dataclass(frozen=True)
class _Text:
    """What a follow-up's text is made of."""

    context: Context
    tx: Transaction
    known: PersonalFollowUp
    inside: Sequence[str]
    """The ids of its answers."""
    rules: Sequence[str]
    of_others: Sequence[str] = ()
    """Those of its answers that came through another CRM: their words are not told."""

    @property
    def follow_up(self) -> FollowUp:
        """The follow-up."""
        return self.known.follow_up

    def fingerprint(self, now: datetime) -> str:
        """Everything that its words depend on, in short: a time to call by that is over is one, so that no task names it for long."""
        follow_up = self.follow_up
        owner = ref_text(follow_up.owner)
        parts: tuple[object, ...] = (self.inside, sorted(self.rules), owner, follow_up.owner_note)
        closed_by = None if follow_up.closed_by is None else follow_up.closed_by.value
        parts = (*parts, follow_up.due_at.isoformat(), closed_by)
        parts = (*parts, self.of_others) if self.of_others else parts
        if follow_up.state is FollowUpState.OPEN and follow_up.due_at <= now:
            parts = (*parts, "overdue")
        return hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()

    def words(self, customer: Customer, now: datetime) -> FollowUpChange:
        """Return the words: the worst answer leads, the newest words are among them."""
        follow_up, words = self.follow_up, words_of(self.context)
        if follow_up.closed_by is ClosedBy.JOINED and follow_up.joined_into is not None:
            keeper = follow_ups.by_id(self.tx, follow_up.joined_into)
            # What the other task is called holds words that only users of its CRM read.
            shown = keeper if keeper.connection == follow_up.connection else follow_up
            return {"body": tasks.joined_body(shown.subject, self._link(shown.account_id), words)}
        every = self._told()
        responses = every[:MOST]
        if follow_up.about and not responses:
            return {}  # what it was about is another customer's now; whoever has the task still has to call
        owner = follow_up_facts.owner_at(self.tx, follow_up.owner)
        tz = owner_zone(owner, self.context.settings)
        known = self.context.settings.follow_up
        account = follow_up_facts.account_of(self.tx, follow_up.account_id)
        text = tasks.TaskText(
            tuple(known[name].when for name in self._in_order() if name in known),
            links(
                self.context, self.tx, account, responses[0].interaction_id if responses else follow_up.interaction_id
            ),
            tz,
            responses=responses,
            more=len(every) - len(responses),
            reasons=self._reasons(customer),
            owner_note=follow_up.owner_note,
            outcome_links=() if follow_up.closed_by else outcome_links(self.context, follow_up.id),
            ended=self._ended(customer, tz),
        )
        body = tasks.body(text, words)
        if not responses:
            subject = tasks.account_subject(account.name, text.reasons, follow_up.due_at, words, tz=tz, now=now)
            return {"subject": subject, "body": body}
        subject = tasks.call_subject(responses[0], follow_up.due_at, words, tz=tz, now=now)
        return {"subject": subject, "body": body, "response_id": responses[0].response_id}

    def _ended(self, customer: Customer, tz: ZoneInfo) -> str | None:
        """Return by what later answer it was closed; a note that somebody left before is no reason."""
        if self.follow_up.closed_by is not ClosedBy.LATER_ANSWER:
            return None
        theirs = [
            answer.response for answer in customer.answers if answer.person == self.known.person and is_good(answer)
        ]
        newest = max(theirs, key=lambda response: response.at, default=None)
        if newest is None:
            return str(self.follow_up.note)
        here = newest.read_in(self.follow_up.connection, is_known=self.follow_up.contact_id is not None)
        return tasks.later_answer(here, words_of(self.context), tz)

    def _link(self, account_id: str) -> Link:
        return Link(tasks.link_names(words_of(self.context))[0], details_url(self.context, account_id))

    def _told(self) -> list[NamedResponse]:
        """Return the answers as they are told: the worst first, then the newest. Of corrections after contact the last one counts."""
        newest_first: list[NamedResponse] = []
        corrected: set[str | None] = set()
        for answer in follow_up_facts.answers_by_id(self.tx, self.inside):
            if answer.after_contact and answer.invitation_id in corrected:
                continue
            if answer.after_contact:
                corrected.add(answer.invitation_id)
            here = answer.response.read_in(self.follow_up.connection, is_known=self.follow_up.contact_id is not None)
            newest_first.append(with_worst_rating(here))
        if not newest_first:
            return []
        lead = worst_response(newest_first)
        return sorted(newest_first, key=lambda response: response is not lead)

    def _in_order(self) -> list[str]:
        """Return its rules, the one that made it first."""
        known = self.context.settings.follow_up
        return list(dict.fromkeys([self.follow_up.rule, *(name for name in known if name in self.rules)]))

    def _reasons(self, customer: Customer) -> tuple[AccountReason, ...]:
        """Return why the rules about the account that stand in it came to hold."""
        responses = [answer.response for answer in customer.answers if answer.counts]
        return tuple(
            reason
            for rule in self._in_order()
            for reason in reasons(
                self.context,
                self.tx,
                self.follow_up,
                rule=rule,
                responses=responses if not self.follow_up.about else (),
            )
        )
