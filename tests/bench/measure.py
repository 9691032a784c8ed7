"""Run a command and print, as JSON, what it printed, how long it took and the most memory it held.

A process of its own, and a small one: the system counts to a child what its parent held when it started it.
"""

import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Measured:
    """What a command did.

    `peak` is its resident memory in bytes, `seconds` its whole life, the start of Python included, and `cpu_seconds` how long the
    machine worked for it.
    """

    exit: int
    printed: Any
    seconds: float
    peak: int
    cpu_seconds: float


def measured(command: list[str], *, exits: tuple[int, ...] = (0,), in_json: bool = True) -> Measured:
    """Run a command that prints JSON, or, not `in_json`, whatever. Raises `RuntimeError` for an exit code that is not among `exits`."""
    line = [sys.executable, "-m", "tests.bench.measure", *command]
    found = json.loads(subprocess.run(line, check=True, capture_output=True, text=True).stdout)
    if found["exit"] not in exits:
        raise RuntimeError(f"{' '.join(command)} ended with {found['exit']}: {found['err']}")
    printed = json.loads(found["out"]) if in_json else found["out"]
    return Measured(found["exit"], printed, found["seconds"], found["peak"], found["cpu_seconds"])


def main() -> None:
    """Run what stands behind our name on the command line."""
    began = time.perf_counter()
    done = subprocess.run(sys.argv[1:], capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    unit = 1 if sys.platform == "darwin" else 1024
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = {"exit": done.returncode, "out": done.stdout, "err": done.stderr, "seconds": seconds}
    print(json.dumps(told | {"peak": used.ru_maxrss * unit, "cpu_seconds": used.ru_utime + used.ru_stime}))


if __name__ == "__main__":
    main()
