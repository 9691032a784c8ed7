"""[crm.NAME]: the keys that every connection has, beside those of its adapter's own, which the adapter's model judges."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from connector.ports import COMMON_KEYS, AdapterConfig, AdapterPackage, Missing
from connector.settings.choices import Mode
from connector.settings.keys import adapter_keys
from connector.settings.raw_values import RawValues, Values
from connector.settings.validation import need, tables

CONFIG: Final = "(config)"
"""Under this name, which no key has, `Connection` is handed its adapter's keys."""


def with_configs(written: RawValues, adapters: Mapping[str, AdapterPackage[Any]]) -> tuple[Any, list[ErrorDetails]]:
    """Return [crm] with the adapters' own keys read by their models, and what these find wrong, placed in config.toml."""
    section = written.values.get("crm")
    details: list[ErrorDetails] = []
    if not isinstance(section, dict):
        return section, details
    result: Values = {}
    for name, table in section.items():
        if not isinstance(table, dict):
            result[name] = table
            continue
        common = {key: value for key, value in table.items() if key in COMMON_KEYS}
        own = {key: value for key, value in table.items() if key not in COMMON_KEYS}
        adapter = table.get("adapter")
        if not isinstance(adapter, str) or adapter not in adapters:
            result[name] = _of_unknown_adapter(own, adapters) | common | {CONFIG: AdapterConfig()}
            continue
        config, wrong = _read(adapters[adapter].config, own, written)
        result[name] = common | {CONFIG: config}
        details += [{**detail, "loc": ("crm", name, *detail["loc"])} for detail in wrong]
    return result, details


def _of_unknown_adapter(own: Values, adapters: Mapping[str, AdapterPackage[Any]]) -> Values:
    """Return the keys that no adapter has: of the others, it cannot be said whether they are right."""
    known = {loc[2] for package in adapters.values() for loc in adapter_keys(package.config)}
    return {key: value for key, value in own.items() if key not in known}


def _read(model: type[AdapterConfig], own: Values, written: RawValues) -> tuple[AdapterConfig, list[ErrorDetails]]:
    try:
        return model.model_validate(own, context={"base": written.base}), []
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        # The adapter knows better what is needed than that a field is required: the first word on a place is taken.
        return AdapterConfig(), sorted(details, key=lambda detail: not _is_of_adapter(detail))


def _is_of_adapter(detail: ErrorDetails) -> bool:
    return isinstance(detail.get("ctx", {}).get("error"), Missing)


def judge_connections(written: RawValues, adapters: Mapping[str, AdapterPackage[Any]]) -> None:
    """Check what connections need of other tables."""
    for name, table in tables(written.values.get("crm")):
        adapter = table.get("adapter")
        if not isinstance(adapter, str) or adapter not in adapters or table.get("mode") == Mode.LIVE:
            continue  # what is live needs the secret anyhow
        if adapters[adapter].config.exchanges_token(table):
            web = written.values.get("web", {})
            because = f"It encrypts the tokens of [crm.{name}], which change."
            need(written, ("web",), web if isinstance(web, dict) else {}, ("secret",), because=because)
