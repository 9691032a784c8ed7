"""Commands of the product as processes of their own, which can be killed at any moment.

They are forked from a server that has imported the product before: hundreds of them start in the time of a few.
"""

import multiprocessing
import os
import pkgutil
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import connector

CONTEXT = multiprocessing.get_context("forkserver")
LATE = (
    "alembic.command",
    "babel.dates",
    "fastapi",
    "jinja2",
    "mrml",
    "psycopg",
    "scipy.special",
    "scipy.stats",
    "uvicorn",
)
"""What commands import when they need it."""
PRODUCT = [
    module.name
    for module in pkgutil.walk_packages(connector.__path__, "connector.")
    if not module.name.startswith(("connector.__main__", "connector.demo", "connector.store.migrations"))
]
ADAPTERS = ("adapters.salesforce.crm_adapter", "adapters.hubspot.crm_adapter", "adapters.email.smtp")
CONTEXT.set_forkserver_preload([*ADAPTERS, *PRODUCT, *LATE])
KILLED = -9
_numbers = count()


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


class Command:
    """A command under way."""

    def __init__(self, folder: Path, words: Sequence[str]) -> None:
        number = next(_numbers)
        self._out, self._err = (folder / f"command-{number}.{name}" for name in ("out", "err"))
        self.process = CONTEXT.Process(
            target=_run, args=(str(folder), list(words), str(self._out), str(self._err)), daemon=True
        )
        self.process.start()

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.is_alive()

    def kill(self) -> bool:
        """End it as a power cut would, and say whether it was still at work."""
        self.process.kill()
        return self.done().code == KILLED

    def done(self, seconds: float = 60) -> Done:
        """Wait for its end."""
        self.process.join(seconds)
        code = self.process.exitcode
        assert code is not None, "the command does not end"
        self.process.close()
        return Done(code, _text(self._out), _text(self._err))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _run(folder: str, words: list[str], out: str, err: str) -> None:
    """Be the command: in its folder, with its own stdout and stderr."""
    from connector.cli.app import app  # noqa: PLC0415 - only the child needs it

    os.chdir(folder)
    for stream, path in ((1, out), (2, err)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, stream)
        os.close(file)
    sys.argv = ["afterword", *words]
    try:
        app(words)
    except SystemExit:
        raise
    except BaseException:
        traceback.print_exc()
        raise
