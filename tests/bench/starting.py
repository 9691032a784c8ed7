"""What it costs to start: processor time and memory of the commands that are run again and again, and of a service that waits."""

import subprocess
import time
from pathlib import Path
from typing import Any

from tests.bench.answering import free_port, wait_for_page
from tests.bench.installation import afterword, install
from tests.bench.measure import Measured, measured
from tests.bench.org import Org
from tests.bench.report import MIB

ROUNDS = 5
"""The least of so many runs counts: whatever else the machine does only adds to it."""
IDLE_SECONDS = 15.0
"""After which the first lap of the service is over."""


def start_figures(folder: Path, org: Org) -> dict[str, Any]:
    """Return the processor seconds and the peak memory of each command, and what a service holds that waits for its next lap."""
    web_port = free_port()
    installation = install(folder, org, mode="observe", web_port=web_port)
    installation.lap()
    config = ["-c", str(installation.config)]
    commands = {
        "--version": afterword("--version"),
        "--help": afterword("--help"),
        "status": [*afterword("status"), *config, "--json"],
        "quiet sync": [*afterword("sync"), *config, "--json"],
    }
    figures: dict[str, Any] = {}
    for name, command in commands.items():
        figures[name] = _figures([measured(command, in_json="--json" in command) for _ in range(ROUNDS)])
    idle = _held_by_idle_service([*afterword("run"), *config], web_port)
    return figures | {"idle run": {"cpu_seconds": None, "peak_mib": round(idle / MIB, 1)}}


def _figures(runs: list[Measured]) -> dict[str, float]:
    return {
        "cpu_seconds": round(min(run.cpu_seconds for run in runs), 2),
        "peak_mib": round(min(run.peak for run in runs) / MIB, 1),
    }


def _held_by_idle_service(command: list[str], port: int) -> int:
    """Return the bytes of memory that the service holds between two laps."""
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for_page(f"http://127.0.0.1:{port}")
            time.sleep(IDLE_SECONDS)
            told = subprocess.run(
                ["ps", "-o", "rss=", "-p", str(process.pid)], capture_output=True, text=True, check=True
            )
            return int(told.stdout) * 1024
        finally:
            process.terminate()
