"""What is installed is whole: a file that the product reads at run time must be in the package, not only in the checkout."""

import subprocess
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from connector.app.adapter_packages import GROUP, installed_adapters
from connector.ports import AdapterPackage

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("connector", "adapters", "mappings")


@pytest.fixture
def pyproject() -> dict[str, Any]:
    """The project's metadata."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def data_files() -> list[str]:
    """Return every file under version control in the packages that is not Python."""
    if not (ROOT / ".git").exists():
        pytest.skip("not applicable: this is no checkout")
    listed = subprocess.run(["git", "ls-files", "-z", *PACKAGES], cwd=ROOT, capture_output=True, check=True).stdout
    return [name for name in listed.decode().split("\0") if name and not name.endswith(".py")]


def test_every_data_file_is_installed(pyproject: dict[str, Any]) -> None:
    patterns = pyproject["tool"]["setuptools"]["package-data"]["*"]
    found = data_files()
    assert any(name.endswith("salesforce.toml") for name in found)
    assert [name for name in found if not any(fnmatch(Path(name).name, pattern) for pattern in patterns)] == []


def test_every_registered_adapter_brings_all_that_it_has_of_its_own(pyproject: dict[str, Any]) -> None:
    named = pyproject["project"]["entry-points"][GROUP]
    installed = installed_adapters()
    assert set(named) <= set(installed)
    for name in named:
        package = installed[name]
        assert isinstance(package, AdapterPackage)
        assert tomllib.loads(package.default_mapping.read())
        tomllib.loads(package.init_snippet)
