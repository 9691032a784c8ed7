"""Where `Settings` takes its values from: our variables, and config.toml below them. Values are handed on as they were written."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings, EnvSettingsSource, TomlConfigSettingsSource

from connector.domain.config.spelling import did_you_mean
from connector.domain.config.toml_text import read_toml_file
from connector.errors import Problem
from connector.ports import AnyAdapterPackage
from connector.settings.keys import KEYS, NAMED, PREFIX, SECTIONS, Key, KeyCatalogue, Loc, variable

Values = dict[str, Any]


class _Unshown(dict[str, Any]):
    """Values as they were written, secrets among them. PYDANTIC_SETTINGS_DEBUG has them logged: they must not be."""

    def __repr__(self) -> str:
        return "(not shown)"


class ConfigFile(TomlConfigSettingsSource):
    """config.toml. `SettingsError`: it is not there, or it is not TOML; `absent` is the remedy where there is none."""

    def __init__(self, settings: type[BaseSettings], path: Path, *, absent: str) -> None:
        self.path = path
        self._absent = absent
        super().__init__(settings, path)

    def _read_files(self, *_: object, **__: object) -> Values:
        return read_toml_file(self.path, str(self.path), absent=self._absent)

    def table(self, loc: Loc) -> Values | None:
        """Return the table at a place, an empty one where there is none; None: the file has something else there."""
        values: Any = self.init_kwargs
        for part in loc:
            values = values.get(part, {}) if isinstance(values, dict) else None
        return values if isinstance(values, dict) else None

    def give_way(self, places: Iterable[Loc]) -> None:
        """Leave out what variables set: a table of the admin's own names as a whole, a secret whichever way it is given."""
        for *table, key in places:
            values = self.table(tuple(table)) or {}
            values.pop(key, None)
            values.pop(key.removesuffix("_file") if key.endswith("_file") else f"{key}_file", None)

    def __call__(self) -> Values:
        """Return the values."""
        return _Unshown(super().__call__())


class Variables(EnvSettingsSource):
    """The variables that begin with AFTERWORD_: two underscores lead into a table, hyphens in names are underscores.

    Those that name no key are left out, and noted in `problems`.
    """

    def __init__(
        self,
        settings: type[BaseSettings],
        environ: Mapping[str, str],
        file: ConfigFile,
        adapters: Mapping[str, AnyAdapterPackage],
    ) -> None:
        self._environ = {name: text for name, text in environ.items() if name.startswith(PREFIX)}
        self._file = file
        self.keys = KeyCatalogue(adapters, self._adapters())
        self.origins: dict[Loc, str] = {}
        """The variable by which a place was set."""
        self.problems: list[Problem] = []
        super().__init__(settings, case_sensitive=True, env_prefix="", env_nested_delimiter="__")

    def __call__(self) -> Values:
        """Return the values in their tables, without tables that are none."""
        values = super().__call__()
        for section in NAMED.keys() & values.keys():
            for name in [name for name in values[section] if self._is_of_nothing(section, name, values[section][name])]:
                del values[section][name]
                self._note_unknown_table(section, name)
        return _Unshown(values)

    def _adapters(self) -> dict[str, object]:
        """Return which adapter each connection has: which keys there are depends on it."""
        tables = (self._file.table(("crm",)) or {}).items()
        of_file = {name: table.get("adapter") for name, table in tables if isinstance(table, dict)}
        places = {name: self._place(name) for name in self._environ}
        return of_file | {loc[1]: self._environ[name] for name, loc in places.items() if loc[::2] == ("crm", "adapter")}

    def _place(self, name: str) -> Loc:
        """Return the place that a variable means, with the admin's own names as the file has them."""
        parts = tuple(name.removeprefix(PREFIX).lower().split("__"))
        if parts[0] not in NAMED or len(parts) == 1:
            return parts
        names = {name.replace("-", "_"): name for name in self._file.table(parts[:1]) or {}}
        return (parts[0], names.get(parts[1], parts[1].replace("_", "-")), *parts[2:])

    def _load_env_vars(self) -> Mapping[str, Any]:
        """Return the values of the variables, by their places."""
        values = {}
        for name, text in sorted(self._environ.items()):
            loc = self._place(name)
            key = self.keys.exact(loc) or self._secret_of_file(loc)
            if key is None:
                if not self.keys.is_of_another_adapter(loc):
                    self._note_unknown(name, loc)
            elif key.kind == "list" and not text.strip():
                continue  # a blank variable is how deployments pass on what is not set; "nothing" is written []
            elif key.kind == "list" and not text.replace(",", "").strip():
                remedy = "Write elements between commas, [] for none of them, or leave the variable blank."
                self.problems.append(Problem(f"environment: {name}", "is a list of nothing.", remedy))
            elif self._file.table(loc[:-1]) is not None:  # or else what is there instead is told by its model
                values["__".join(loc)] = _value(text, key.kind)
                self.origins[loc] = f"environment: {name}"
                self._give_way_to(loc, values)
        return values

    def _give_way_to(self, loc: Loc, values: dict[str, Any]) -> None:
        """Of the two ways to give a secret the file counts: deployments pass the other one on as a blank."""
        if loc[-1].endswith("_file"):
            other = (*loc[:-1], loc[-1].removesuffix("_file"))
            values.pop("__".join(other), None)
            self.origins.pop(other, None)

    def _secret_of_file(self, loc: Loc) -> Key | None:
        """Return the secret that a ``*_file`` key stands for."""
        key = self.keys.exact((*loc[:-1], loc[-1].removesuffix("_file")))
        return key if key is not None and key.secret else None

    def _note_unknown(self, name: str, loc: Loc) -> None:
        if len(loc) > 1:
            known = self.keys.names_in(loc[:-1]) if loc[0] in SECTIONS else SECTIONS
            hint = did_you_mean(loc[-1 if loc[0] in SECTIONS else 0], known)
            remedy = f"Remove it or correct its name.{hint}"
        else:  # of others, such as what Kubernetes sets for a service called "afterword", or a slip
            secrets = {key.variable.replace("__", "_"): key.variable for key in KEYS.values() if key.secret}
            if name not in secrets:
                return
            remedy = f"Did you mean {secrets[name]}?"
        self.problems.append(Problem(f"environment: {name}", "is not a setting.", remedy))

    def _is_of_nothing(self, section: str, name: str, table: Values) -> bool:
        """Tell whether a table lacks the key without which it is none, and the file has no such table."""
        return NAMED[section] not in table and name not in (self._file.table((section,)) or {})

    def _note_unknown_table(self, section: str, name: str) -> None:
        where = next(origin for loc, origin in self.origins.items() if loc[:2] == (section, name))
        others = ", ".join(self._file.table((section,)) or {}) or "none"
        what = f"belongs to [{section}.{name}], which {self._file.path} does not have (it has: {others})."
        remedy = f"Correct the name, or set {variable((section, name, NAMED[section]))} too."
        self.problems.append(Problem(where, what, remedy))


def _value(text: str, kind: str) -> Any:
    """A variable holds text as it is, and numbers, lists and tables as TOML writes them; a list may also stand between commas."""
    if kind == "text":
        return text
    try:
        values = tomllib.loads(f"value = {text}")
    except ValueError:
        values = {}
    if list(values) == ["value"] and (kind != "list" or isinstance(values["value"], list)):
        return values["value"]
    return [part.strip() for part in text.split(",") if part.strip()] if kind == "list" else text


def laid_over(values: Values, above: Values) -> Values:
    """Return values with others over them, table by table, as `Settings` is given them."""
    tables = {
        key: laid_over(values[key], above[key])
        for key in above
        if isinstance(above[key], dict) and isinstance(values.get(key), dict)
    }
    return {**values, **above, **tables}
