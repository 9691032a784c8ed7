"""What is measured, each in a process of its own: a lap, and the bare HTTP loop beside it. Prints one JSON object."""

import argparse
import json
import resource
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any

import requests

PROCESS = Path("/proc/self/status")
MIB = 1024 * 1024


def peak_memory() -> int:
    """Return the most memory that this process has held, in bytes.

    `ru_maxrss` also counts what the parent held when it started us; where the kernel tells our own peak, that is taken.
    """
    if PROCESS.exists():
        lines = PROCESS.read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def lap(config: Path, *, trace: bool) -> dict[str, Any]:
    """Run one lap, as `afterword sync` does."""
    from connector import wiring
    from connector.stages import lap as laps
    from connector.store.migrate import migrate

    house = wiring.build(wiring.read_settings(config))
    migrate(house.store)
    before = peak_memory()
    if trace:
        tracemalloc.start()
    began = time.perf_counter()
    report = laps.run(house)
    seconds = time.perf_counter() - began
    traced = tracemalloc.get_traced_memory()[1] if trace else None
    for endpoint in house.endpoints:
        endpoint.adapter.close()
    house.store.close()
    found = report.as_json() | {"exit": report.exit_code, "seconds": seconds, "traced": traced}
    return found | {"peak": peak_memory(), "peak_before": before}


def bare(plan: Path) -> dict[str, Any]:
    """Fetch the same pages with requests and json, and nothing else."""
    wanted = json.loads(plan.read_text(encoding="utf-8"))
    before = peak_memory()
    began = time.perf_counter()
    records = calls = 0
    with requests.Session() as session:
        session.verify = wanted["ca_bundle"]
        session.trust_env = False  # else a bundle named by the environment would come first
        session.headers["Authorization"] = f"Bearer {wanted['token']}"
        session.headers["Sforce-Query-Options"] = "batchSize=2000"
        for first in wanted["paths"]:
            path: str | None = first
            while path:
                page = json.loads(session.get(wanted["url"] + path, timeout=60).content)
                records += len(page["records"])
                calls += 1
                path = page.get("nextRecordsUrl")
    seconds = time.perf_counter() - began
    return {"records": records, "calls": calls, "seconds": seconds, "peak": peak_memory(), "peak_before": before}


def main() -> None:
    """Do one of them."""
    arguments = argparse.ArgumentParser(description=main.__doc__)
    arguments.add_argument("what", choices=("lap", "bare"))
    arguments.add_argument("file", type=Path, help="config.toml; for bare: what to fetch, as JSON")
    arguments.add_argument("--trace", action="store_true", help="also tell the peak of Python's own memory; slow")
    given = arguments.parse_args()
    print(json.dumps(lap(given.file, trace=given.trace) if given.what == "lap" else bare(given.file)))


if __name__ == "__main__":
    main()
