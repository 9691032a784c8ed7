"""A first read of very many records, and the quiet lap behind it, with what they do to the disk and to others who want to write."""

from pathlib import Path
from typing import Any

from adapters.sandbox.salesforce.org.seed import Sizes
from tests.bench import org
from tests.bench.installation import Lap, install
from tests.bench.measure import Measured

SIZES = Sizes(accounts=20_000, contacts=100_000, cases=8_000, calls=800, meetings=600, opportunities=600)
MB = 1_000_000


def first_read(folder: Path, mode: str) -> dict[str, Any]:
    """Read 130,000 records of a pretend Salesforce into an empty store, fetch the same pages bare, and run a quiet lap."""
    with org.serving(SIZES) as crm:
        installation = install(folder, crm, mode=mode)
        installation.command("migrate")  # which holds the lock once, before anybody else is there
        if mode == "live":
            installation.set_up()
        first = installation.lap(counted=True)
        bare = installation.bare(first)
        return {"first": _figures(first, bare), "quiet": _figures(installation.lap(counted=True), None)}


def _figures(lap: Lap, bare: Measured | None) -> dict[str, Any]:
    counted = lap.report["store"]
    figures = {
        "records": lap.records,
        "seconds": round(lap.seconds, 1),
        "cpu_seconds": round(lap.process.cpu_seconds, 1),
        "peak_mb": round(lap.process.peak / MB),
        "written_mb": round((counted["written"] or 0) / MB, 1),
        "calls": len(lap.log),
        **{
            name: counted[name] for name in ("write_transactions", "held_p99_ms", "held_longest_ms", "computing_p99_ms")
        },
    }
    if bare is None:
        return figures
    per_second = bare.printed["records"] / bare.printed["seconds"]
    return figures | {"of_bare": round(lap.records / lap.seconds / per_second, 2)}
