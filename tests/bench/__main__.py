"""How fast Afterword is, and in how much memory: `python -m tests.bench`, or `make bench`.

Everything is measured as whole processes against a pretend Salesforce and a pretend HubSpot over HTTPS, each a process of its own.
What the bare loop does is the least that any connector must do: fetch the same pages and parse them.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

from adapters.sandbox.salesforce.org.seed import Sizes
from tests.bench import org, portal
from tests.bench.answering import delays
from tests.bench.crm import USUAL, Crm, times
from tests.bench.crowded import page_times
from tests.bench.first_read import first_read
from tests.bench.installation import install
from tests.bench.measure import measured
from tests.bench.page_load import load_figures
from tests.bench.report import MIB, answer_figures, bare_figures, lap_figures, page_figures, show
from tests.bench.starting import start_figures

PARTS = ("start", "laps", "memory", "answer", "pages", "first", "book")
ANSWERS = 9
LARGER = 4
Serving = Callable[[Sizes], AbstractContextManager[Crm]]
CRMS: Mapping[str, Serving] = {"salesforce": org.serving, "hubspot": portal.serving}


def main() -> None:
    """Measure and print."""
    given = _arguments()
    found: dict[str, Any] = {}
    with TemporaryDirectory(prefix="afterword-bench-") as temporary:
        folder = Path(temporary)
        if "start" in given.only:
            with _told("starts"), org.serving(USUAL) as crm:
                found["start"] = start_figures(folder / "start", crm)
        for name, serving in CRMS.items():
            if "laps" in given.only or "memory" in given.only:
                found.setdefault("laps", {})[name] = _laps(folder / name, name, serving)
            if "memory" in given.only:
                first = found["laps"][name]["first, observing"]
                found.setdefault("memory", {})[name] = _memory(folder / name, name, serving, first)
        if "answer" in given.only:
            with _told("answers"), org.serving(USUAL) as crm:
                found["answer"] = answer_figures(delays(folder / "answer", crm, ANSWERS))
        if "pages" in given.only:
            with _told("pages"), org.serving(USUAL) as crm:
                found["pages"] = page_figures(*page_times(folder / "pages", crm))
            with _told("pages beside a bare one"):
                found["load"] = load_figures(folder / "load")
        if "first" in given.only:
            for mode in ("observe", "live"):
                with _told(f"a first read of 130,000 records, {mode}"):
                    found.setdefault("first", {})[mode] = first_read(folder / f"first-{mode}", mode)
        if "book" in given.only:
            with _told("book"):
                found["book"] = measured([sys.executable, "-m", "tests.bench.book", str(given.accounts)]).printed
    if given.json:
        print(json.dumps(found, indent=2))
        return
    show(Console(), found)


def _laps(folder: Path, name: str, serving: Serving) -> dict[str, Any]:
    """Measure the first lap and a quiet one, observing and live, each kind beside the bare loop."""
    found: dict[str, Any] = {}
    with _told(f"laps, {name}"), serving(USUAL) as crm:
        for state, mode in (("observing", "observe"), ("live", "live")):
            installation = install(folder / mode, crm, mode=mode)
            if mode == "live":
                installation.set_up()
            first, quiet = installation.lap(), installation.lap()
            bare = bare_figures(installation.bare(first))
            figures = lap_figures(first)
            figures["of_bare"] = round(figures["records_per_second"] / bare["records_per_second"], 2)
            found |= {f"first, {state}": figures, f"quiet, {state}": lap_figures(quiet), f"bare, {state}": bare}
    return found


def _memory(folder: Path, name: str, serving: Serving, smaller: dict[str, Any]) -> dict[str, Any]:
    """Measure the first lap over several times as many records."""
    with _told(f"memory, {name}"), serving(times(USUAL, LARGER)) as crm:
        larger = install(folder / "larger", crm, mode="observe").lap()
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
    arguments.add_argument("--accounts", type=int, default=10_000, help="the size of the book; 10,000 by default")
    return arguments.parse_args()


if __name__ == "__main__":
    main()
