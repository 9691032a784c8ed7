"""Changing a mapping file as an admin would: everything that is not changed, comments too, stays as it was written.

A key is dotted, as in messages: ``account.facts.industry``, ``write.account.mood``. The functions return the new text; read it with
`mappings.loading.load` before it is kept.
"""

from collections.abc import MutableMapping
from typing import Any

import tomlkit

from connector.domain.config.toml_text import read_toml
from connector.errors import Problem, SettingsError
from mappings.fields import PATH

Document = tomlkit.TOMLDocument
Place = MutableMapping[str, Any]


def set_field(text: str, key: str, crm_field: str) -> str:
    """Let a key name another CRM field, or add the key to its table. What else the line says (label, options …) stays.

    But for `own`: the word was given for the values of one field, and covers no other.
    """
    if not PATH.fullmatch(crm_field):
        raise _refused(key, f"{crm_field!r} is no name of a field.", "Write the field's API name.")
    document = _parse(text)
    table, last = _place(document, key)
    line = table.get(last)
    if isinstance(line, MutableMapping):
        if "field" not in line:
            raise _refused(key, "is no field.", "Name the key of one field.")
        if line["field"] != crm_field:
            line.pop("own", None)
        line["field"] = crm_field
    else:
        table[last] = crm_field
    return tomlkit.dumps(document)


def set_own(text: str, key: str) -> str:
    """Say of a line of a [write.…] table that whatever stands in its field may be overwritten."""
    document = _parse(text)
    table, last = _place(document, key)
    line = table.get(last)
    if isinstance(line, MutableMapping):
        line["own"] = True
    elif isinstance(line, str):
        table[last] = tomlkit.inline_table()
        table[last].update({"field": str(line), "own": True})
    else:
        raise _refused(key, "is no field.", "Name the key of one field.")
    return tomlkit.dumps(document)


def drop(text: str, key: str) -> str:
    """Take a key out: then that field is neither read nor written any more."""
    document = _parse(text)
    table, last = _place(document, key)
    if last not in table:
        raise _refused(key, "is not there.", "Name a key of the file.")
    del table[last]
    return tomlkit.dumps(document)


def _parse(text: str) -> Document:
    read_toml(text, "mapping")
    return tomlkit.parse(text)


def _place(document: Document, key: str) -> tuple[Place, str]:
    """Return the table that a key stands in, and the key's last word."""
    *tables, last = key.split(".")
    place: Place = document
    for name in tables:
        part = place.get(name)
        if not isinstance(part, MutableMapping):
            raise _refused(key, f"there is no table {name!r}.", "Name a key of the file.")
        place = part
    return place, last


def _refused(key: str, what: str, remedy: str) -> SettingsError:
    return SettingsError([Problem(key, what, remedy)])
