"""The course of the demo: days pass in steps, people work, customers answer, reps do their tasks, and laps run."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from adapters.sandbox.customers import Customers, Deed
from connector.cli.output.results import many
from connector.demo.mail import ArrivedMail
from connector.demo.parts import DemoParts
from connector.demo.people import Person
from connector.demo.workers import Office
from connector.stages import lap
from connector.stages.lap import Report

DAYS: Final = 19
"""Three weeks, up to their last Friday."""
WORKING_DAYS: Final = 12
"""After so many days nothing new begins, so that everything can settle."""
HOURS: Final = (6, 12, 19)
"""When, in UTC, something happens on a working day; at the last of them nobody is at work. Quiet days have fewer."""
NEW_WORK: Final = 3
"""Pieces of work that begin in each CRM at each step of a working day."""
READING_TIME: Final = timedelta(minutes=2)
POINTS_FROM_ZERO: Final = 11
FRIDAY: Final = 4

Announce = Callable[[str, str], None]
"""Called for everything that happens: with its kind (work, task, mail, answer, scanner), and a sentence."""


@dataclass
class Simulation:
    """The people of the demo, and what happened so far."""

    parts: DemoParts
    offices: Sequence[Office]
    """Everybody who works in each CRM."""
    customers: Customers
    people: Mapping[str, Person]
    """Everybody who can be written to, by address."""
    announce: Announce
    reports: list[Report] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)
    _unread: list[ArrivedMail] = field(default_factory=list)
    _seen: int = 0

    def moments(self, days: int) -> Iterator[datetime]:
        """Yield the moments of the days to come."""
        midnight = self.parts.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        for day in range(days):
            date = midnight + timedelta(days=day)
            for hour in _hours(date, settling=day >= WORKING_DAYS):
                moment = date + timedelta(hours=hour)
                if moment > self.parts.clock.now():
                    yield moment

    def step(self, moment: datetime, *, new: int) -> Report:
        """Move on to a moment, and run a lap there."""
        self.live(moment, new=new)
        report = self.lap()
        self.receive()
        return report

    def live(self, moment: datetime, *, new: int) -> None:
        """Move on to a moment: people work, and customers read what had arrived before."""
        self.parts.clock.set(moment)
        if is_working_time(moment):
            for office in self.offices:
                self._announce("task", office, office.do_tasks())
                self._announce("work", office, office.work(new=new))
        mails, self._unread = self._unread, []
        for mail in sorted(mails, key=lambda arrived: (arrived.to, arrived.subject)):
            self._note(self.customers.read(mail.message))
            # No two people answer in the same moment, so that each run is the same.
            self.parts.clock.advance(READING_TIME)

    def lap(self) -> Report:
        """Run a lap."""
        report = lap.run(self.parts.installation)
        self.reports.append(report)
        return report

    def receive(self) -> None:
        """Take in what the mail server got since last time; customers read it at the next step."""
        for mail in self.parts.inbox.since(self._seen):
            self._seen += 1
            self._unread.append(mail)
            self.announce("mail", f"to {mail.to}: {mail.subject}")

    def _note(self, deed: Deed | None) -> None:
        if deed is None:
            return
        self.deeds.append(deed)
        who = self.people[deed.to].name
        if deed.scans:
            self.announce("scanner", f"a mail scanner opened {many(deed.scans, 'link')} in the mail to {who}")
        if deed.did == "answered":
            comment = f": {deed.comment}" if deed.comment else ""
            self.announce("answer", f"{who} gave {deed.rating} of {highest(deed.points)}{comment}")
        elif deed.did == "unsubscribed":
            self.announce("opt-out", f"{who} wants no more surveys")

    def _announce(self, kind: str, office: Office, sentences: Iterable[str]) -> None:
        for sentence in sentences:
            self.announce(kind, f"{office.crm.title}: {sentence}")


def _hours(date: datetime, *, settling: bool) -> Sequence[int]:
    if date.weekday() > FRIDAY:
        return HOURS[-1:]
    return (HOURS[0], HOURS[-1]) if settling else HOURS


def highest(points: int) -> int:
    """Return the best answer of a scale by how many answers it offers: a scale of eleven begins at 0."""
    return points - 1 if points == POINTS_FROM_ZERO else points


def is_working_time(moment: datetime) -> bool:
    """Whether people are at work."""
    return moment.weekday() <= FRIDAY and HOURS[0] <= moment.hour < HOURS[-1]
