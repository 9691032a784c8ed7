"""What the demo prints."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from rich.console import Console
from rich.markup import escape

from connector.demo.promises import Evidence
from connector.demo.records import Field, FollowUpTask
from connector.planning import Hindsight
from connector.ports import Clock
from connector.printing import many, people
from connector.stages.lap import Report

_STYLES: Final = {
    "work": "dim",
    "task": "blue",
    "mail": "cyan",
    "answer": "green",
    "scanner": "yellow",
    "record": "bold magenta",
}
_COUNTED: Final = {
    "work": ("piece of work", "pieces of work"),
    "mail": ("mail", "mails"),
    "answer": ("answer", "answers"),
    "scanner": ("mail scanner", "mail scanners"),
    "task": ("task done", "tasks done"),
}
"""What is told of each kind, of one and of several."""
_EMPTY: Final = "(empty)"


class Teller:
    """Tells everything as it happens, a line each."""

    def __init__(self, console: Console, clock: Clock) -> None:
        self._console = console
        self._clock = clock

    def tell(self, kind: str, sentence: str) -> None:
        """Tell one thing."""
        style = _STYLES[kind]
        when = f"{self._clock.now():%a %d %b %H:%M}"
        self._console.print(f"[dim]{when}[/]  [{style}]{kind:<8}{escape(sentence)}[/]")


class DayTeller:
    """Counts what happens, and tells it in one line for each day."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._counts: Counter[str] = Counter()

    def tell(self, kind: str, _sentence: str) -> None:
        """Count one thing."""
        self._counts[kind] += 1

    def end_of_day(self, day: datetime) -> None:
        """Tell the day, if anything happened."""
        counts = ((self._counts[kind], names) for kind, names in _COUNTED.items())
        text = ", ".join(f"{count} {one if count == 1 else more}" for count, (one, more) in counts if count)
        if text:
            self._console.print(f"{day:%a %d %b}  {text}", markup=False)
        self._counts.clear()


def looked_back(console: Console, seen: Hindsight, days: int) -> None:
    """Tell what the rules would have done in the past."""
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
    """Tell what the first live lap did: it reads, and asks nobody about the past."""
    read = sum(counts.read for one in report.pulled.values() for counts in one.counts.values())
    console.print(
        f"The first live lap read {many(read, 'record')} and sent {many(report.sent, 'mail')}: the past is nobody's business.\n"
    )


def addresses(console: Console, web_url: str, desk_port: int) -> None:
    """Print what there is to open in a browser."""
    desk = f"http://localhost:{desk_port}"
    console.print(f"\n[bold]Open[/]  the CRM's records     {desk}/lightning/o/Account/list")
    console.print(f"      the mail that arrived {desk}/inbox  (follow its links and answer yourself)")
    console.print(f"      Afterword itself      {web_url}")
    console.print("[bold]Ctrl-C[/] ends the demo.\n")


def account(
    console: Console, name: str, fields: Sequence[Field], before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    """Print an account's fields that changed, before and after."""
    console.print(f"\n[bold]{escape(name)}[/]")
    for one in fields:
        old, new = before.get(one.ours, _EMPTY), after.get(one.ours, _EMPTY)
        if old != new:
            console.print(f"    {one.label:<22} {_shown(old)} -> {_shown(new)}", markup=False)


def task(console: Console, one: FollowUpTask, account_name: str) -> None:
    """Print a task as the rep sees it."""
    outcome = f" ({one.outcome})" if one.outcome else ""
    console.print(f"\n[bold]{escape(one.subject)}[/]")
    console.print(
        f"    {account_name}; for {one.owner}, due {one.due}, {one.priority}: {one.status}{outcome}", markup=False
    )
    console.print(f"    {one.first_line}", markup=False)


def summary(console: Console, seen: Evidence, *, writing_calls: int, took_s: float) -> None:
    """Print what happened in all."""
    console.print(
        f"\n{many(len(seen.mails), 'mail')} sent, {many(len(seen.answers), 'answer')}, "
        f"{many(seen.scanner_gets, 'link')} opened by scanners that recorded nothing, {many(len(seen.tasks), 'task')}, "
        f"{many(writing_calls, 'writing call')}, {many(len(seen.reports), 'lap')}; {took_s:.0f} s.",
        markup=False,
    )


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
