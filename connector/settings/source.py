"""Where `Settings` takes its values from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from connector.ports import AdapterPackage
from connector.settings.connections import with_configs
from connector.settings.model import Settings
from connector.settings.raw_values import Values, written


class _Unshown(dict[str, Any]):
    """Raw values, secrets among them. PYDANTIC_SETTINGS_DEBUG has every source's values logged: these must not be."""

    def __repr__(self) -> str:
        return "(not shown)"


class ConfigSource(PydanticBaseSettingsSource):
    """config.toml with our variables laid over it, and the files of secrets read.

    It hands on whatever was written: what is no setting must be refused, and a wrong value be named with its place.
    """

    def __init__(
        self,
        path: Path,
        values: Values,
        environ: Mapping[str, str],
        adapters: Mapping[str, AdapterPackage[Any]],
    ) -> None:
        super().__init__(Settings)
        self.path = path.absolute()
        self.written = written(values, environ, name=str(path), base=self.path.parent, adapters=adapters)
        self.connections, self.wrong_in_connections = with_configs(self.written, adapters)
        """[crm] with the keys of the adapters' own as their models, and what these find wrong."""
        self.ignores_mail = False
        """Set while [email] is unfinished and may be so."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return one field's raw value, the key it stands under, and that it needs no decoding."""
        key = field.alias or field_name
        return self().get(key), key, False

    def __call__(self) -> Values:
        """Return the raw values of all keys that were written."""
        crm = {"crm": self.connections} if "crm" in self.written.values else {}
        values = _Unshown(self.written.values, path=self.path, **crm)
        return _Unshown(values, email=None) if self.ignores_mail else values
