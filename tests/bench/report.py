"""The figures as a document and as a table. Ratios compare what was measured in the same run; the rest depends on the machine."""

from statistics import median, quantiles
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.installation import Lap
from tests.bench.measure import Measured

MIB = 1024 * 1024


def lap_figures(lap: Lap) -> dict[str, Any]:
    """Return the figures of a lap."""
    return {
        "records": lap.records,
        "seconds": round(lap.seconds, 3),
        "records_per_second": round(lap.records / lap.seconds),
        "process_seconds": round(lap.process.seconds, 3),
        "peak_mib": round(lap.process.peak / MIB, 1),
        "database_mib": round(lap.stored / MIB, 1),
        "calls": len(lap.log),
        "reading_calls": lap.reads,
        "fewest_reading_calls": lap.least,
        "writing_calls": lap.writes,
    } | ({} if lap.waited is None else {"waits": round(lap.waited, 1)})


def bare_figures(bare: Measured) -> dict[str, Any]:
    """Return the figures of the bare loop."""
    found = bare.printed
    return {
        "records": found["records"],
        "seconds": round(found["seconds"], 3),
        "records_per_second": round(found["records"] / found["seconds"]),
        "process_seconds": round(bare.seconds, 3),
        "peak_mib": round(bare.peak / MIB, 1),
        "calls": found["calls"],
    }


def answer_figures(delays: list[float]) -> dict[str, Any]:
    """Return the figures of answers on their way."""
    return {"answers": len(delays), "median_seconds": round(median(delays), 3), "worst_seconds": round(max(delays), 3)}


def page_figures(gets: list[float], posts: list[float]) -> dict[str, Any]:
    """Return the figures of survey pages beside a crowd."""
    return {
        "gets": len(gets),
        "get_p95_seconds": round(quantiles(gets, n=20)[-1], 3),
        "posts": len(posts),
        "post_p95_seconds": round(quantiles(posts, n=20)[-1], 3),
    }


def show(console: Console, found: dict[str, Any]) -> None:
    """Print everything for people."""
    if "start" in found:
        console.print(_table("what it costs to start", found["start"], _STARTS))
    for crm, laps in found.get("laps", {}).items():
        console.print(_laps(crm, laps))
    for crm, memory in found.get("memory", {}).items():
        console.print(_memory(crm, memory))
    if "first" in found:
        console.print(_first(found["first"]))
    if "answer" in found:
        answer = found["answer"]
        console.print(
            f"An answer reached the CRM {answer['median_seconds']} s after its POST (median of {answer['answers']}; "
            f"the slowest took {answer['worst_seconds']} s)."
        )
    if "pages" in found:
        pages = found["pages"]
        console.print(
            f"While others did their worst, 95 of 100 survey pages took at most {pages['get_p95_seconds']} s, "
            f"and 95 of 100 answers {pages['post_p95_seconds']} s."
        )
    if "load" in found:
        console.print(_table("survey pages and answers beside a bare page", found["load"], _LOADS))
    if "book" in found:
        book = found["book"]
        title = f"{book['accounts']:,} accounts with ten ratings each, peak memory {book['peak_mib']} MiB"
        console.print(_table(title, book["steps"], _STEPS))


_STARTS = {"cpu_seconds": "CPU seconds", "peak_mib": "memory, MiB"}
_LOADS = {
    "per_second": "requests a second",
    "bare_per_second": "bare page's",
    "of_bare": "of the bare page's",
    "median_ms": "median, ms",
    "p99_ms": "99 of 100, ms",
    "p99_of_median": "of the median",
}


_STEPS = {
    "seconds": "seconds",
    "cpu_seconds": "CPU s",
    "statements_per_account": "statements each",
    "transactions": "transactions",
    "locked_p99_ms": "p99 of the lock, ms",
    "locked_most_ms": "longest, ms",
}


def _table(title: str, figures: dict[str, dict[str, Any]], columns: dict[str, str]) -> Table:
    table = Table("", title=title, title_justify="left")
    for words in columns.values():
        table.add_column(words, justify="right")
    for name, row in figures.items():
        table.add_row(name, *(str("" if row[key] is None else row[key]) for key in columns))
    return table


_FIRST = {
    "records": "records",
    "seconds": "seconds",
    "of_bare": "of the bare loop's records/s",
    "cpu_seconds": "computing, s",
    "peak_mb": "peak memory, MB",
    "written_mb": "written to the disk, MB",
    "calls": "calls",
    "write_transactions": "write transactions",
    "held_p99_ms": "lock held, 99 of 100, ms",
    "held_longest_ms": "lock held, longest, ms",
    "computing_p99_ms": "computing while it is held, 99 of 100, ms",
}


def _first(found: dict[str, Any]) -> Table:
    table = Table("", title="salesforce: a first read of very many records", title_justify="left")
    laps = {f"{lap}, {mode}": figures for mode, both in found.items() for lap, figures in both.items()}
    for name in laps:
        table.add_column(name, justify="right")
    for key, words in _FIRST.items():
        table.add_row(words, *(str(figures.get(key, "")) for figures in laps.values()))
    return table


_LINES = {
    "records": "records",
    "seconds": "seconds",
    "records_per_second": "records a second",
    "of_bare": "of the bare loop's",
    "process_seconds": "whole process, s",
    "peak_mib": "peak memory, MiB",
    "database_mib": "database, MiB",
    "calls": "calls",
    "reading_calls": "calls that read",
    "fewest_reading_calls": "fewest possible",
    "writing_calls": "calls that write",
    "waits": "waits left out, s",
}


def _laps(crm: str, laps: dict[str, Any]) -> Table:
    table = Table("", title=f"{crm}: laps beside a bare HTTP loop over the same pages", title_justify="left")
    for name in laps:
        table.add_column(name.replace(", ", "\n"), justify="right", no_wrap=True)
    for key, words in _LINES.items():
        if not any(key in one for one in laps.values()):
            continue
        table.add_row(words, *(str(one.get(key, "")) for one in laps.values()))
    return table


def _memory(crm: str, memory: dict[str, Any]) -> Table:
    table = Table(title=f"{crm}: memory of a first lap", title_justify="left")
    for name in ("records", "peak MiB", "x the smaller"):
        table.add_column(name, justify="right")
    table.add_row(str(memory["records"]), str(memory["peak_mib"]), "")
    table.add_row(str(memory["more_records"]), str(memory["more_peak_mib"]), str(memory["ratio"]))
    return table
