"""SOQL text from values. The only place where text of others enters a query."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from simple_salesforce.format import quote_soql_value

from connector.errors import Bug
from connector.ports import Condition

_PATH = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9]{15}([A-Za-z0-9]{3})?")
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"

NEVER = "Id = null"
ALWAYS = "Id != null"


def is_id(text: str) -> bool:
    """Tell whether the text is a record id; of a long one, whether its last three characters fit the others."""
    return bool(_ID.fullmatch(text)) and (len(text) == 15 or text == _long(text[:15]))


def known_id(value: Any) -> str | None:
    """Return what an answer calls an id; None where it cannot be one."""
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def id18(text: str) -> str:
    """Return the 18 character form of an id, which unlike the 15 character one survives a change of case.

    Each of the three extra characters says which of five characters are capitals. `Bug`: not an id.
    """
    if not _ID.fullmatch(text):
        raise Bug(f"{text!r} is not a Salesforce id")
    return text if len(text) == 18 else _long(text)


def _long(text: str) -> str:
    return text + "".join(_SUFFIX[_capitals(text[start : start + 5])] for start in (0, 5, 10))


def _capitals(five: str) -> int:
    return sum(1 << place for place, letter in enumerate(five) if "A" <= letter <= "Z")


def name(path: str) -> str:
    """Return a field path or object name that is safe to stand in a query. `Bug`: it is not a name."""
    if not _PATH.fullmatch(path):
        raise Bug(f"{path!r} is not a field or object name")
    return path


def instant(moment: datetime) -> str:
    """Return a datetime literal, rounded down to the second: Salesforce compares no finer."""
    if moment.tzinfo is None:
        raise Bug("a time without a zone cannot be compared")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def quote(value: Any) -> str:
    """Return a literal of SOQL for text, a number, a boolean, a date, an aware datetime or None."""
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, str | bool | int | float | date) or value is None:
        return str(quote_soql_value(value))
    raise Bug(f"{type(value).__name__} has no form in a query")


def condition(term: Condition) -> str:
    """Return one comparison. ``in`` over nothing is never true, ``not in`` over nothing always."""
    if term.op not in ("in", "not in"):
        return f"{name(term.field)} {term.op} {quote(term.values[0])}"
    if not term.values:
        return NEVER if term.op == "in" else ALWAYS
    return f"{name(term.field)} {term.op.upper()} ({', '.join(map(quote, term.values))})"


def where(alternatives: Sequence[Sequence[Condition]]) -> str:
    """Return a disjunction of conjunctions, or '' when it holds for everything."""
    if not alternatives or not all(alternatives):
        return ""
    return any_of(all_of(condition(term) for term in together) for together in alternatives)


def any_of(terms: Iterable[str]) -> str:
    """Join by OR; each term in parentheses, since SOQL refuses a mixture without."""
    terms = list(terms)
    return terms[0] if len(terms) == 1 else " OR ".join(f"({term})" for term in terms)


def all_of(terms: Iterable[str]) -> str:
    """Join by AND, leaving out empty terms."""
    terms = [term for term in terms if term]
    if not terms:
        return ""
    return terms[0] if len(terms) == 1 else " AND ".join(f"({term})" for term in terms)


def select(fields: Iterable[str], object_name: str, *conditions: str, order: Sequence[str] = ()) -> str:
    """Return a whole query over one object; empty conditions are left out."""
    restriction = all_of(conditions)
    parts = ["SELECT", ", ".join(map(name, fields)), "FROM", name(object_name)]
    parts += ["WHERE", restriction] if restriction else []
    parts += ["ORDER BY", ", ".join(map(name, order))] if order else []
    return " ".join(parts)


def newest(fields: Iterable[str], object_name: str, *conditions: str, limit: int) -> str:
    """Return a query for the records of one object that were made last, the newest first."""
    return f"{select(fields, object_name, *conditions)} ORDER BY CreatedDate DESC, Id DESC LIMIT {limit:d}"


def count(object_name: str, *conditions: str) -> str:
    """Return a query that counts."""
    restriction = all_of(conditions)
    parts = ["SELECT COUNT() FROM", name(object_name)]
    parts += ["WHERE", restriction] if restriction else []
    return " ".join(parts)
