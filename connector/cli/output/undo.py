"""What `undo` prints: record by record what is put back, what is left, and why, as it goes on."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console
from rich.markup import escape

from connector.cli.output.results import many
from connector.cli.output.terminal import json_text, one_line
from connector.commands.undo import Taken, Undone

_INDENT = " " * 4


@dataclass(slots=True)
class Printed:
    """Prints it for people."""

    console: Console
    begun: bool = False

    def show(self, undone: Undone, page: Sequence[Taken]) -> None:
        """Print a page of records."""
        if not self.begun and undone.at is not None:
            what = "Everything written since" if undone.since else "The write-back of"
            self.console.print(f"[bold]{what} {undone.at:%d %b %Y %H:%M} UTC on {escape(undone.crm)}[/]")
            self.begun = True
        for taken in page:
            _record(self.console, taken)

    def end(self, undone: Undone) -> None:
        """Print what it came to."""
        if undone.at is None:
            what = "nothing that was written to" if undone.since else "no write-back of"
            when = " since then" if undone.since else ""
            self.console.print(f"There is {what} {undone.crm}{when} to take back.", markup=False)
            return
        _closing(self.console, undone)


@dataclass(slots=True)
class Json:
    """Prints it for programs, record by record: there may be more of them than fit into memory."""

    stream: TextIO
    begun: bool = False
    records: int = 0

    def show(self, undone: Undone, page: Sequence[Taken]) -> None:
        """Print a page of records."""
        self._begin(undone)
        for taken in page:
            self.stream.write(",\n    " if self.records else "\n    ")
            self.stream.write(json_text(taken.as_json()))
            self.records += 1

    def end(self, undone: Undone) -> None:
        """Print what it came to."""
        self._begin(undone)
        self.stream.write("\n  ]" if self.records else "]")
        failure = str(undone.failure) if undone.failure else None
        for name, value in (("done", undone.done), ("failure", failure)):
            self.stream.write(f',\n  "{name}": {json_text(value)}')
        self.stream.write("\n}\n")

    def _begin(self, undone: Undone) -> None:
        if self.begun:
            return
        self.begun = True
        self.stream.write(f'{{\n  "crm": {json.dumps(undone.crm)},\n  "written_at": {_moment(undone)},\n  "records": [')


def _moment(undone: Undone) -> str:
    return json.dumps(undone.at.isoformat() if undone.at else None)


def _record(console: Console, taken: Taken) -> None:
    step = taken.step
    if not step.fields and not step.left:
        return
    closes = step.is_task and step.line.created and step.fields
    what = "close the task" if closes else ("refused" if taken.refused else "")
    title = one_line(" ".join(part for part in (step.ref.object, taken.name) if part))
    console.print(f"[bold]~ {escape(title)}[/] ({step.ref.id}){': ' + what if what else ''}")
    for path, value in step.fields.items():
        console.print(f"{_INDENT}{path}: {_shown(step.actual.get(path))} -> {_shown(value)}", markup=False)
    for path, reason in step.left.items():
        console.print(f"{_INDENT}{path or 'all of it'} is left: {one_line(reason)}.", markup=False)
    if taken.result is not None and taken.result.error is not None:
        console.print(f"{_INDENT}refused: {one_line(str(taken.result.error))}", markup=False)


def _closing(console: Console, undone: Undone) -> None:
    if not undone.done:
        console.print(f"\nWould change {many(undone.due, 'record')}. Nothing was changed yet.")
        pauses = f", and pauses {undone.crm}: else the next lap would write the same again" if undone.pauses else ""
        console.print(f"The same command with --yes does it{pauses}.", markup=False)
        return
    if undone.failure is not None:
        console.print(f"\nNot finished: {one_line(str(undone.failure))}", markup=False)
    refused = f"; {many(undone.refused, 'record')} refused" if undone.refused else ""
    paused = f" {undone.crm} is paused." if undone.paused else ""
    console.print(f"\nPut back {many(undone.put_back, 'record')}{refused}.{paused}", markup=False)
    if not undone.paused:
        return
    console.print(
        f"Change what was wrong, look at `afterword plan`, then `afterword resume --crm {undone.crm}`.", markup=False
    )


def _shown(value: object) -> str:
    return "(empty)" if value in (None, "") else one_line(str(value))
