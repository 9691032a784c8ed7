"""What the commands write with: nothing that others wrote reaches a terminal as a command to it, or forges a line of ours."""

import io
import json
import logging
import sys
from collections.abc import Iterable, Mapping
from textwrap import indent
from typing import TextIO, TypeVar, cast

import structlog
from rich.console import Console
from rich.segment import Segment

from connector.model import visible

_Json = TypeVar("_Json")


class Terminal(Console):
    """A console on which text is text: only what Rich itself adds for colours and places is a command to the terminal."""

    def __init__(self, *, stderr: bool = False) -> None:
        # No emoji for `:100:`: an id, a time or a customer's word may hold that.
        super().__init__(stderr=stderr, highlight=False, emoji=False, soft_wrap=True)

    def _render_buffer(self, buffer: Iterable[Segment]) -> str:
        seen = (segment if segment.control else Segment(visible(segment.text), segment.style) for segment in buffer)
        return super()._render_buffer(seen)


def one_line(text: str) -> str:
    """Return text of others to stand in a line of ours: a line end in it would begin a line that looks like ours."""
    return " ".join(visible(text).split("\n"))


def flat(value: _Json) -> _Json:
    """Return JSON values with every text on one line."""
    return cast(_Json, _flat(value))


def _flat(node: object) -> object:
    if isinstance(node, str):
        return one_line(node)
    if isinstance(node, Mapping):
        return {_flat(key): _flat(value) for key, value in node.items()}
    return [_flat(item) for item in node] if isinstance(node, list | tuple) else node


def json_text(value: object, *, deep: int | None = None) -> str:
    """Return JSON that a terminal can show too: what only a machine would see stands in it as an escape, which is JSON all the same."""
    return visible(json.dumps(value, indent=deep, ensure_ascii=False, default=str))


def print_json(value: object) -> None:
    """Print JSON alone."""
    sys.stdout.write(f"{json_text(value, deep=2)}\n")


def log_to_stderr() -> None:
    """Keep stdout for what was asked for. Tracebacks come without the values of variables: some of them are secrets."""
    renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=_traceback)
    structlog.configure(
        processors=[*structlog.get_config()["processors"][:-1], _visible_values, renderer],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
    root = logging.getLogger()
    if not any(isinstance(handler, _OfLibraries) for handler in root.handlers):
        root.addHandler(_OfLibraries(logging.WARNING))


class _OfLibraries(logging.Handler):
    """Writes what libraries log as we write it: with its time, and as text."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        log = structlog.get_logger(record.name)
        log.log(record.levelno, record.getMessage(), library=record.name, exc_info=record.exc_info)


def _traceback(stream: TextIO, exc_info: structlog.typing.ExcInfo) -> None:
    buffer = io.StringIO()
    structlog.dev.plain_traceback(buffer, exc_info)
    # Further in than what we log: an error's own words may have several lines.
    stream.write(indent(visible(buffer.getvalue()), "    "))


def _visible_values(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {name: flat(value) for name, value in event.items()}


out = Terminal()
err = Terminal(stderr=True)
