"""Which conditions of a survey can never hold, by what the CRM says of its fields."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Final

from connector.errors import Problem
from connector.ports import CrmMapping


def conditions(
    where: str, event: str, wanted: Mapping[str, Sequence[object]], mapping: CrmMapping
) -> Iterator[Problem]:
    """Yield the conditions of a survey with values that a fact cannot have: by its type, or because its list does not offer them."""
    for fact, values in wanted.items():
        place = f"{where}.where.{fact}"
        kind, options = mapping.fact_type(event, fact), mapping.options(event, fact)
        if kind in _KINDS:
            yield from _of_type(place, kind, values)
        folded = {option.casefold() for option in options}
        words = [value for value in values if isinstance(value, str)]
        if options and words and folded.isdisjoint(word.casefold() for word in words):
            what = f"the CRM's field has no value {' or '.join(map(repr, words))}, so nobody is asked."
            yield Problem(place, what, f"Write one of: {', '.join(options)}.", severity="warning")


def _of_type(place: str, kind: str, values: Sequence[object]) -> Iterator[Problem]:
    words, remedy, can_be = _KINDS[kind]
    wrong = [value for value in values if not can_be(value)]
    if wrong:
        so = "" if len(wrong) < len(values) else ", so nobody is asked"
        what = f"the CRM's field holds {words}, and never {' or '.join(map(repr, wrong))}{so}."
        yield Problem(place, what, remedy, severity="warning")


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _day(value: object) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _moment(value: object) -> bool:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return False
    return moment is not None and moment.tzinfo is not None and moment.isoformat() == value


_KINDS: Final[Mapping[str, tuple[str, str, Callable[[object], bool]]]] = {
    "text": ("text", "Write it in quotes.", lambda value: isinstance(value, str)),
    "number": ("a number", "Write a number without quotes, such as 5 or 4.5.", _number),
    "boolean": ("true or false", "Write true or false, without quotes.", lambda value: isinstance(value, bool)),
    "date": ("a day", 'Write it like "2026-11-12".', _day),
    "datetime": ("a moment", 'Write it in UTC, like "2026-11-12T10:00:00+00:00".', _moment),
}
"""By a fact's type: in words, what to write, and whether a value can be one."""
