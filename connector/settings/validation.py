"""What is wrong with the raw values: what pydantic finds in each key, and what no key can know alone."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic_core import ErrorDetails

from connector.domain.config.spelling import did_you_mean
from connector.domain.config.table import Missing, Wrong
from connector.domain.config.web_addresses import is_loopback
from connector.domain.crm_text import cut
from connector.settings.choices import Mode
from connector.settings.keys import SECTIONS, Loc, variable
from connector.settings.raw_values import RawValues, Values
from connector.settings.values import is_unprotected

_LONGEST_SHOWN: Final = 80
_DECIMAL_COMMA: Final = re.compile(r"\s*[-+]?\d+,\d+\s*")
_REMEDIES: Final[Mapping[str, str]] = {
    "string_type": "Write a text in quotes.",
    "int_type": "Write a whole number without quotes.",
    "float_type": "Write a number without quotes.",
    "finite_number": "Write a number.",
    "tuple_type": 'Write a list, for example ["one", "two"].',
    "dict_type": "Write keys and values.",
    "model_type": "Write it as a table, with its keys below.",
    "string_too_short": "Write the value, or remove the key.",
    "too_short": "Write the value, or remove the key.",
    "string_pattern_mismatch": "Use small letters, digits and hyphens, beginning with a letter.",
}
_WRONG_TYPE: Final = {
    "string_type": "a text",
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a number",
    "tuple_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
}
_SIGNS_IN: Final = {"password": "password", "oauth": "token"}
_NOT_HTTPS: Final = (
    "is not https.",
    "Write https://; http is accepted only for an address of this machine, or of a host that [web] allow_hosts names.",
)


def judge_details(written: RawValues, details: list[ErrorDetails]) -> None:
    """Turn pydantic's findings into problems."""
    for detail in details:
        loc = tuple(str(part) for part in detail["loc"])
        if loc not in written.unread:
            _judge_detail(written, loc, detail)


def _judge_detail(written: RawValues, loc: Loc, detail: ErrorDetails) -> None:
    if loc[-1] == "[key]":
        error = detail.get("ctx", {}).get("error")
        if not isinstance(error, Wrong):
            error = Wrong("is not a name that is allowed.", _REMEDIES["string_pattern_mismatch"])
        written.complain(loc[:-1], error.what, error.remedy)
        return
    if detail["type"] == "extra_forbidden":
        kind = "table" if len(loc) == 1 else "key"
        words = SECTIONS if len(loc) == 1 else written.keys.names_in(loc[:-1])
        written.complain(
            loc, f"is not a {kind} of this file.", f"Remove it or correct its name.{did_you_mean(loc[-1], words)}"
        )
        return
    if detail["type"] == "missing":
        written.complain(loc, "is missing.", _add(written, loc))
        return
    if isinstance(error := detail.get("ctx", {}).get("error"), Missing):
        written.complain(loc, error.what, f"{error.remedy} {_add(written, loc)}")
        return
    what, remedy = _what_and_remedy(detail, _at(written.values, loc))
    written.complain(_dotted(loc), f"{shown(written, loc)}{what}", remedy)


def _dotted(loc: Loc) -> Loc:
    """Where a list's element is wrong, its list is named."""
    return loc[:-1] if loc[-1].isdecimal() else loc


def _add(written: RawValues, loc: Loc) -> str:
    key = written.keys.covering(loc)
    file = f" (or {loc[-1]}_file)" if key and key.secret else ""
    return f"Add {loc[-1]}{file} under [{'.'.join(loc[:-1])}], or set {variable(loc)}."


def _what_and_remedy(detail: ErrorDetails, value: object) -> tuple[str, str]:
    context = detail.get("ctx", {})
    error = context.get("error")
    if isinstance(error, Wrong):
        return error.what, error.remedy
    kind = detail["type"]
    if kind in {"enum", "literal_error"}:
        options = tuple(re.findall(r"'([^']*)'", str(context["expected"])))
        return "is not one of the choices.", f"Write one of: {', '.join(options)}.{did_you_mean(str(value), options)}"
    if kind in _WRONG_TYPE:
        if isinstance(value, str) and _DECIMAL_COMMA.fullmatch(value):
            return (
                "holds a decimal comma.",
                f"Write a point: {value.strip().replace(',', '.')}, without quotes in a file.",
            )
        return f"is not {_WRONG_TYPE[kind]}.", _REMEDIES[kind]
    if "ge" in context:
        return "is out of range.", f"Write a number of at least {context['ge']:g}."
    return ("is empty." if kind in {"string_too_short", "too_short"} else "is not valid."), _REMEDIES.get(
        kind, "Correct it."
    )


def shown(written: RawValues, loc: Loc) -> str:
    """Return the value in front of what is said about it, unless it is a secret or might hold one."""
    key = written.keys.covering(loc)
    value = _at(written.values, loc)
    if key is None or key.secret or not isinstance(value, str | int | float | bool):
        return ""
    if not isinstance(value, str):
        return f"{json.dumps(value)} "
    if not value.isprintable() or (loc[:1] + loc[2:3] == ("follow_up", "notify") and "/" in value):
        return ""
    if "@" in value and (":" in value or "/" in value):
        return ""  # an address with a user name and perhaps a password in front
    return f'"{cut(value, _LONGEST_SHOWN)}" '


def _at(values: Values, loc: Loc) -> object:
    found: Any = values
    for part in loc:
        if isinstance(found, dict):
            found = found.get(part)
        elif isinstance(found, list) and part.isdecimal() and int(part) < len(found):
            found = found[int(part)]
        else:
            return None
    return found


# ── what no key can know alone ───────────────────────────────────────────────────────────────────────────────────────


def judge_whole(written: RawValues) -> None:
    """Check what depends on several keys. Works on the raw values, so that it is reported beside any other problem."""
    if "crm" not in written.values or written.values["crm"] == {}:
        written.complain(("crm",), "names no CRM.", "Add a table [crm.NAME] with an adapter and its credentials.")
    if isinstance(written.values.get("email"), dict):
        _judge_email(written, written.values["email"])
    _judge_webhooks(written)
    _judge_people(written, "deputies")
    _judge_people(written, "away")
    _judge_deputies(written)
    live = live_connections(written.values)
    if live:
        _judge_live(written, live[0])


def live_connections(values: Values) -> list[str]:
    """Return the names of the connections that are set live."""
    return [name for name, table in tables(values.get("crm")) if table.get("mode") == Mode.LIVE]


def tables(section: object) -> Iterator[tuple[str, Values]]:
    """Yield the tables of a section, with their names."""
    if isinstance(section, dict):
        yield from ((name, table) for name, table in section.items() if isinstance(table, dict))


def need(written: RawValues, loc: Loc, table: Values, names: tuple[str, ...], *, because: str) -> None:
    """Complain of each of these keys that is not in the table at `loc`."""
    for name in names:
        if name not in table:
            written.complain((*loc, name), "is missing.", f"{because} {_add(written, (*loc, name))}")


def _judge_email(written: RawValues, table: Values) -> None:
    if "password" in table and "oauth" in table:
        written.complain(("email", "oauth"), "stands beside a password.", "Keep one of the two.")
    if ("password" in table or "oauth" in table) and "username" not in table:
        written.complain(("email", "username"), "is missing.", _add(written, ("email", "username")))
    if "username" in table and not {"password", "oauth"} & set(table):
        written.complain(
            ("email", "password"), "is missing.", _add(written, ("email", "password")) + " Or remove username."
        )
    host = table.get("host")
    what = next((name for key, name in _SIGNS_IN.items() if key in table), None)
    if what and table.get("security") == "none" and not (isinstance(host, str) and is_loopback(host)):
        written.complain(
            ("email", "security"),
            f"{shown(written, ('email', 'security'))}would send the {what} unprotected.",
            'Write "starttls" or "tls".',
        )
    oauth = table.get("oauth")
    if isinstance(oauth, dict) and is_unprotected(oauth.get("token_url"), _allowed(written)):
        written.complain(("email", "oauth", "token_url"), *_NOT_HTTPS)
    if isinstance(oauth, dict) and not {"client_secret", "refresh_token"} & set(oauth):
        loc = ("email", "oauth", "client_secret")
        written.complain(loc, "is missing.", f"{_add(written, loc)} A refresh_token alone will do, too.")


def _judge_webhooks(written: RawValues) -> None:
    for name, table in tables(written.values.get("follow_up")):
        notified = table.get("notify")
        if isinstance(notified, list) and any(is_unprotected(one, _allowed(written)) for one in notified):
            written.complain(("follow_up", name, "notify"), *_NOT_HTTPS)


def _allowed(written: RawValues) -> list[str]:
    web = written.values.get("web")
    hosts = web.get("allow_hosts") if isinstance(web, dict) else None
    return [host for host in hosts if isinstance(host, str)] if isinstance(hosts, list) else []


def _judge_people(written: RawValues, section: str) -> None:
    """Capitals make no difference in addresses, so a person may stand in a table twice."""
    table = written.values.get(section)
    seen: set[str] = set()
    for key in table if isinstance(table, dict) else ():
        person = key.strip().lower()
        if person in seen:
            written.complain((section, key), "stands there twice.", "Keep one of the two.")
        seen.add(person)


def _judge_deputies(written: RawValues) -> None:
    """Nobody may stand in for themselves, nor by way of others: there would be nobody left."""
    table = written.values.get("deputies")
    if not isinstance(table, dict):
        return
    deputies = {key.strip().lower(): deputy.strip().lower() for key, deputy in table.items() if isinstance(deputy, str)}
    spelt = {key.strip().lower(): key for key in table}
    told: set[str] = set()
    for person in deputies:
        way = _way_back(deputies, person)
        if not way or person in told:
            continue
        told |= set(way)
        what = "is their own deputy." if len(way) == 1 else f"stands in a circle: {' → '.join([*way, way[0]])}."
        written.complain(("deputies", spelt[way[0]]), what, "Name somebody else, or remove the line.")


def _way_back(deputies: Mapping[str, str], person: str) -> tuple[str, ...]:
    """Return the people from a person over their deputies to themselves; none when the way does not lead back."""
    way = [person]
    while (deputy := deputies.get(way[-1])) is not None and deputy not in way:
        way.append(deputy)
    return tuple(way) if deputy == person else ()


def _judge_live(written: RawValues, connection: str) -> None:
    because = f"[crm.{connection}] is live."
    for section, names in (("web", ("public_url", "secret")), ("email", ("host", "from"))):
        table = written.values.get(section, {})
        if isinstance(table, dict):
            need(written, (section,), table, names, because=because)
    if not written.values.get("surveys"):
        remedy = f'{because} Add a table [surveys.NAME] with on = "case.closed", or set it back to mode = "observe".'
        written.complain(("surveys",), "has no survey.", remedy)
