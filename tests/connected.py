"""Adapters made from keys as they stand in [crm.NAME], as the product makes them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connector.app.adapter_packages import installed_adapters
from connector.errors import Problem, SettingsError
from connector.ports import AdapterPackage, AdapterTools, Clock
from connector.settings import load


def connected(package: AdapterPackage[Any], name: str, keys: Mapping[str, Any], clock: Clock, **tools: Any) -> Any:
    """Return the adapter of a connection; `tools` are those of `AdapterTools`."""
    return package.connect(name, package.config.model_validate(keys), AdapterTools(clock, **tools))


def wrong_keys(folder: Path, adapter: str, keys: Mapping[str, str]) -> tuple[Problem, ...]:
    """Return what is wrong with a connection called `acme` of a file called config.toml."""
    lines = ["[crm.acme]", *(f"{key} = {json.dumps(value)}" for key, value in {"adapter": adapter, **keys}.items())]
    path = folder / "config.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    try:
        load(path, environ={}, adapters=installed_adapters())
    except SettingsError as error:
        return tuple(Problem(p.where.removeprefix(f"{folder}/"), p.what, p.remedy) for p in error.problems)
    return ()
