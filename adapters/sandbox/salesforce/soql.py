"""The query language: text to a tree, with the vendor's words for what cannot be read."""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path as FilePath
from typing import Any, Literal, cast

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError

from adapters.sandbox.salesforce.errors import RequestError

MAX_LENGTH = 100_000
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\", "_": "_", "%": "%"}
# In a pattern these stay escaped: there the bare ones mean something else.
_KEPT = {"_": r"\_", "%": r"\%", "\\": r"\\"}
ValueKind = Literal["string", "number", "date", "datetime", "boolean", "null", "literal"]


@dataclass(frozen=True)
class Path:
    """A field, perhaps of a parent; `column` is where it stands in the query, counted from 1."""

    parts: tuple[str, ...]
    column: int = 0

    def __str__(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True)
class Value:
    """A literal: `text` without quotes; for `literal` the name of a date range with its number."""

    kind: ValueKind
    text: str


@dataclass(frozen=True)
class Item:
    """One entry of SELECT: a field, an aggregate of one, COUNT(), a group of fields, or a query over children."""

    path: Path | None = None
    function: str | None = None
    alias: str | None = None
    group: str | None = None
    children: "SoqlQuery | None" = None


@dataclass(frozen=True)
class SoqlComparison:
    """A field against one value."""

    path: Path
    operator: str
    value: Value


@dataclass(frozen=True)
class Membership:
    """A field against a list (IN, INCLUDES and their opposites) or against the ids another query finds."""

    path: Path
    operator: Literal["in", "includes"]
    values: tuple[Value, ...]
    query: "SoqlQuery | None" = None
    negated: bool = False


@dataclass(frozen=True)
class Logic:
    """Conditions joined: all of them, any of them, or none of one."""

    operator: Literal["and", "or", "not"]
    parts: tuple["Condition", ...]


Condition = SoqlComparison | Membership | Logic


@dataclass(frozen=True)
class Ordering:
    """One key of ORDER BY."""

    path: Path
    descending: bool
    nulls_first: bool


@dataclass(frozen=True)
class SoqlQuery:
    """A whole query."""

    text: str
    items: tuple[Item, ...]
    object: str
    alias: str | None
    where: Condition | None
    group: tuple[Path, ...]
    order: tuple[Ordering, ...]
    limit: int | None
    offset: int

    @property
    def counts_only(self) -> bool:
        """Whether it is SELECT COUNT()."""
        return len(self.items) == 1 and self.items[0].function == "count" and self.items[0].path is None

    @property
    def aggregates(self) -> bool:
        """Whether the answer holds groups instead of records."""
        return bool(self.group) or any(item.function for item in self.items)


def malformed(words: str) -> RequestError:
    """The answer to a query that cannot be read."""
    return RequestError("MALFORMED_QUERY", words)


@lru_cache(maxsize=1024)
def parse(text: str) -> SoqlQuery:
    """Reads a query; raises RequestError (MALFORMED_QUERY, QUERY_TOO_COMPLICATED)."""
    if len(text) > MAX_LENGTH:
        raise RequestError(
            "QUERY_TOO_COMPLICATED",
            "Query is either selecting too many fields or the filter conditions are too complicated.",
        )
    try:
        return _Build(text).transform(_grammar().parse(text))
    except VisitError as error:
        if isinstance(error.orig_exc, RequestError):
            raise error.orig_exc from None
        raise
    except UnexpectedInput as error:
        raise malformed(_complaint(text, error)) from None


@cache
def _grammar() -> Lark:
    text = FilePath(__file__).with_name("soql.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", propagate_positions=False, maybe_placeholders=True)


def _complaint(text: str, error: UnexpectedInput) -> str:
    if isinstance(error, UnexpectedToken):
        word = error.token if error.token.type != "$END" else "<EOF>"
        marked = f"'{word}'" if word != "<EOF>" else "<EOF>"
        return f"{excerpt(text, error.column if error.token.type != '$END' else len(text))}unexpected token: {marked}"
    character = (
        text[error.pos_in_stream] if isinstance(error, UnexpectedCharacters) and error.pos_in_stream is not None else ""
    )
    return f"{excerpt(text, error.column)}line {error.line}:{error.column} no viable alternative at character '{character}'"


def excerpt(text: str, column: int) -> str:
    """The part of the query around a column (from 1), with a caret under it and its place."""
    flat = text.replace("\n", " ")
    start = max(0, column - 40)
    return f"\n{flat[start : column + 30]}\n{' ' * (column - 1 - start)}^\nERROR at Row:1:Column:{column}\n"


def unescape(quoted: str, *, pattern: bool = False) -> str:
    """The text of a string literal; in a `pattern` (of LIKE) the escapes of `_`, `%` and the backslash are kept."""
    meanings = _ESCAPED | _KEPT if pattern else _ESCAPED

    def one(match: re.Match[str]) -> str:
        if match.group(1) not in meanings:
            words = f"Invalid string literal {quoted}. Illegal character sequence '{match.group(0)}' in string literal."
            raise malformed(words)
        return meanings[match.group(1)]

    return _ESCAPE.sub(one, quoted[1:-1])


_KINDS: dict[str, ValueKind] = {
    "STRING": "string",
    "NUMBER": "number",
    "DATETIME": "datetime",
    "DATE": "date",
    "TRUE": "boolean",
    "FALSE": "boolean",
    "NULL": "null",
    "DATE_LITERAL": "literal",
    "DATE_LITERAL_N": "literal",
}


class _Build(Transformer[Token, SoqlQuery]):
    """Turns the parser's tree into the dataclasses above."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def start(self, parts: list[Any]) -> SoqlQuery:
        *items, name, alias, where, group, order, limit, offset = parts
        return SoqlQuery(
            self._text,
            tuple(items),
            str(name),
            alias and str(alias),
            where,
            group or (),
            order or (),
            limit,
            offset or 0,
        )

    def count_all(self, _parts: list[Any]) -> Item:
        return Item(function="count")

    def field_group(self, parts: list[Any]) -> Item:
        return Item(group=str(parts[0]).lower())

    def aggregate(self, parts: list[Any]) -> Item:
        function, path, alias = parts
        return Item(path, str(function).lower(), alias and str(alias))

    def plain(self, parts: list[Any]) -> Item:
        path, alias = parts
        return Item(path, alias=alias and str(alias))

    def subquery(self, parts: list[Any]) -> Item:
        return Item(children=parts[0])

    def where(self, parts: list[Any]) -> Condition:
        return cast(Condition, parts[0])

    def all_of(self, parts: list[Any]) -> Logic:
        return Logic("and", tuple(part for part in parts if not isinstance(part, Token)))

    def any_of(self, parts: list[Any]) -> Logic:
        return Logic("or", tuple(part for part in parts if not isinstance(part, Token)))

    def negation(self, parts: list[Any]) -> Logic:
        return Logic("not", (parts[1],))

    def comparison(self, parts: list[Any]) -> SoqlComparison:
        path, operator, value = parts
        return SoqlComparison(path, "!=" if operator == "<>" else str(operator), value)

    def like(self, parts: list[Any]) -> SoqlComparison:
        return SoqlComparison(parts[0], "like", Value("string", unescape(parts[2], pattern=True)))

    def including(self, parts: list[Any]) -> Membership:
        path, word, values = parts
        return Membership(path, "includes", values, negated=word.lower() == "excludes")

    def one_of(self, parts: list[Any]) -> Membership:
        return Membership(parts[0], "in", parts[-1])

    def none_of(self, parts: list[Any]) -> Membership:
        return Membership(parts[0], "in", parts[-1], negated=True)

    def in_query(self, parts: list[Any]) -> Membership:
        return Membership(parts[0], "in", (), parts[-1])

    def not_in_query(self, parts: list[Any]) -> Membership:
        return Membership(parts[0], "in", (), parts[-1], negated=True)

    def values(self, parts: list[Any]) -> tuple[Value, ...]:
        return tuple(parts)

    def value(self, parts: list[Any]) -> Value:
        token = parts[0]
        kind = _KINDS[token.type]
        if kind == "string":
            return Value(kind, unescape(token))
        return Value(kind, str(token).lower() if kind in {"boolean", "literal"} else str(token))

    def group(self, parts: list[Any]) -> tuple[Path, ...]:
        return tuple(parts)

    def order(self, parts: list[Any]) -> tuple[Ordering, ...]:
        return tuple(parts)

    def ordering(self, parts: list[Any]) -> Ordering:
        path, *words = parts
        keywords = {str(word).lower() for word in words if word}
        descending = "desc" in keywords
        return Ordering(path, descending, "first" in keywords or (not descending and "last" not in keywords))

    def limit(self, parts: list[Any]) -> int:
        return int(parts[0])

    def offset(self, parts: list[Any]) -> int:
        return int(parts[0])

    def path(self, parts: list[Any]) -> Path:
        return Path(tuple(str(part) for part in parts), parts[0].column or 0)
