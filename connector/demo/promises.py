"""What must hold when the story has settled: pure, from what was seen to sentences about what does not hold."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.sandbox.customers import Deed
from connector.demo.mail import Mail
from connector.demo.records import FollowUpTask
from connector.demo.story import highest
from connector.demo.work import Person
from connector.printing import many, people
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
    deeds: Sequence[Deed]
    """What customers did about their mail."""
    people: Mapping[str, Person]
    """Everybody who can be written to, by address."""
    contacts: Mapping[str, Mapping[str, Any]]
    """What each contact's record shows of ours."""
    accounts: Mapping[str, Mapping[str, Any]]
    """What each account shows of ours."""
    tasks: Sequence[FollowUpTask]
    foreign_changes: Sequence[str]
    """Accounts on which a field changed that is not ours."""

    @property
    def answers(self) -> list[Deed]:
        """The answers that were given."""
        return [one for one in self.deeds if one.did == "answered"]

    @property
    def scanner_gets(self) -> int:
        """How many links scanners opened."""
        return sum(one.scans for one in self.deeds)


def broken(seen: Evidence) -> list[str]:
    """Return what does not hold, a sentence each."""
    checks = (_history, _laps, _mails, _answers, _left, _tasks, _rest)
    return [sentence for check in checks for sentence in check(seen)]


def _history(seen: Evidence) -> Iterator[str]:
    if seen.first.sent or seen.first.invited:
        yield f"The first lap asked {people(seen.first.invited)} about what ended before it."


def _laps(seen: Evidence) -> Iterator[str]:
    failed = [report for report in seen.reports if report.exit_code != 0]
    if failed:
        yield f"{many(len(failed), 'lap')} did not end well; the first: {failed[0].failures or failed[0].as_json()}."


def _mails(seen: Evidence) -> Iterator[str]:
    if not seen.mails:
        yield "Nobody got a mail."
    for (to, subject), times in Counter((mail.to, mail.subject) for mail in seen.mails).items():
        if times > 1:
            yield f'{to} got the mail "{subject}" {times} times.'


def _answers(seen: Evidence) -> Iterator[str]:
    """What a person chose last is on the record, and nothing for those who chose nothing, whatever a scanner opened."""
    if not seen.answers:
        yield "Nobody answered."
    last = {one.to: one for one in seen.answers}
    for address, person in seen.people.items():
        shown = [text for one in person.contacts if (text := seen.contacts.get(one, {}).get("last_rating"))]
        given = f"{last[address].rating} of {highest(last[address].points)}" if address in last else None
        if given is None and shown:
            yield f"{person.name} never answered, but the record says: {shown[0]}."
        if given is not None and not any(text.startswith(f"{given}, ") for text in shown):
            yield f"{person.name} gave {given}, but the record says: {shown or 'nothing'}."
    for account in {seen.people[address].account for address in last}:
        if "satisfaction" not in seen.accounts.get(account, {}):
            yield f"Somebody of account {account} answered, but it shows no satisfaction."


def _left(seen: Evidence) -> Iterator[str]:
    for one in seen.deeds:
        if one.did == "unsubscribed" and any(mail.to.lower() == one.to and mail.at >= one.at for mail in seen.mails):
            yield f"{seen.people[one.to].name} wanted no more surveys, and got one."


def _tasks(seen: Evidence) -> Iterator[str]:
    for (account, subject), times in Counter((task.account, task.subject) for task in seen.tasks).items():
        if times > 1:
            yield f'The task "{subject}" was made {times} times on account {account}.'
    called = {task.account for task in seen.tasks}
    for one in seen.answers:
        if one.points == _CSAT_POINTS and one.rating is not None and one.rating <= _UNHAPPY:
            person = seen.people[one.to]
            if person.account not in called:
                yield f"{person.name} gave {one.rating} of {one.points}, but there is no task on the account."


def _rest(seen: Evidence) -> Iterator[str]:
    written = [one.created + one.updated for one in seen.idle.written.values()]
    if any(written) or seen.idle.sent:
        yield f"A lap in which nothing had happened made {many(sum(written), 'write')} and sent {many(seen.idle.sent, 'mail')}."
    for name in seen.foreign_changes:
        yield f"{name}: a field that is not ours changed."
