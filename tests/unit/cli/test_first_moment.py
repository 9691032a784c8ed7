"""The command can be ended from its first moment on, as process 1 of a container too, which no signal ends by itself."""

import signal
import subprocess
import sys

ENDED = """
import os, signal, sys
import connector.__main__ as first
assert not {"typer", "sqlalchemy", "connector.cli.app"} & set(sys.modules)
first.end_by(signal.SIGTERM)
os.kill(os.getpid(), signal.SIGTERM)
"""


COMMAND = """
import os, signal, sys, types
import connector.__main__ as first
slow = types.ModuleType("connector.cli.app")
slow.main = lambda: os.kill(os.getpid(), signal.SIGTERM)
sys.modules["connector.cli.app"] = slow
first.main()
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, timeout=300)


def test_the_signal_is_taken_before_anything_slow_is_imported() -> None:
    # A process that a signal ends by itself has the signal's number, negated.
    assert run("-c", ENDED).returncode == 128 + signal.SIGTERM


def test_the_command_takes_it() -> None:
    assert run("-c", COMMAND).returncode == 128 + signal.SIGTERM


def test_the_module_is_the_command() -> None:
    told = run("-m", "connector", "--version")
    assert (told.returncode, told.stdout.split()[0]) == (0, "afterword")
