"""What `setup-crm` prints for people: a diff, then what became of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from rich.console import Console
from rich.markup import escape

from connector.cli.output.results import line, many
from connector.cli.output.terminal import one_line
from connector.ports import SetupResult, SetupStep


def steps(console: Console, crm: str, planned: Sequence[SetupStep]) -> None:
    """Print the steps of a set-up as a diff; first what we do, then what is left to the admin."""
    if not planned:
        console.print(f"{one_line(crm)}: nothing to do.", markup=False)
        return
    console.print(f"[bold]{escape(one_line(crm))}[/]: {escape(_counted(planned))}")
    ours = [step for step in planned if not step.manual]
    for run in _runs(ours):
        sign = "-" if run[0].key.startswith("remove:") else "+"
        line(console, f"  {sign} {told(run)}", indent=2)
    by_hand(console, planned)


def results(console: Console, setup_results: Iterable[SetupResult]) -> Iterator[SetupResult]:
    """Print what became of steps while they are carried out, those of one group in one line; yields each result."""
    done: list[SetupStep] = []
    for result in setup_results:
        if done and (result.error is not None or not _together(done[-1], result.step)):
            _print_done(console, done)
        if result.error is not None:
            line(console, f"  failed: {result.step.sentence}", indent=2)
            line(console, f"    {result.error}", indent=2)
        elif result.done:
            done.append(result.step)
        yield result
    _print_done(console, done)


def by_hand(console: Console, planned: Sequence[SetupStep]) -> None:
    """Print the click paths for what no call to the CRM can do."""
    for step in planned:
        if step.manual:
            line(console, f"  by hand: {step.sentence}", indent=2)


def values(console: Console, planned: Sequence[SetupStep], held: Mapping[str, int | None]) -> None:
    """Print by which fields that undo takes away values are lost."""
    if held:
        shown = [f"{step.item or step.key} {_records(held[step.key])}" for step in planned if step.key in held]
        line(console, f"  with the values in: {', '.join(shown)}.", indent=2)


def told(run: Sequence[SetupStep]) -> str:
    """Return steps that stand together as one sentence."""
    if len(run) == 1:
        return run[0].sentence
    return f"{run[0].group}: {', '.join(step.item for step in run)}."


def _records(count: int | None) -> str:
    return "(hidden from us, so not known)" if count is None else f"on {many(count, 'record')}"


def _counted(planned: Sequence[SetupStep]) -> str:
    manual = sum(step.manual for step in planned)
    also = f", {manual} by hand" if manual else ""
    return f"{many(len(planned) - manual, 'step')}{also}"


def _runs(planned: Sequence[SetupStep]) -> Iterator[list[SetupStep]]:
    for _, run in groupby(planned, key=lambda step: step.group or step.key):
        yield list(run)


def _together(step: SetupStep, other: SetupStep) -> bool:
    return bool(step.group) and step.group == other.group


def _print_done(console: Console, done: list[SetupStep]) -> None:
    if done:
        line(console, f"  done: {told(done)}", indent=2)
    done.clear()
