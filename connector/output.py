"""Where the commands write: a reader who has left (`| head`) is no reason to stop, or to fail."""

import io
import os
import sys
from typing import Any, TextIO


class _Patient(io.FileIO):
    """A file that takes everything for written once nobody reads it any more."""

    def write(self, data: Any, /) -> int:
        """Write, or, to a pipe that was closed, pretend to."""
        try:
            return super().write(data)
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return super().write(data)


def outlive_readers() -> None:
    """Let standard output and error outlive whoever reads them: a lap that is under way is finished, and tells its exit code."""
    sys.stdout, sys.stderr = _patient(sys.stdout), _patient(sys.stderr)


def _patient(stream: TextIO) -> TextIO:
    try:
        number = stream.fileno()
    except (OSError, ValueError, AttributeError):
        return stream  # none at all, or one in memory, which nobody can close
    stream.flush()
    raw = io.BufferedWriter(_Patient(number, "wb", closefd=False))
    return io.TextIOWrapper(
        raw,
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=getattr(stream, "line_buffering", False),
        write_through=getattr(stream, "write_through", False),
    )
