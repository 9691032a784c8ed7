"""Types of keys that config.toml and the mapping files share."""

from typing import Annotated, Any

from pydantic import AfterValidator, Strict, StringConstraints

from connector.domain.config.wrong import Wrong


def between(low: float, high: float) -> AfterValidator:
    """Refuse numbers outside the range; both ends belong to it."""

    def check(value: float) -> float:
        if not low <= value <= high:
            raise Wrong("is out of range.", f"Write a number from {low:g} to {high:g}.")
        return value

    return AfterValidator(check)


def as_list(value: object) -> list[Any]:
    """Take a single value for a list of one."""
    return value if isinstance(value, list) else [value]


def _not_empty(values: tuple[Any, ...]) -> tuple[Any, ...]:
    # Not by min_length: that counts elements that were refused themselves as missing, and says so a second time.
    if not values:
        raise Wrong("is empty.", "Name at least one, or remove the key.")
    return values


Filled = AfterValidator(_not_empty)
"""Refuses a list without elements."""
Flag = Annotated[bool, Strict()]
Whole = Annotated[int, Strict()]
Trimmed = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
"""A text without blanks around it, and not empty."""
