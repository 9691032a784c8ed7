"""What `check` prints: problems, errors first, what they come to, and how much was read of what is there."""

from rich.console import Console

from connector.cli.output.results import line, many, problems
from connector.commands.check.checks import Findings


def findings(console: Console, result: Findings) -> None:
    """Print everything for people."""
    problems(console, result.left_out)
    problems(console, sorted(result.problems, key=lambda problem: problem.severity == "warning"))
    for crm, counts in result.counts.items():
        amounts = [
            f"{name} {count.store:,} of {count.crm:,}{'' if count.complete else ' so far'}"
            for name, count in counts.items()
        ]
        if amounts:
            line(console, f"Read from {crm}: {', '.join(amounts)}.")
    for sentence in result.marks.values():
        line(console, sentence)
    console.print(verdict(result), markup=False)


def verdict(result: Findings) -> str:
    """Return what problems come to."""
    everything = [*result.left_out, *result.problems]
    warnings = sum(problem.severity == "warning" for problem in everything)
    errors = len(everything) - warnings
    if not everything:
        return "Everything is fine."
    if not errors:
        return f"\nNothing is wrong that stops Afterword; {many(warnings, 'warning')}."
    also = f", and {many(warnings, 'warning')}" if warnings else ""
    return f"\n{many(errors, 'problem')} to put right{also}."


def as_json(result: Findings) -> dict[str, object]:
    """Return it as JSON values."""
    counts = {
        crm: {
            name: {"crm": count.crm, "store": count.store, "complete": count.complete} for name, count in of_crm.items()
        }
        for crm, of_crm in result.counts.items()
    }
    return {
        "problems": [problem.as_json() for problem in (*result.left_out, *result.problems)],
        "counts": counts,
        "marks": result.marks,
    }
