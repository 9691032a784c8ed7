"""The parts that every section of a mapping file is made of: fields to read, facts, conditions."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, TypeAdapter, model_validator

from connector.domain.config.field_types import Filled, Flag, Trimmed, as_list
from connector.domain.config.table import Table
from connector.domain.config.wrong import Wrong
from connector.domain.durations import parse_duration

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "in", "not in"]
FactType = Literal["text", "number", "boolean", "date", "datetime"]
"""As what a field can be read."""
WON_DEAL_WITHIN: Final = "won_deal_within"
PATH: Final = re.compile(r"[A-Za-z_][\w.:-]*")
API_NAME: Final = "the field's API name in quotes"
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_SPAN: Final = 'Write it like "730d": a whole number of days.'


# ── single values ────────────────────────────────────────────────────────────────────────────────────────────────────


class PlacedText(str):
    """A text of the file that knows its key there, such as ``account.name``."""

    __slots__ = ("key",)
    key: str


def placed_text(text: str, key: str) -> PlacedText:
    """Return a text that knows its key."""
    result = PlacedText(text)
    result.key = key
    return result


def placed(value: Any, key: str = "") -> Any:
    """Return a value of a file with every text in it as a `PlacedText`."""
    if isinstance(value, str):
        return placed_text(value, key)
    if isinstance(value, dict):
        return {name: placed(part, f"{key}.{name}" if key else name) for name, part in value.items()}
    return [placed(part, f"{key}[{n}]") for n, part in enumerate(value)] if isinstance(value, list) else value


def _field_name(value: object) -> str:
    if isinstance(value, str) and PATH.fullmatch(value.strip()):
        return value.strip()
    raise Wrong("is not the name of a field.", f"Write {API_NAME}.")


def name_of(what: str, *, but: Iterable[str] = ()) -> AfterValidator:
    """Refuse names that we cannot use for something of an admin's own."""

    def check(name: str) -> str:
        if not _NAME.fullmatch(name) or name in but:
            others = ", and none of our own words" if but else ""
            raise Wrong(f"is no name for {what}.", f"Use small letters, digits and _, a letter first{others}.")
        return name

    return AfterValidator(check)


def _comparable(value: object) -> object:
    """Dates without a time and times without a zone mean another moment to everybody."""
    if isinstance(value, str | int | float) or (isinstance(value, datetime) and value.tzinfo is not None):
        return str(value) if isinstance(value, str) else value
    raise Wrong("cannot be compared.", "Write one value: text, a number, true, false, or a time with its zone.")


def _span(value: object) -> timedelta:
    if not isinstance(value, str):
        raise Wrong("is not a text.", f"Write a text in quotes. {_SPAN}")
    try:
        span = parse_duration(value.strip())
    except ValueError as error:
        raise Wrong(f"is not a time: {error}.", _SPAN) from None
    if not span:
        raise Wrong("is no time, so nobody would be a customer.", _SPAN)
    return span


def _not_blank(text: str) -> str:
    if not text.strip():
        raise Wrong("is empty.", "Write the value, or remove it.")
    return text


FieldName = Annotated[str, PlainValidator(_field_name)]
Value = Annotated[str | float | bool | datetime, PlainValidator(_comparable)]
Texts = tuple[Annotated[str, AfterValidator(_not_blank)], ...]


# ── fields and conditions ────────────────────────────────────────────────────────────────────────────────────────────


class FieldMap(Table):
    """One CRM field to read. `key` is its place in the file, for messages."""

    path: FieldName = Field(alias="field", description=API_NAME)
    key: str = Field("", alias="(key)", repr=False)
    optional: Flag = False
    converter: FactType | None = Field(None, alias="as")
    """Overrides the type that the CRM declares."""
    prefix: Trimmed = ""
    """Lookups only: ids that begin otherwise lead to something else, and are passed over."""

    @model_validator(mode="before")
    @classmethod
    def _from_line(cls, line: Any) -> Any:
        """A field may be named by its name alone."""
        return with_key(line if isinstance(line, dict) else {"field": line})


def with_key(line: dict[str, Any]) -> dict[str, Any]:
    """Return a line with the key of the field that it names."""
    return {**line, "(key)": getattr(line.get("field"), "key", "")}


Fields = Annotated[tuple[FieldMap, ...], BeforeValidator(as_list)]
"""One field, or a list of them."""
_FACTS: Final = TypeAdapter(dict[Annotated[str, name_of("a fact")], FieldMap])


def _facts(tables: object) -> tuple[tuple[str, FieldMap], ...]:
    return tuple(sorted(_FACTS.validate_python(tables).items(), key=lambda fact: fact[0]))


Facts = Annotated[tuple[tuple[str, FieldMap], ...], PlainValidator(_facts)]
"""By name, in the order of the names."""

OPERATORS: Final[Mapping[str, Operator]] = {
    "is": "=",
    "is_not": "!=",
    "in": "in",
    "not_in": "not in",
    "above": ">",
    "below": "<",
    "at_least": ">=",
    "at_most": "<=",
    "empty": "=",
}


class Test(Table):
    """One comparison of a CRM field with what the admin wrote."""

    __test__: ClassVar[bool] = False  # pytest would take it for a test class

    field: FieldMap = Field(alias="(field)")
    is_: Value | None = Field(None, alias="is")
    is_not: Value | None = None
    in_: Annotated[tuple[Value, ...], Filled] = Field((), alias="in")
    not_in: Annotated[tuple[Value, ...], Filled] = ()
    above: Value | None = None
    below: Value | None = None
    at_least: Value | None = None
    at_most: Value | None = None
    empty: Flag | None = None

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """See `Table.names`."""
        return (*FieldMap.names(), *OPERATORS)

    @classmethod
    def rules(cls, written: Mapping[str, Any]) -> Iterable[Wrong]:
        """See `Table.rules`."""
        if len(OPERATORS.keys() & written) != 1:
            yield Wrong("needs one comparison.", f"Write one of {', '.join(OPERATORS)}.")

    @model_validator(mode="before")
    @classmethod
    def _from_line(cls, line: Any) -> Any:
        """A field's name alone asks whether it is ticked."""
        if not isinstance(line, dict):
            return {"(field)": line, "is": True}
        field, comparison = split(line, FieldMap.names())
        return {**comparison, "(field)": field}

    @property
    def op(self) -> Operator:
        """How it is compared."""
        return "!=" if self.empty is False else OPERATORS[self._word.removesuffix("_")]

    @property
    def values(self) -> tuple[Any, ...]:
        """What it is compared with; None is emptiness."""
        if self.empty is not None:
            return (None,)
        value = getattr(self, self._word)
        return value if isinstance(value, tuple) else (value,)

    @property
    def _word(self) -> str:
        (word,) = self.model_fields_set - {"field"}
        return word

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        yield from (("field", self.field), ("op", self.op), ("values", self.values))


def split(line: dict[str, Any], names: Collection[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the keys of these names, and the others."""
    return {key: line[key] for key in line if key in names}, {key: line[key] for key in line if key not in names}


def _listed_tests(value: object) -> object:
    return [] if value is True else as_list(value)


Tests = Annotated[tuple[Test, ...], BeforeValidator(_listed_tests)]
"""One condition, or a list of them; ``true`` asks nothing."""


class WonDeal(Table):
    """Who is a customer: whoever has a deal that was won within this time (an interaction that ended by `spec.WON`)."""

    within: Annotated[timedelta, PlainValidator(_span)] = Field(alias=WON_DEAL_WITHIN)


_TESTS: Final = TypeAdapter(Tests)


def _customers(value: object) -> tuple[Test, ...] | WonDeal:
    if isinstance(value, dict) and WON_DEAL_WITHIN in value:
        return WonDeal.model_validate(value)
    return _TESTS.validate_python(value)


Customers = Annotated[tuple[Test, ...] | WonDeal, PlainValidator(_customers)]
"""Conditions on the account's fields, or the time within which a deal was won."""
