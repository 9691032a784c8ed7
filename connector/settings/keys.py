"""Every key of config.toml, read off the model: what the file, the environment and their errors are checked against."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from connector.settings.model import Settings

PREFIX: Final = "AFTERWORD_"
ANY: Final = "NAME"
"""Stands for the admin's own name in the path of a key."""

Loc = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """One key. `kind` is ``text``, ``number``, ``list`` or ``table``."""

    loc: Loc
    kind: str
    secret: bool
    required: bool

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return variable(self.loc)


def variable(loc: Loc) -> str:
    """Return the name of the environment variable for a place in config.toml."""
    return PREFIX + "__".join(part.replace("-", "_").upper() for part in loc)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    for part in (annotation, *get_args(annotation)):
        if isinstance(part, type) and issubclass(part, BaseModel):
            yield part


def _kind(annotation: Any) -> str:
    origins = {get_origin(part) or part for part in (annotation, *get_args(annotation))}
    if tuple in origins and not hasattr(annotation, "_fields"):
        return "list"
    if dict in origins:
        return "table"
    return "number" if origins & {int, float} else "text"


def _secret(annotation: Any) -> bool:
    return annotation is SecretStr or (get_origin(annotation) is not tuple and "SecretStr" in str(annotation))


def _keys(model: type[BaseModel], under: Loc) -> Iterator[Key]:
    for name, info in model.model_fields.items():
        yield from _key(info, (*under, info.alias or name))


def _key(info: FieldInfo, loc: Loc) -> Iterator[Key]:
    annotation = info.annotation
    for model in _models(annotation):
        yield from _keys(model, (*loc, ANY) if get_origin(annotation) is dict else loc)
        return
    yield Key(loc, _kind(annotation), _secret(annotation), info.is_required())


KEYS: Final = {key.loc: key for key in _keys(Settings, ()) if key.loc != ("path",)}
NAMED: Final = {"crm": "adapter", "surveys": "on", "follow_up": "when"}
"""Tables of tables under the admin's own names, each with the key that one of them cannot be without."""
TABLES: Final = frozenset(loc[:-1] for loc in KEYS)
SECTIONS: Final = tuple(dict.fromkeys(loc[0] for loc in KEYS))


def general(loc: Loc) -> Loc:
    """Return the place with the admin's own name replaced by `ANY`."""
    return (loc[0], ANY, *loc[2:]) if len(loc) > 1 and loc[0] in NAMED else loc


def key_at(loc: Loc) -> Key | None:
    """Return the key at a place, or None where config.toml has none. A list's element counts as its list."""
    place = general(loc)
    return next((KEYS[place[:n]] for n in range(len(place), 0, -1) if place[:n] in KEYS), None)


def names_in(table: Loc) -> tuple[str, ...]:
    """Return what may stand in a table: its keys, its sub-tables, and for each secret the key that names a file."""
    place = general(table)
    below = [loc for loc in KEYS if loc[: len(place)] == place and len(loc) > len(place)]
    found = dict.fromkeys(loc[len(place)] for loc in below)
    files = [f"{loc[-1]}_file" for loc in below if len(loc) == len(place) + 1 and KEYS[loc].secret]
    return (*found, *files)
