"""What must be true at the end of the demo: pure, from what was seen to sentences about what is not."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from adapters.sandbox.customers import Deed
from connector.cli.output.results import many, people
from connector.demo.mail import ArrivedMail
from connector.demo.people import Person
from connector.demo.records import FollowUpTask
from connector.demo.simulation import highest
from connector.domain.working_time import WorkingTime
from connector.model import Ref
from connector.stages.lap import Report

KEPT = (
    "Checked in both CRMs, and so it is: nobody was asked about the past, twice in the quiet period, or after they had said no; "
    "every answer stands on its record, and nothing that a scanner opened; each follow-up has one task; "
    "a customer whom both know has one score; no field of yours was touched; a lap without news writes nothing."
)
"""What `broken` looks for, when it finds nothing."""
_CSAT_POINTS = 5
_UNHAPPY = 2
_MAILS_A_DAY = 2
_OF_EACH_CRM = frozenset({"attention", "summary", "details"})


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen, in the CRMs and in the inboxes."""

    first: Report
    """The first live lap, before anything happened."""
    reports: Sequence[Report]
    """All laps."""
    idle: Report
    """One more lap after the last, at the same moment."""
    mails: Sequence[ArrivedMail]
    deeds: Sequence[Deed]
    """What customers did about their mail."""
    people: Mapping[str, Person]
    """Everybody who can be written to, by address."""
    contacts: Mapping[Ref, Mapping[str, object]]
    """What each contact's record shows of ours."""
    accounts: Mapping[Ref, Mapping[str, object]]
    """What each account shows of ours."""
    customers: Mapping[Ref, str]
    """The domain of every account: those of several CRMs with the same one are one customer."""
    tasks: Sequence[FollowUpTask]
    working: WorkingTime
    """When our people work, as config.toml says."""
    zones: Mapping[str, ZoneInfo]
    """Where each of our people is, by address."""
    quiet_period: timedelta
    """How long somebody who was asked is left alone, as config.toml says."""
    foreign_changes: Sequence[str]
    """Accounts on which a field changed that is not ours."""

    @property
    def asking(self) -> list[ArrivedMail]:
        """The mails to customers."""
        return [mail for mail in self.mails if mail.survey]

    @property
    def own(self) -> list[ArrivedMail]:
        """The mails to our own people."""
        return [mail for mail in self.mails if not mail.survey]

    @property
    def answers(self) -> list[Deed]:
        """The answers that were given."""
        return [deed for deed in self.deeds if deed.did == "answered"]

    @property
    def scanner_gets(self) -> int:
        """How many links scanners opened."""
        return sum(deed.scans for deed in self.deeds)

    @property
    def shared(self) -> dict[str, list[Ref]]:
        """The accounts of each customer that several CRMs know, by domain."""
        refs_by_domain: dict[str, list[Ref]] = {}
        for account, domain in self.customers.items():
            refs_by_domain.setdefault(domain, []).append(account)
        return {domain: refs for domain, refs in refs_by_domain.items() if len({ref.connection for ref in refs}) > 1}


def broken(seen: Evidence) -> list[str]:
    """Return what does not hold, a sentence each."""
    checks = (_history, _laps, _mails, _own_people, _quiet, _answers, _scores, _left, _tasks, _rest)
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
    for (to, subject, _page), times in Counter((mail.to, mail.subject, mail.survey) for mail in seen.asking).items():
        if times > 1:
            yield f'{to} got the mail "{subject}" {times} times.'


def _own_people(seen: Evidence) -> Iterator[str]:
    """Owners get mail about follow-ups in working hours only, at once and in one digest, and no more."""
    days = Counter((mail.to, mail.at.astimezone(seen.zones.get(mail.to, seen.working.tz)).date()) for mail in seen.own)
    for (to, day), times in days.items():
        if times > _MAILS_A_DAY:
            yield f"{to} got {times} mails about follow-ups on {day:%d %b}."
    for mail in seen.own:
        hours = replace(seen.working, tz=seen.zones.get(mail.to, seen.working.tz))
        if not hours.is_open(mail.at):
            yield f'{mail.to} got the mail "{mail.subject}" outside working hours, {mail.at.astimezone(hours.tz):%a %H:%M}.'


def _quiet(seen: Evidence) -> Iterator[str]:
    """A reminder leads to the same page as the mail before it; every other page is one more time that somebody was asked."""
    asked_by_address: dict[str, dict[str, datetime]] = {}
    for mail in seen.mails:
        if mail.survey:
            asked_by_address.setdefault(mail.to.lower(), {}).setdefault(mail.survey, mail.at)
    for address, times in asked_by_address.items():
        for asked_at, asked_again_at in pairwise(sorted(times.values())):
            if asked_again_at - asked_at < seen.quiet_period:
                yield f"{seen.people[address].name} was asked on {asked_at:%d %b %H:%M} and again on {asked_again_at:%d %b %H:%M}."


def _answers(seen: Evidence) -> Iterator[str]:
    """What a person chose last is on the record, and nothing for those who chose nothing, whatever a scanner opened."""
    if not seen.answers:
        yield "Nobody answered."
    last = {deed.to: deed for deed in seen.answers}
    for address, person in seen.people.items():
        shown = [text for contact in person.contacts if (text := seen.contacts.get(contact, {}).get("last_rating"))]
        expected = f"{last[address].rating} of {highest(last[address].points)}" if address in last else None
        if expected is None and shown:
            yield f"{person.name} never answered, but the record says: {shown[0]}."
        if expected is not None and not any(str(text).startswith(f"{expected}, ") for text in shown):
            yield f"{person.name} gave {expected}, but the record says: {shown or 'nothing'}."
    answered = {seen.people[address].customer for address in last}
    for account, customer in seen.customers.items():
        if customer in answered and "people" not in seen.accounts.get(account, {}):
            yield f"Somebody of {customer} answered, but {account.connection} does not show it."


def _scores(seen: Evidence) -> Iterator[str]:
    """A customer whom several CRMs know has one score, and each of them shows it."""
    for domain, accounts in seen.shared.items():
        first, *others = accounts
        for other in others:
            shown_first, shown_other = (_score(seen.accounts.get(account, {})) for account in (first, other))
            differing = sorted(
                name
                for name in shown_first.keys() | shown_other.keys()
                if shown_first.get(name) != shown_other.get(name)
            )
            if differing:
                places = f"{first.connection} and {other.connection}"
                yield f"{domain} is one customer, but {places} do not show the same {', '.join(differing)}."


def _score(shown: Mapping[str, object]) -> dict[str, object]:
    """Return the figures of the customer: words are those that came through each CRM, and the link leads to the page of the account."""
    return {name: value for name, value in shown.items() if name not in _OF_EACH_CRM}


def _left(seen: Evidence) -> Iterator[str]:
    for deed in seen.deeds:
        if deed.did == "unsubscribed" and any(mail.to.lower() == deed.to and mail.at >= deed.at for mail in seen.mails):
            yield f"{seen.people[deed.to].name} wanted no more surveys, and got one."
    for mail in seen.mails:
        person = seen.people.get(mail.to.lower())
        if person is not None and person.opted_out:
            yield f"{person.name} had opted out of e-mail, and got some."


def _tasks(seen: Evidence) -> Iterator[str]:
    for key, times in Counter(task.key for task in seen.tasks).items():
        if times > 1:
            yield f"Follow-up {key} has {times} tasks."
    for (account, subject), times in Counter((task.account, task.subject) for task in seen.tasks).items():
        if times > 1:
            yield f'The task "{subject}" was made {times} times on account {account.id} of {account.connection}.'
    called = {seen.customers.get(task.account) for task in seen.tasks}
    for deed in seen.answers:
        if deed.points == _CSAT_POINTS and deed.rating is not None and deed.rating <= _UNHAPPY:
            person = seen.people[deed.to]
            if person.customer not in called:
                yield f"{person.name} gave {deed.rating} of {deed.points}, but there is no task on the account."


def _rest(seen: Evidence) -> Iterator[str]:
    written = [counts.created + counts.updated for counts in seen.idle.written.values()]
    if any(written) or seen.idle.sent:
        yield f"A lap in which nothing had happened made {many(sum(written), 'write')} and sent {many(seen.idle.sent, 'mail')}."
    for name in seen.foreign_changes:
        yield f"{name}: a field that is not ours changed."
