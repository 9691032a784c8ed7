"""Without the extra `demo` everything but the demo works, and the demo says what to install."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from connector.cli.demo import PACKAGES

ROOT = Path(__file__).resolve().parents[3]
BLOCKER = f"""
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {sorted(PACKAGES)}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocker())
"""
IMPORT_EVERYTHING_ELSE = """
import importlib, pkgutil
import adapters, connector, mappings

def import_all(package):
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        if module.name in ("connector.demo", "adapters.sandbox", "connector.store.migrations"):
            continue
        imported = importlib.import_module(module.name)
        if module.ispkg:
            import_all(imported)

for package in (adapters, connector, mappings):
    import_all(package)
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment in which the packages of the extra cannot be imported."""
    (tmp_path / "sitecustomize.py").write_text(BLOCKER, encoding="utf-8")
    return {**os.environ, "PYTHONPATH": str(tmp_path)}


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=environment["PYTHONPATH"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_the_extra_has_what_the_command_looks_for() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert {re.split(r"[^\w-]", requirement)[0] for requirement in extras["demo"]} == PACKAGES


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_the_environment_of_these_tests_lacks_the_packages(environment: dict[str, str], package: str) -> None:
    assert f"No module named '{package}'" in run(environment, "-c", f"import {package}").stderr


@pytest.mark.parametrize("options", [[], ["--once"]])
def test_the_demo_says_what_to_install(environment: dict[str, str], options: list[str]) -> None:
    ended = run(environment, "-m", "connector", "demo", *options)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert "afterword demo: the demo needs the package " in ended.stderr
    assert "pip install '.[demo]'" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (Path(environment["PYTHONPATH"]) / "demo").exists()


def test_everything_but_the_demo_is_imported(environment: dict[str, str]) -> None:
    ended = run(environment, "-c", IMPORT_EVERYTHING_ELSE)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("command", ["check", "sync", "run"])
def test_a_command_gets_as_far_as_its_configuration(environment: dict[str, str], command: str) -> None:
    """There is none here, and the command says so."""
    ended = run(environment, "-m", "connector", command)
    assert ended.returncode == 2
    assert "config.toml" in ended.stdout + ended.stderr
    assert "No module named" not in ended.stderr
