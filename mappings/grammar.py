"""The parts that every section of a mapping file is made of: fields, conditions, facts, what is written."""

from datetime import datetime, timedelta
from typing import Any

from connector.domain.durations import parse_duration
from mappings.converters import FACTS
from mappings.spec import Ended, Facts, FieldMap, Operator, Test, Tests, WonDeal, WriteMap
from mappings.toml_reader import NAME, PATH, TomlTable, did_you_mean

OPERATORS: dict[str, Operator] = {
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
WON_DEAL_WITHIN = "won_deal_within"
_SPAN = 'Write it like "730d": a whole number of days.'
FIELD_TYPES = ("text", "number", "boolean", "date", "datetime", "picklist", "url", "reference")


def path(table: TomlTable, key: str, value: Any) -> str:
    """Return a CRM field's name or dotted path, '' (and a problem) when it cannot be one."""
    if isinstance(value, str) and PATH.fullmatch(value.strip()):
        return value.strip()
    table.problem(key, f"is {value!r}.", "Write the field's API name in quotes.")
    return ""


def _field_of(table: TomlTable, key: str, value: Any) -> FieldMap | None:
    if not isinstance(value, dict):
        name = path(table, key, value)
        return FieldMap(name, table.at(key)) if name else None
    below = table.below(key, value)
    found = _named(below)
    below.done()
    return found


def _named(table: TomlTable) -> FieldMap | None:
    """Read the keys that say which field, inside any table that names one."""
    if not table.has("field"):
        table.problem("field", "is missing.", "Write the field's API name in quotes.")
    name = path(table, "field", table.data["field"]) if "field" in table.data else ""
    converter = table.text("as") or None
    if converter and converter not in FACTS:
        table.problem("as", f"names no way to read a value: {converter!r}.", did_you_mean(converter, list(FACTS)))
    prefix = table.text("prefix")
    optional = table.flag("optional")
    if not name:
        return None
    return FieldMap(name, table.at("field"), optional=optional, converter=converter, prefix=prefix)


def a_field(table: TomlTable, key: str) -> FieldMap | None:
    """Return the field that a key names, if it is there."""
    return _field_of(table, key, table.data[key]) if table.has(key) else None


def some_fields(table: TomlTable, key: str, *, required: bool = False) -> tuple[FieldMap, ...]:
    """Return the field, or the list of fields, that a key names."""
    if required and key not in table.data:
        table.problem(key, "is missing.", "Write the field's API name in quotes.")
    found = [_field_of(table, place, value) for place, value in table.each(key)]
    return tuple(one for one in found if one is not None)


def facts(table: TomlTable) -> Facts:
    """Return what stands below ``facts``, by name."""
    below = table.table("facts")
    if below is None:
        return ()
    found = []
    for name in sorted(below.data):
        if not NAME.fullmatch(name):
            below.problem(name, "is no name for a fact.", "Use small letters, digits and _, a letter first.")
            continue
        one = a_field(below, name)
        if one is not None:
            found.append((name, one))
    return tuple(found)


# ── conditions ───────────────────────────────────────────────────────────────────────────────────────────────────────


def tests(table: TomlTable, key: str, *, required: bool = False) -> Tests:
    """Return the conditions of a key: one, or a list. A field's name alone asks if it is ticked; ``true`` asks nothing."""
    if required and key not in table.data:
        table.problem(key, "is missing.", 'Write a condition, such as { field = "Type", is = "Customer" }, or true.')
    if table.data.get(key) is True:
        table.has(key)
        return ()
    found = [_test_of(table, place, value) for place, value in table.each(key)]
    return tuple(one for one in found if one is not None)


def customers(table: TomlTable, key: str) -> Tests | WonDeal:
    """Return who is a customer: conditions on the account's fields, or the time within which a deal was won."""
    value = table.data.get(key)
    if not (isinstance(value, dict) and WON_DEAL_WITHIN in value):
        return tests(table, key, required=True)
    table.has(key)
    below = table.below(key, value)
    within = _span(below, WON_DEAL_WITHIN)
    below.done()
    return () if within is None else WonDeal(within)


def _span(table: TomlTable, key: str) -> timedelta | None:
    text = table.text(key, required=True)
    if not text:
        return None
    try:
        span = parse_duration(text)
    except ValueError as error:
        table.problem(key, f"is {text!r}: {error}.", _SPAN)
        return None
    if not span:
        table.problem(key, "is no time, so nobody would be a customer.", _SPAN)
    return span


def _test_of(table: TomlTable, key: str, value: Any) -> Test | None:
    if not isinstance(value, dict):
        name = path(table, key, value)
        return Test(FieldMap(name, table.at(key)), "=", (True,)) if name else None
    below = table.below(key, value)
    found = _comparison(below, required=True)
    below.done()
    return found


def _comparison(table: TomlTable, *, required: bool) -> Test | None:
    """Read one comparison out of a table's keys."""
    used = [word for word in OPERATORS if table.has(word)]
    if not used and not required and not table.has("field"):
        return None
    one = _named(table)
    if len(used) != 1:
        table.problem("", "needs one comparison.", f"Write one of {', '.join(OPERATORS)}.")
        return None
    values = _values(table, used[0])
    return None if one is None or values is None else Test(one, _operator(table, used[0]), values)


def _operator(table: TomlTable, word: str) -> Operator:
    return "!=" if word == "empty" and table.data[word] is False else OPERATORS[word]


def _values(table: TomlTable, word: str) -> tuple[Any, ...] | None:
    found = table.data[word]
    if word == "empty":
        return (None,) if table.value(word, bool) is not None else None
    if word in ("in", "not_in"):
        if isinstance(found, list) and found and all(_plain(item) for item in found):
            return tuple(found)
        table.problem(word, f"is {found!r}.", "Write a list of values.")
        return None
    if _plain(found):
        return (found,)
    table.problem(word, f"is {found!r}.", "Write one value: text, a number, true, false, or a time with its zone.")
    return None


def _plain(value: Any) -> bool:
    return isinstance(value, (str, int, float)) or (isinstance(value, datetime) and value.tzinfo is not None)


def ended(table: TomlTable) -> tuple[Ended, ...]:
    """Return how a kind ends: one table, or a list of them, one for each event."""
    if "ended" not in table.data:
        remedy = 'Write ended = { event = "closed", field = "IsClosed", is = true, at = "ClosedDate" }.'
        table.problem("ended", "is missing.", remedy)
    found: list[Ended] = []
    for key, value in table.each("ended"):
        if not isinstance(value, dict):
            table.problem(key, f"is {value!r}.", "Write a table with event, field, a comparison and at.")
            continue
        one = _event(table.below(key, value))
        if any(one.event == other.event for other in found):
            table.problem(key, f"names the event {one.event!r} again.", "Give each event a name of its own.")
        found.append(one)
    return tuple(found)


def _event(table: TomlTable) -> Ended:
    event = table.text("event", required=True)
    if event and not NAME.fullmatch(event):
        table.problem("event", f"is {event!r}.", "Use small letters, digits and _, a letter first.")
    first = _comparison(table, required=False)
    others = tests(table, "and")
    at = some_fields(table, "at", required=True)
    all_day = a_field(table, "all_day")
    table.done()
    return Ended(event, (first, *others) if first else others, at, all_day)


# ── what is written ──────────────────────────────────────────────────────────────────────────────────────────────────


def write_map(table: TomlTable, name: str) -> WriteMap | None:
    """Return one line of a [write.…] table."""
    table.has(name)
    value = table.data[name]
    if not isinstance(value, dict):
        field = path(table, name, value)
        return WriteMap(name, field, table.at(name)) if field else None
    below = table.below(name, value)
    found = _write_map(below, name)
    below.done()
    return found


def _write_map(table: TomlTable, name: str) -> WriteMap | None:
    if not table.has("field"):
        table.problem("field", "is missing.", "Write the field's API name in quotes.")
    field = path(table, "field", table.data["field"]) if "field" in table.data else ""
    kind = table.text("type") or None
    if kind and kind not in FIELD_TYPES:
        table.problem("type", f"is {kind!r}.", did_you_mean(kind, list(FIELD_TYPES)))
    label = table.text("label") or None
    if label and not kind:
        table.problem("type", "is missing.", f"A field with a label needs one of {', '.join(FIELD_TYPES)}.")
    options = table.texts("options")
    if kind == "picklist" and label and not options and name != "cause":  # its options are the causes of config.toml
        table.problem("options", "is missing.", "List the options of the picklist.")
    sizes = {key: _size(table, key) for key in ("length", "precision", "scale")}
    unique, help_text, values = table.flag("unique"), table.text("help"), _translations(table)
    own = table.flag("own")
    if not field:
        return None
    return WriteMap(
        name,
        field,
        table.at("field"),
        label=label,
        type=kind,
        options=options,
        unique=unique,
        help=help_text,
        values=values,
        own=own,
        **sizes,
    )


def _size(table: TomlTable, key: str) -> int | None:
    found = table.value(key, int)
    if found is not None and not (0 if key == "scale" else 1) <= found <= 131_072:
        table.problem(key, f"is {found}.", "Write a number that a CRM can have.")
        return None
    return found


def _translations(table: TomlTable) -> dict[str, str]:
    below = table.table("values")
    if below is None:
        return {}
    return {word: below.text(word) for word in below.data}
