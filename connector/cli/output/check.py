"""What `check` prints: problems, errors first, what they come to, and how much was read of what is there."""

from rich.console import Console

from connector.cli.output.results import line, many, problems
from connector.commands.check.checks import Findings


def findings(console: Console, found: Findings) -> None:
    """Print everything for people."""
    problems(console, found.left_out)
    problems(console, sorted(found.problems, key=lambda one: one.severity == "warning"))
    for crm, counts in found.counts.items():
        told = [
            f"{name} {one.store:,} of {one.crm:,}{'' if one.complete else ' so far'}" for name, one in counts.items()
        ]
        if told:
            line(console, f"Read from {crm}: {', '.join(told)}.")
    for sentence in found.marks.values():
        line(console, sentence)
    console.print(verdict(found), markup=False)


def verdict(found: Findings) -> str:
    """Return what problems come to."""
    everything = [*found.left_out, *found.problems]
    warnings = sum(one.severity == "warning" for one in everything)
    errors = len(everything) - warnings
    if not everything:
        return "Everything is fine."
    if not errors:
        return f"\nNothing is wrong that stops Afterword; {many(warnings, 'warning')}."
    also = f", and {many(warnings, 'warning')}" if warnings else ""
    return f"\n{many(errors, 'problem')} to put right{also}."


def as_json(found: Findings) -> dict[str, object]:
    """Return it as JSON values."""
    counts = {
        crm: {name: {"crm": one.crm, "store": one.store, "complete": one.complete} for name, one in of_crm.items()}
        for crm, of_crm in found.counts.items()
    }
    return {
        "problems": [one.as_json() for one in (*found.left_out, *found.problems)],
        "counts": counts,
        "marks": found.marks,
    }
