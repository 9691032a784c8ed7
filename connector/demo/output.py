"""What the demo prints."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from rich.console import Console
from rich.markup import escape

from adapters.sandbox.workplaces.crm import WorkplaceAccount
from connector.cli.output.results import many, people
from connector.commands.plan import Hindsight
from connector.demo.expectations import KEPT, Evidence
from connector.demo.parts import Branch, DemoParts
from connector.demo.records import FollowUpTask, ShownField
from connector.model import Ref
from connector.ports import Clock
from connector.stages.lap import Report

_STYLES: Final = {
    "work": "dim",
    "task": "blue",
    "mail": "cyan",
    "answer": "green",
    "opt-out": "green",
    "scanner": "yellow",
    "record": "bold magenta",
}
_COUNTED: Final = {
    "work": ("piece of work", "pieces of work"),
    "mail": ("mail", "mails"),
    "answer": ("answer", "answers"),
    "opt-out": ("opt-out", "opt-outs"),
    "scanner": ("mail scanner", "mail scanners"),
    "task": ("task done", "tasks done"),
}
"""What each kind is called, in the singular and the plural."""
_EMPTY: Final = "(empty)"

Shown = Mapping[Ref, Mapping[str, object]]
"""What our fields show, by record."""


class EventPrinter:
    """Prints everything as it happens, a line each."""

    def __init__(self, console: Console, clock: Clock) -> None:
        self._console = console
        self._clock = clock

    def announce(self, kind: str, sentence: str) -> None:
        """Print one event."""
        style = _STYLES[kind]
        when = f"{self._clock.now():%a %d %b %H:%M}"
        self._console.print(f"[dim]{when}[/]  [{style}]{kind:<8}{escape(sentence)}[/]")


class DayPrinter:
    """Counts what happens, and prints it in one line for each day."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._counts: Counter[str] = Counter()

    def announce(self, kind: str, _sentence: str) -> None:
        """Count one event."""
        self._counts[kind] += 1

    def end_of_day(self, day: datetime) -> None:
        """Print the counts of the day, if anything happened."""
        counts = ((self._counts[kind], names) for kind, names in _COUNTED.items())
        text = ", ".join(
            f"{count} {singular if count == 1 else plural}" for count, (singular, plural) in counts if count
        )
        if text:
            self._console.print(f"{day:%a %d %b}  {text}", markup=False)
        self._counts.clear()


def the_crms(console: Console, parts: DemoParts) -> None:
    """Print what there is to begin with."""
    for branch in parts.branches:
        accounts = len(branch.crm.accounts())
        console.print(f"A pretend {branch.crm.title} with {accounts} accounts; setup-crm added {branch.set_up} things.")
    for company in parts.branches[0].companies:
        if company.account.domain in parts.shared:
            sentence = "is known in both by the same domain: one customer, with one score on both records."
            console.print(f"{company.name} {sentence}", markup=False)


def looked_back(console: Console, seen: Hindsight, days: int) -> None:
    """Print what the rules would have done in the past."""
    asked, ended = sum(seen.would_ask.values()), sum(seen.ended.values())
    reasons: Counter[str] = Counter()
    for counts in seen.reasons.values():
        reasons.update(counts)
    why = ", ".join(f"{reason.replace('_', ' ')} {count}" for reason, count in reasons.most_common(4))
    console.print(
        f"plan --since {days}d: {many(ended, 'interaction')} ended, {people(asked)} would have been asked.",
        markup=False,
    )
    console.print(f"    Not asked: {why or 'nobody'}. Nothing was sent or written.", markup=False)


def first_lap(console: Console, report: Report) -> None:
    """Print what the first live lap did: it reads, and asks nobody about the past."""
    read = sum(counts.read for pulled in report.pulled.values() for counts in pulled.counts.values())
    console.print(
        f"The first live lap read {many(read, 'record')} and sent {many(report.sent, 'mail')}: the past is nobody's business.\n"
    )


def addresses(console: Console, url: str) -> None:
    """Print what there is to open in a browser."""
    console.print(f"\n[bold]Open {url}[/]: the records in both CRMs, and the mail that arrived (answer some yourself).")
    console.print("[bold]Ctrl-C[/] ends the demo.\n")


def from_now_on(console: Console, *, hour_s: float, look_s: float) -> None:
    """Print how fast time passes after the first two weeks; both in real seconds."""
    console.print(
        f"An hour now passes every {hour_s:g} seconds, but not while you look: "
        f"time waits for {look_s:g} seconds after each page that you open.\n"
    )


def the_accounts(console: Console, branches: Sequence[Branch], before: Shown, after: Shown) -> None:
    """Print what changed on the accounts, a customer once: what several CRMs show alike is printed together."""
    console.print("\nWhat the accounts show in the CRMs, before and after:")
    titles = {branch.crm.name: branch.crm.title for branch in branches}
    customers: dict[str, list[WorkplaceAccount]] = {}
    for account in sorted(
        (account for branch in branches for account in branch.crm.accounts()), key=lambda account: account.name
    ):
        if after.get(account.ref, {}) != before.get(account.ref, {}):
            customers.setdefault(account.domain, []).append(account)
    fields = branches[0].records.fields("account")
    for first, *others in customers.values():
        places = " and ".join(titles[account.ref.connection] for account in (first, *others))
        console.print(f"\n[bold]{escape(first.name)}[/] [dim]in {places}[/]")
        _changes(console, fields, before.get(first.ref, {}), after[first.ref])
        for other in others:
            _likewise(console, titles[other.ref.connection], fields, after[first.ref], after.get(other.ref, {}))


def _changes(
    console: Console, fields: Sequence[ShownField], before: Mapping[str, object], after: Mapping[str, object]
) -> None:
    for field in fields:
        old, new = before.get(field.ours, _EMPTY), after.get(field.ours, _EMPTY)
        if old != new:
            console.print(f"    {field.label:<22} {_shown(old)} -> {_shown(new)}", markup=False)


def _likewise(
    console: Console, title: str, fields: Sequence[ShownField], shown: Mapping[str, object], other: Mapping[str, object]
) -> None:
    """Print what a second CRM shows otherwise than the first."""
    differing = [field for field in fields if shown.get(field.ours) != other.get(field.ours)]
    console.print(f"    {title} shows the same{', but for' if differing else '.'}", markup=False)
    for field in differing:
        console.print(f"    {field.label:<22} {_shown(other.get(field.ours, _EMPTY))}", markup=False)


def the_tasks(console: Console, branches: Sequence[Branch], tasks: Sequence[FollowUpTask]) -> None:
    """Print the tasks of all CRMs."""
    console.print("\nThe tasks in the CRMs:")
    titles = {branch.crm.name: branch.crm.title for branch in branches}
    names = {account.ref: account.name for branch in branches for account in branch.crm.accounts()}
    for task in sorted(tasks, key=lambda task: (task.due, task.subject)):
        _task(console, task, f"{names[task.account]} in {titles[task.account.connection]}")


def _task(console: Console, task: FollowUpTask, place: str) -> None:
    """Print a task as the rep sees it; `place` is where it stands."""
    outcome = f" ({task.outcome})" if task.outcome else ""
    console.print(f"\n[bold]{escape(task.subject)}[/]")
    details = f"due {task.due}, {_plain(task.priority)} priority: {_plain(task.status)}{outcome}"
    console.print(f"    {place}; for {task.owner}, {details}", markup=False)
    console.print(f"    {task.first_line}", markup=False)


def what_one_rep_got(console: Console, seen: Evidence) -> None:
    """Print every mail of the rep who got most."""
    counts = Counter(mail.to for mail in seen.own)
    if not counts:
        return
    rep, mails = counts.most_common(1)[0]
    console.print(f"\n{rep} got {many(mails, 'mail')} about follow-ups, nobody more:", markup=False)
    for mail in seen.own:
        if mail.to == rep:
            local = mail.at.astimezone(seen.zones.get(rep, seen.working.tz))
            console.print(f"    {local:%a %-d %b %H:%M}  {mail.subject}", markup=False)


def summary(console: Console, seen: Evidence, *, writing_calls: int, took_s: float) -> None:
    """Print what happened in all."""
    console.print(
        f"\n{many(len(seen.mails), 'mail')} sent, {many(len(seen.answers), 'answer')}, "
        f"{many(seen.scanner_gets, 'link')} opened by scanners that recorded nothing, {many(len(seen.tasks), 'task')}, "
        f"{many(writing_calls, 'writing call')}, {many(len(seen.reports), 'lap')}; {took_s:.0f} s.",
        markup=False,
    )


def verdict(console: Console, wrong: Sequence[str]) -> None:
    """Print what does not hold, or that everything does."""
    for sentence in wrong:
        console.print(f"BROKEN: {sentence}", markup=False)
    if not wrong:
        console.print(KEPT, markup=False)


def _shown(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%-d %b %Y, %H:%M} UTC"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _plain(option: str) -> str:
    """Return an option of a list in small letters, whether the CRM writes it as ``NOT_STARTED`` or as ``Not Started``."""
    return option.replace("_", " ").lower()
