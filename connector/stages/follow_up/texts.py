"""What a follow-up's task is called and says; made anew when something came into it: an answer, a rule, an owner, a due time."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from connector.model import ClosedBy, FollowUpState
from connector.sentences import tasks
from connector.sentences.clauses import worst_response
from connector.sentences.values import AccountReason, Link, NamedResponse
from connector.settings.time_zones import owner_zone
from connector.stages.context import Context
from connector.stages.follow_up.plan import Customer, is_good, with_worst_rating
from connector.stages.write_back.desired_values import details_url, reasons, words_of
from connector.stages.write_back.task_links import links, outcome_links
from connector.store import Row, Transaction
from connector.store.results import follow_up_facts, follow_ups

MOST = 10
"""How many answers stand in a task in full: the worst one, and the newest of the others."""


def renew(context: Context, tx: Transaction, customer: Customer, now: datetime) -> None:
    """Put into words what a customer's follow-ups came to. A text that an earlier version made stays until something changes."""
    rows = follow_ups.to_be_worded(tx, customer.id)
    rules = follow_ups.rules_of(tx, [row.id for row in rows])
    answers = follow_ups.answers_in(tx, [row.id for row in rows])
    for row in rows:
        mine = [answer for answer in answers if answer.follow_up_id == row.id]
        inside = sorted(answer.id for answer in mine)
        of_others = sorted(answer.id for answer in mine if answer.connection != row.connection)
        follow_up = _FollowUp(context, tx, row, inside, rules=rules.get(row.id, ()), of_others=of_others)
        made_of = follow_up.made_of(now)
        if row.words_of == made_of:
            continue
        changes: dict[str, Any] = {"words_of": made_of}
        if row.words_of is not None:
            changes |= follow_up.words(customer, now)
        follow_ups.change(tx, row.id, **changes)


@dataclass(frozen=True)
class _FollowUp:
    """A follow-up and what is in it."""

    context: Context
    tx: Transaction
    row: Row[Any]
    inside: Sequence[str]
    """The ids of its answers."""
    rules: Sequence[str]
    of_others: Sequence[str] = ()
    """Those of its answers that came through another CRM: their words are not told."""

    def made_of(self, now: datetime) -> str:
        """Everything that its words depend on, in short: a time to call by that is over is one, so that no task names it for long."""
        row = self.row
        parts: tuple[Any, ...] = (self.inside, sorted(self.rules), row.owner_ref, row.owner_note)
        parts = (*parts, row.due_at.isoformat(), row.closed_by)
        parts = (*parts, self.of_others) if self.of_others else parts
        if row.state == FollowUpState.OPEN and row.due_at <= now:
            parts = (*parts, "overdue")
        return hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()

    def words(self, customer: Customer, now: datetime) -> dict[str, Any]:
        """Return the columns that hold words: the worst answer leads, the newest words are among them."""
        row, words = self.row, words_of(self.context)
        if row.closed_by == ClosedBy.JOINED:
            keeper = follow_ups.by_id(self.tx, row.joined_into)
            # What the other task is called holds words that only users of its CRM read.
            told = keeper if keeper.connection == row.connection else row
            return {"body": tasks.joined_body(told.subject, self._link(told.account_id), words)}
        every = self._told()
        said = every[:MOST]
        if row.about and not said:
            return {}  # what it was about is another customer's now; whoever has the task still has to call
        owner = follow_up_facts.owner_at(self.tx, row.connection, row.owner_ref)
        tz = owner_zone(owner.timezone if owner is not None else None, self.context.settings)
        known = self.context.settings.follow_up
        account = follow_up_facts.account_of(self.tx, row.account_id)
        text = tasks.TaskText(
            tuple(known[name].when for name in self._in_order() if name in known),
            links(self.context, self.tx, account, said[0].interaction_id if said else row.interaction_id),
            tz,
            responses=said,
            more=len(every) - len(said),
            reasons=self._reasons(customer),
            owner_note=row.owner_note,
            outcome_links=() if row.closed_by else outcome_links(self.context, row.id),
            ended=self._ended(customer, tz),
        )
        if said:
            subject = tasks.call_subject(said[0], row.due_at, words, tz=tz, now=now)
        else:
            subject = tasks.account_subject(account.name, text.reasons, row.due_at, words, tz=tz, now=now)
        lead = {"response_id": said[0].response_id} if said else {}
        return {"subject": subject, "body": tasks.body(text, words), **lead}

    def _ended(self, customer: Customer, tz: ZoneInfo) -> str | None:
        """Return by what later answer it was closed; a note that somebody left before is no reason."""
        if self.row.closed_by != ClosedBy.LATER_ANSWER:
            return None
        theirs = [
            answer.response for answer in customer.answers if answer.person == self.row.person and is_good(answer)
        ]
        newest = max(theirs, key=lambda said: said.at, default=None)
        if newest is None:
            return str(self.row.note)
        here = newest.read_in(self.row.connection, is_known=self.row.contact_id is not None)
        return tasks.later_answer(here, words_of(self.context), tz)

    def _link(self, account_id: str) -> Link:
        return Link(tasks.link_names(words_of(self.context))[0], details_url(self.context, account_id))

    def _told(self) -> list[NamedResponse]:
        """Return the answers as they are told: the worst first, then the newest. Of corrections after contact the last one counts."""
        newest_first: list[NamedResponse] = []
        corrected: set[str | None] = set()
        for said, answer in follow_up_facts.answers_by_id(self.tx, self.inside):
            if answer.after_contact and answer.invitation_id in corrected:
                continue
            if answer.after_contact:
                corrected.add(answer.invitation_id)
            here = said.read_in(self.row.connection, is_known=self.row.contact_id is not None)
            newest_first.append(with_worst_rating(here))
        if not newest_first:
            return []
        lead = worst_response(newest_first)
        return sorted(newest_first, key=lambda said: said is not lead)

    def _in_order(self) -> list[str]:
        """Return its rules, the one that made it first."""
        known = self.context.settings.follow_up
        return list(dict.fromkeys([self.row.rule, *(name for name in known if name in self.rules)]))

    def _reasons(self, customer: Customer) -> tuple[AccountReason, ...]:
        """Return why the rules about the account that stand in it came to hold."""
        said = [answer.response for answer in customer.answers if answer.counts]
        return tuple(
            reason
            for rule in self._in_order()
            for reason in reasons(
                self.context,
                self.tx,
                self.row,
                rule=rule,
                responses=said if not self.row.about else (),
            )
        )
