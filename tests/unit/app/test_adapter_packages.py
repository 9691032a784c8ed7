"""Adapters of others, as they are installed: one that cannot be used harms those alone who use it, and is named."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.app.adapter_packages import installed_adapters
from connector.errors import SettingsError
from connector.settings import load

HUB = '[crm.hub]\nadapter = "hubspot"\naccess_token = "t"\n'


@pytest.fixture(autouse=True)
def _packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install a package that cannot be imported, and one that was made for another version."""
    metadata = tmp_path / "afterword_odd-2.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: afterword-odd\nVersion: 2.0\n")
    (metadata / "entry_points.txt").write_text(
        "[afterword.adapters]\nbroken = afterword_no_such_module:adapter\nelderly = os:getcwd\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    installed_adapters.cache_clear()
    yield
    installed_adapters.cache_clear()


def read(folder: Path, text: str) -> None:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    load(path, environ={}, adapters=installed_adapters())


def test_an_adapter_that_nobody_uses_is_not_imported(tmp_path: Path) -> None:
    assert {"broken", "elderly", "hubspot", "salesforce"} <= set(installed_adapters())
    read(tmp_path, HUB)


@pytest.mark.parametrize(("name", "what"), [("broken", "cannot be imported"), ("elderly", "is no AdapterPackage")])
def test_an_adapter_that_cannot_be_used_is_named_with_its_package(name: str, what: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, f'{HUB}[crm.x]\nadapter = "{name}"\n')
    (problem,) = caught.value.problems
    assert name in problem.where
    assert "afterword-odd 2.0" in problem.where
    assert what in problem.what
    assert "Install a version" in problem.remedy


@pytest.mark.parametrize(
    ("line", "wrong"),
    [('adapter = "salesforc"', ["adapter"]), ('adapter = "hubspot"\nnonsense = "x"', ["access_token", "nonsense"])],
)
def test_one_that_nobody_uses_does_not_hide_a_slip(line: str, wrong: list[str], tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, f"{HUB}[crm.x]\n{line}\n")
    assert sorted(problem.where.rpartition(": ")[2] for problem in caught.value.problems) == [
        f"crm.x.{key}" for key in wrong
    ]
