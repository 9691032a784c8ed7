"""What `undo` prints: record by record what is put back, what is left, and why."""

from typing import Any

from rich.console import Console
from rich.markup import escape

from connector.printing import many
from connector.stages.undo import Step
from connector.undoing import Undone

_INDENT = " " * 4


def undone(console: Console, one: Undone) -> None:
    """Print what was, or would be, taken back."""
    if one.at is None:
        console.print(f"There is no write-back of {one.crm} to take back.", markup=False)
        return
    console.print(f"[bold]The write-back of {one.at:%d %b %Y %H:%M} UTC on {escape(one.crm)}[/]")
    for step in one.steps:
        _step(console, one, step)
    _closing(console, one)


def _step(console: Console, one: Undone, step: Step) -> None:
    result = one.results.get(step.line.key)
    refused = result is not None and result.outcome == "refused"
    if not step.fields and not step.left:
        return
    name = one.names.get(step.line.ref, "")
    what = "close the task" if step.is_task and step.fields else ("refused" if refused else "")
    title = " ".join(part for part in (step.ref.object, name) if part)
    console.print(f"[bold]~ {escape(title)}[/] ({step.ref.id}){': ' + what if what else ''}")
    for path, value in step.fields.items():
        console.print(f"{_INDENT}{path}: {_shown(step.now.get(path))} -> {_shown(value)}", markup=False)
    for path, reason in step.left.items():
        console.print(f"{_INDENT}{path or 'all of it'} is left: {reason}.", markup=False)
    if result is not None and result.error is not None:
        console.print(f"{_INDENT}refused: {result.error}", markup=False)


def _closing(console: Console, one: Undone) -> None:
    if not one.done:
        console.print(f"\nWould change {many(len(one.due), 'record')}. Nothing was changed yet.")
        console.print(
            f"`afterword undo {one.crm} --yes` does it, and pauses {one.crm}: else the next lap would write the same again.",
            markup=False,
        )
        return
    if one.failure is not None:
        console.print(f"\nNot finished: {one.failure}", markup=False)
    done = len(one.results) - len(one.refused)
    refused = f"; {many(len(one.refused), 'record')} refused" if one.refused else ""
    console.print(f"\nPut back {many(done, 'record')}{refused}. {one.crm} is paused.", markup=False)
    console.print(
        f"Change what was wrong, look at `afterword plan`, then `afterword resume --crm {one.crm}`.", markup=False
    )


def _shown(value: Any) -> str:
    return "(empty)" if value in (None, "") else str(value)
