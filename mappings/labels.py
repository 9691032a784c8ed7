"""What an interaction is called: the label that a mapping has for its kind, filled in with its facts."""

from collections.abc import Callable, Mapping
from string import Formatter
from typing import Any


def label_of(template: str) -> Callable[[Mapping[str, Any]], str | None]:
    """Return what fills facts into a label; it gives None where one of them is empty."""
    parts = [(literal, name) for literal, name, _, _ in Formatter().parse(template)]

    def fill(facts: Mapping[str, Any]) -> str | None:
        text = ""
        for literal, name in parts:
            text += literal
            if name is None:
                continue
            value = facts.get(name)
            if value is None:
                return None
            text += value if type(value) is str else str(value)
        return text

    return fill
