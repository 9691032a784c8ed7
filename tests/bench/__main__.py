"""How fast Afterword is, and in how much memory: `python -m tests.bench`, or `make bench`.

Everything is measured as whole processes against a pretend Salesforce over HTTPS, which is a process of its own. What the bare
loop does is the least that any connector must do: fetch the same pages and parse them.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

from tests.bench.answering import delays
from tests.bench.installation import install
from tests.bench.org import USUAL, serving, times
from tests.bench.report import MIB, answer_figures, bare_figures, lap_figures, show

PARTS = ("laps", "memory", "answer")
ANSWERS = 9
LARGER = 4


def main() -> None:
    """Measure and print."""
    given = _arguments()
    found: dict[str, Any] = {}
    with TemporaryDirectory(prefix="afterword-bench-") as temporary:
        folder = Path(temporary)
        if "laps" in given.only or "memory" in given.only:
            found["laps"] = _laps(folder)
        if "memory" in given.only:
            found["memory"] = _memory(folder, found["laps"]["first, observing"])
        if "answer" in given.only:
            with _told("answers"), serving(USUAL) as org:
                found["answer"] = answer_figures(delays(folder / "answer", org, ANSWERS))
    if given.json:
        print(json.dumps(found, indent=2))
        return
    show(Console(), found)


def _laps(folder: Path) -> dict[str, Any]:
    """Measure the first lap and a quiet one, observing and live, each kind beside the bare loop."""
    found: dict[str, Any] = {}
    with _told("laps"), serving(USUAL) as org:
        for name, mode in (("observing", "observe"), ("live", "live")):
            house = install(folder / mode, org, mode=mode)
            if mode == "live":
                house.set_up()
            first, quiet = house.lap(), house.lap()
            bare = bare_figures(house.bare(first))
            figures = lap_figures(first)
            figures["of_bare"] = round(figures["records_per_second"] / bare["records_per_second"], 2)
            found |= {f"first, {name}": figures, f"quiet, {name}": lap_figures(quiet)}
            found[f"bare, {name}"] = bare
    return found


def _memory(folder: Path, smaller: dict[str, Any]) -> dict[str, Any]:
    """Measure the first lap over several times as many records."""
    with _told("memory"), serving(times(USUAL, LARGER)) as org:
        larger = install(folder / "larger", org, mode="observe").lap()
    peak = larger.process.peak / MIB
    return {
        "records": smaller["records"],
        "peak_mib": smaller["peak_mib"],
        "more_records": larger.records,
        "more_peak_mib": round(peak, 1),
        "ratio": round(peak / smaller["peak_mib"], 2),
    }


@contextmanager
def _told(what: str) -> Iterator[None]:
    print(f"measuring {what} …", file=sys.stderr, flush=True)
    yield


def _arguments() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(prog="python -m tests.bench", description=main.__doc__)
    arguments.add_argument("--json", action="store_true", help="print JSON alone")
    arguments.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="some of the parts; all by default")
    return arguments.parse_args()


if __name__ == "__main__":
    main()
