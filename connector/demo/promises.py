"""What must hold when the story has settled: pure, from what was seen to sentences about what does not hold."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector.demo.customers import Reaction
from connector.demo.mail import Mail
from connector.demo.records import FollowUpTask
from connector.stages.lap import Report

_CSAT_POINTS = 5
_UNHAPPY = 2


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen, in the CRM and in the inboxes."""

    first: Report
    """The first live lap, before anything happened."""
    reports: Sequence[Report]
    """All laps."""
    idle: Report
    """One more lap after the last, at the same moment."""
    mails: Sequence[Mail]
    reactions: Sequence[Reaction]
    account_of: Mapping[str, str]
    """The account of each person in the story, by address."""
    contacts: Mapping[str, Mapping[str, Any]]
    """What the record of each person in the story shows of ours, by address."""
    accounts: Mapping[str, Mapping[str, Any]]
    """What each account shows of ours."""
    tasks: Sequence[FollowUpTask]
    foreign_changes: Sequence[str]
    """Accounts on which a field changed that is not ours."""

    @property
    def answers(self) -> list[Reaction]:
        """Who answered."""
        return [one for one in self.reactions if one.did == "answered"]

    @property
    def scanner_gets(self) -> int:
        """How many links scanners opened."""
        return sum(one.gets for one in self.reactions)


def broken(seen: Evidence) -> list[str]:
    """Return what does not hold, a sentence each."""
    checks = (_history, _laps, _mails, _answers, _tasks, _rest)
    return [sentence for check in checks for sentence in check(seen)]


def _history(seen: Evidence) -> Iterator[str]:
    if seen.first.sent or seen.first.invited:
        yield f"The first lap asked {seen.first.invited} people about what ended before it."


def _laps(seen: Evidence) -> Iterator[str]:
    failed = [report for report in seen.reports if report.exit_code != 0]
    if failed:
        yield f"{len(failed)} laps did not end well; the first: {failed[0].failures or failed[0].as_json()}."


def _mails(seen: Evidence) -> Iterator[str]:
    if not seen.mails:
        yield "Nobody got a mail."
    for (to, subject), times in Counter((mail.to, mail.subject) for mail in seen.mails).items():
        if times > 1:
            yield f'{to} got the mail "{subject}" {times} times.'


def _answers(seen: Evidence) -> Iterator[str]:
    answered = {one.to for one in seen.answers}
    if not answered:
        yield "Nobody answered."
    if not seen.scanner_gets:
        yield "No scanner came by."
    for address, shown in seen.contacts.items():
        if "last_rating" in shown and address not in answered:
            yield f"{address} never answered, but the record says: {shown['last_rating']}."
        if "last_rating" not in shown and address in answered:
            yield f"{address} answered, but the record does not show it."
    for account in {seen.account_of[address] for address in answered}:
        if "satisfaction" not in seen.accounts.get(account, {}):
            yield f"Somebody of account {account} answered, but it shows no satisfaction."


def _tasks(seen: Evidence) -> Iterator[str]:
    for (account, subject), times in Counter((task.account, task.subject) for task in seen.tasks).items():
        if times > 1:
            yield f'The task "{subject}" was made {times} times on account {account}.'
    called = {task.account for task in seen.tasks}
    for one in seen.answers:
        if one.points == _CSAT_POINTS and one.rating is not None and one.rating <= _UNHAPPY:
            account = seen.account_of[one.to]
            if account not in called:
                yield f"{one.who} chose {one.rating} of {one.points}, but there is no task on account {account}."


def _rest(seen: Evidence) -> Iterator[str]:
    written = [one.created + one.updated for one in seen.idle.written.values()]
    if any(written) or seen.idle.sent:
        yield f"A lap in which nothing had happened made {sum(written)} writes and sent {seen.idle.sent} mails."
    for name in seen.foreign_changes:
        yield f"{name}: a field that is not ours changed."
