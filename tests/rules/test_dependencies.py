"""Other people's packages: pyproject.toml names what is imported, and each is used for what it is for."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from source_code import ROOT, imports_of, name_of, sources, tree, within

from connector.cli.demo import PACKAGES as DEMO_PACKAGES

PRODUCT = ("connector", "adapters", "mappings")
DEMO = ("connector.demo", "adapters.sandbox")
VERBS = {".post", ".put", ".patch", ".head", ".request", ".urlopen"}
"""Methods of sessions that make a request; `get`, `delete` and `options` are methods of much else."""
DEMO_FOLDERS = ("connector/demo/", "adapters/sandbox/")

LOADED_BY_OTHERS = {
    "psycopg": ("connector/settings", "postgresql+psycopg://"),  # SQLAlchemy loads it for such an address
    "python-multipart": ("connector/web", ".form("),  # Starlette reads forms with it
    "tzdata": ("connector/settings", "ZoneInfo("),  # zoneinfo looks there where the machine has no time zones
}
"""Packages that the product needs and does not import: where the place is that makes another package load them, and its text."""

TOOLS = {
    "mypy": ("Makefile", "$(BIN)/mypy"),
    "pre-commit": (".pre-commit-config.yaml", "repos:"),
    "pytest-timeout": ("pyproject.toml", "timeout = "),
    "pytest-xdist": ("Makefile", "--dist loadfile"),
    "ruff": ("Makefile", "$(BIN)/ruff check"),
    "setuptools": ("pyproject.toml", 'build-backend = "setuptools.build_meta"'),
    "types-requests": ("pyproject.toml", "[tool.mypy]"),
}
"""Packages of developers that nothing imports, with the place that calls them."""

USED = (
    ("simple_salesforce", "adapters/salesforce", "Salesforce", "token_login", "quote_soql_value", "._call_salesforce"),
    ("hubspot", "adapters/hubspot", "HubSpot", ".call_api"),
    ("requests", "adapters/salesforce", "Session", "HTTPAdapter"),
    ("requests", "adapters/email", ".post"),
    ("requests", "adapters/webhook", ".post"),
    ("requests", "connector/runtime", "Session", "HTTPAdapter"),
    ("tenacity", "adapters/salesforce", "Retrying", "stop_after_attempt", "wait_exponential"),
    ("tenacity", "adapters/hubspot", "Retrying", "stop_after_attempt", "wait_exponential"),
    ("tenacity", "connector/store", "Retrying"),
    ("pydantic_settings", "connector/settings", "BaseSettings", "EnvSettingsSource", "TomlConfigSettingsSource"),
    ("apscheduler", "connector/app", "BackgroundScheduler", ".add_job"),
    ("pytest", "tests", "raises", "fixture", "parametrize"),
    ("responses", "tests/adapters", "activate", "post", "RequestsMock"),
)
"""What of a package some folder calls or subclasses; what begins with a dot is a method of the package's objects."""


@cache
def project() -> Mapping[str, frozenset[str]]:
    """Return the distributions that pyproject.toml names: `main`, and those of each extra."""
    metadata = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = {"main": metadata["dependencies"], **metadata["optional-dependencies"]}
    return {group: frozenset(map(distribution, lines)) - {"afterword"} for group, lines in groups.items()}


def distribution(requirement: str) -> str:
    """Return the normalised name in a requirement or in a distribution's metadata."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement)[0]).lower()


def imported_names(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield the top module of each absolute import, what is imported from it, and the name that it has in the file."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                yield top, "", alias.asname or top
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                yield node.module.partition(".")[0], alias.name, alias.asname or alias.name


@cache
def installed() -> Mapping[str, list[str]]:
    """Return the distributions of each top module in this environment."""
    return packages_distributions()


@cache
def imported_by(path: Path) -> frozenset[str]:
    """Return the distributions of others whose modules a file imports."""
    tops = {top for top, *_ in imported_names(path)} - set(sys.stdlib_module_names)
    return frozenset(distribution(name) for top in tops for name in installed().get(top, ())) - {"afterword"}


def unnamed(folders: tuple[str, ...], *groups: str) -> list[str]:
    """Return where files of some folders import what these groups of pyproject.toml do not name."""
    named = frozenset().union(*(project()[group] for group in groups))
    return [
        f"{name_of(path)} imports {name}"
        for folder in folders
        for path in sources(folder)
        for name in sorted(imported_by(path) - named)
    ]


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_pyproject_names_what_the_product_imports() -> None:
    assert unnamed(PRODUCT, "main", "demo") == []


def test_pyproject_names_what_the_tests_import() -> None:
    assert unnamed(("tests",), "main", "demo", "dev") == []


def test_the_tests_have_the_extra_of_the_demo() -> None:
    metadata = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "afterword[demo]" in metadata["optional-dependencies"]["dev"]
    assert "--extra dev" in (ROOT / "Makefile").read_text(encoding="utf-8"), "requirements.lock is for them"


@pytest.mark.parametrize("group", ["main", "demo"])
def test_the_product_imports_what_pyproject_names(group: str) -> None:
    imported = frozenset().union(*(imported_by(path) for folder in PRODUCT for path in sources(folder)))
    assert sorted(project()[group] - imported) == (sorted(LOADED_BY_OTHERS) if group == "main" else [])


def test_developers_use_what_pyproject_names() -> None:
    imported = frozenset().union(*(imported_by(path) for path in sources("tests")))
    assert sorted(project()["dev"] - imported - set(TOOLS)) == []
    assert set(TOOLS) <= project()["dev"]


@pytest.mark.parametrize(("package", "place"), [*LOADED_BY_OTHERS.items(), *TOOLS.items()])
def test_what_nothing_imports_is_called_where_the_rule_says(package: str, place: tuple[str, str]) -> None:
    path, text = ROOT / place[0], place[1]
    read = sources(place[0]) if path.is_dir() else (path,)
    assert any(text in file.read_text(encoding="utf-8") for file in read if file != Path(__file__).resolve()), package


# ── the extra of the demo ────────────────────────────────────────────────────────────────────────────────────────────


def test_the_demo_and_its_sandbox_alone_import_what_their_extra_has() -> None:
    assert project()["demo"] == DEMO_PACKAGES
    stray = [
        f"{name_of(path)} imports {name}"
        for folder in PRODUCT
        for path in sources(folder)
        if not name_of(path).startswith(DEMO_FOLDERS)
        for name in sorted(imported_by(path) & DEMO_PACKAGES)
    ]
    assert stray == []


def test_one_function_of_the_command_line_imports_the_demo_and_nothing_else_does() -> None:
    importing: list[str] = []
    for path in (path for folder in PRODUCT for path in sources(folder)):
        if name_of(path).startswith(DEMO_FOLDERS):
            continue
        at_top = {id(node) for node in tree(path).body}
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Import | ast.ImportFrom) and any(
                within(name, *DEMO) for name in imports_of(node, path)
            ):
                importing.append(f"{name_of(path)}, {'at its top' if id(node) in at_top else 'in a function'}")
    assert importing == ["connector/cli/demo.py, in a function"]


# ── real use ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def used(path: Path, top: str) -> Iterator[str]:
    """Yield what a file calls, subclasses or decorates with of what it imports from a package, and methods that it calls."""
    bound = {name for imported, _, name in imported_names(path) if imported == top}
    if not bound:
        return
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield from _part(node.func, bound)
        elif isinstance(node, ast.ClassDef):
            yield from (part for base in node.bases for part in _part(base, bound))
        elif isinstance(node, ast.FunctionDef):
            yield from (part for mark in node.decorator_list for part in _part(mark, bound))


def _part(node: ast.expr, bound: set[str]) -> Iterator[str]:
    root = node
    while isinstance(root, ast.Attribute):
        root = root.value
    if isinstance(root, ast.Name) and root.id in bound:
        yield node.attr if isinstance(node, ast.Attribute) else root.id


def methods(folder: str) -> set[str]:
    """Return the methods that are called in a folder."""
    return {method for path in sources(folder) for method in methods_in(path)}


def methods_in(path: Path) -> set[str]:
    """Return the methods that are called in a file."""
    calls = (node.func for node in ast.walk(tree(path)) if isinstance(node, ast.Call))
    return {f".{called.attr}" for called in calls if isinstance(called, ast.Attribute)}


@pytest.mark.parametrize(("top", "folder", "names"), [(top, folder, names) for top, folder, *names in USED])
def test_a_package_is_used_for_what_it_is_for(top: str, folder: str, names: list[str]) -> None:
    importing = [path for path in sources(folder) if any(imported == top for imported, *_ in imported_names(path))]
    assert importing, f"{folder} does not import {top}"
    seen = {part for path in importing for part in used(path, top)}
    assert sorted(set(names) - seen - methods(folder)) == []


def test_no_call_goes_past_the_packages_of_the_vendors() -> None:
    """Requests has a session to hand over and errors to catch; the vendors' packages make every request with it."""
    verbs = {"get", "post", "put", "patch", "delete", "head", "options", "request", "urlopen"}
    past = [
        f"{name_of(path)} calls {top}.{part}"
        for folder in ("adapters/salesforce", "adapters/hubspot")
        for path in sources(folder)
        for top in ("requests", "urllib3", "urllib", "http")
        for part in used(path, top)
        if part in verbs
    ]
    assert past == []
    # A session would do for it too; a token is asked for by one, since the package of Salesforce does not.
    assert methods("adapters/hubspot") & VERBS == set()
    posting = [name_of(path) for path in sources("adapters/salesforce") if methods_in(path) & VERBS]
    assert posting == ["adapters/salesforce/http/auth.py"]
