"""The streams that the commands write to: a reader who has left (`| head`) is no reason to stop, or to fail, and no character is
one that the terminal's encoding lacks."""

import codecs
import io
import os
import sys
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_ESCAPED: Final = "afterword-escaped"


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """Write characters that the terminal's encoding lacks as JSON does, so that JSON stays JSON."""
    assert isinstance(error, UnicodeEncodeError)  # noqa: S101 - only writing fails
    pairs = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{pairs[at] << 8 | pairs[at + 1]:04x}" for at in range(0, len(pairs), 2)), error.end


codecs.register_error(_ESCAPED, _escaped)


class _Patient(io.FileIO):
    """A file that takes everything for written once nobody reads it any more."""

    def write(self, data: "ReadableBuffer", /) -> int:
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
        errors=_ESCAPED,
        line_buffering=getattr(stream, "line_buffering", False),
        write_through=getattr(stream, "write_through", False),
    )
