"""The command `afterword`: it can be ended from its first moment on.

Process 1 of a container is ended by no signal that it has not asked for, and to import the libraries takes seconds.
"""

import os
import signal
from types import FrameType
from typing import Final

_ENDED_BY_SIGNAL: Final = 128
"""What shells add to the number of the signal that ended a process."""


def main() -> None:
    """Run the command line."""
    end_by(signal.SIGTERM)
    from connector.cli.app import main as command_line  # noqa: PLC0415 - what takes long comes behind the signal

    command_line()


def end_by(number: signal.Signals) -> None:
    """Let a signal end the process at once, until somebody takes it otherwise: whatever is under way outlives that."""
    signal.signal(number, _end)


def _end(number: int, _frame: FrameType | None) -> None:
    os._exit(_ENDED_BY_SIGNAL + number)


if __name__ == "__main__":
    main()
