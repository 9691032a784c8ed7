"""Every key of config.toml, read off the models: what the file, the environment and their errors are checked against."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from connector.domain.config.table import is_secret
from connector.ports import AdapterConfig, AnyAdapterPackage
from connector.settings.model import Settings, is_key_of_any, usable_configs

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


def _keys(model: type[BaseModel], under: Loc) -> Iterator[Key]:
    for name, info in model.model_fields.items():
        key = info.alias or name
        if not key.startswith("("):  # what is filled in by us is no key
            yield from _key(info, (*under, key))


def _key(info: FieldInfo, loc: Loc) -> Iterator[Key]:
    annotation = info.annotation
    for model in _models(annotation):
        yield from _keys(model, (*loc, ANY) if get_origin(annotation) is dict else loc)
        return
    yield Key(loc, _kind(annotation), is_secret(annotation))


KEYS: Final = {key.loc: key for key in _keys(Settings, ())}
"""All but those that adapters have of their own."""
NAMED: Final = {"crm": "adapter", "surveys": "on", "follow_up": "when"}
"""Tables of tables under the admin's own names, each with the key that one of them cannot be without."""
SECTIONS: Final = tuple(dict.fromkeys(loc[0] for loc in KEYS))


def general(loc: Loc) -> Loc:
    """Return the place with the admin's own name replaced by `ANY`."""
    return (loc[0], ANY, *loc[2:]) if len(loc) > 1 and loc[0] in NAMED else loc


def adapter_keys(config: type[AdapterConfig]) -> Mapping[Loc, Key]:
    """Return the keys that an adapter has of its own, by their places."""
    return {key.loc: key for key in _keys(config, ("crm", ANY))}


@dataclass(frozen=True, slots=True)
class KeyCatalogue:
    """The keys of one config.toml: ours, and in each connection those of its adapter."""

    adapters: Mapping[str, AnyAdapterPackage]
    connections: Mapping[str, object]
    """What each connection has written for its adapter."""

    def exact(self, loc: Loc) -> Key | None:
        """Return the key at a place, or None where config.toml has none."""
        place = general(loc)
        return KEYS.get(place) or (self.of_connection(loc[1]).get(place) if _in_connection(loc) else None)

    def is_of_another_adapter(self, loc: Loc) -> bool:
        """Tell whether what stands at a place in a connection is a key of another adapter alone, which is passed over."""
        return _in_connection(loc) and self.exact(loc) is None and is_key_of_any(loc[2], self.adapters)

    def covering(self, loc: Loc) -> Key | None:
        """Return the key at a place, or the one whose value it is a part of: a list's element counts as its list."""
        return next((key for n in range(len(loc), 0, -1) if (key := self.exact(loc[:n]))), None)

    def names_in(self, table: Loc) -> tuple[str, ...]:
        """Return what may stand in a table: its keys, its sub-tables, and for each secret the key that names a file."""
        place = general(table)
        keys = {**KEYS, **self.of_connection(table[1])} if len(table) > 1 and table[0] == "crm" else KEYS
        below = [loc for loc in keys if loc[: len(place)] == place and len(loc) > len(place)]
        names = dict.fromkeys(loc[len(place)] for loc in below if loc[len(place)] != ANY)
        files = [f"{loc[-1]}_file" for loc in below if len(loc) == len(place) + 1 and keys[loc].secret]
        return (*names, *files)

    def of_connection(self, name: str) -> Mapping[Loc, Key]:
        """Return the keys that a connection's adapter has of its own; those of all adapters where it is not known which it is."""
        adapter = self.connections.get(name)
        if isinstance(adapter, str) and adapter in self.adapters:
            return adapter_keys(self.adapters[adapter].config)
        return {loc: key for config in usable_configs(self.adapters) for loc, key in adapter_keys(config).items()}


def _in_connection(loc: Loc) -> bool:
    return len(loc) > 2 and loc[0] == "crm"
