"""A folder with a config.toml in it, and a way to load it."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from connector.app.adapter_packages import installed_adapters
from connector.errors import Problem, SettingsError
from connector.settings import Settings, load

Load = Callable[..., Settings]

HUB = '[crm.hub]\nadapter = "hubspot"\naccess_token = "pat-na1-0123456789"\n'


@pytest.fixture
def read(tmp_path: Path) -> Load:
    def read(text: str = HUB, environ: Mapping[str, str] | None = None) -> Settings:
        path = tmp_path / "config.toml"
        path.write_text(text, encoding="utf-8")
        return load(path, environ=environ or {}, adapters=installed_adapters())

    return read


@pytest.fixture
def problems(read: Load, tmp_path: Path) -> Callable[..., tuple[Problem, ...]]:
    """Load a file that must be refused, and return what was said, the folder cut from the places."""

    def problems(text: str, environ: Mapping[str, str] | None = None) -> tuple[Problem, ...]:
        with pytest.raises(SettingsError) as caught:
            read(text, environ)
        cut = f"{tmp_path}/"
        return tuple(Problem(p.where.removeprefix(cut), p.what, p.remedy) for p in caught.value.problems)

    return problems
