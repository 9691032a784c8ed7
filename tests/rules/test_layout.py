"""The layout: a newcomer finds any thing by its name, and no folder is too full to be read at a glance."""

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("connector", "adapters", "mappings")
MOST_IN_CONNECTOR, MOST_ELSEWHERE = 15, 25
UNPACKED = {"connector/__init__.py", "connector/__main__.py", "connector/errors.py"}
NO_NAMES = {
    "one",
    "told",
    "mine",
    "found",
    "some",
    "house",
    "lot",
    "desk",
    "promises",
    "promise",
    "tell",
    "say",
    "said",
    "let",
    "hold",
    "settle",
    "judge",
    "showing",
    "pulling",
    "inviting",
    "delivering",
    "collecting",
    "answering",
    "following",
    "noticing",
    "connecting",
    "writing",
    "undoing",
    "owning",
    "keeping",
    "naming",
    "merging",
    "linking",
}
"""Words that say nothing of a thing, or that a newcomer would not look for."""


def modules() -> Iterator[Path]:
    """Yield the modules of the product, by their paths from the root; migrations have numbers for names."""
    for folder in PRODUCT:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "versions" not in path.parts:
                yield path.relative_to(ROOT)


def name_of(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def running(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what is run of a module: imports for its annotations alone are not."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield from running(child)


def imports() -> Mapping[str, set[str]]:
    """Return which modules of the product each of them imports, wherever the import stands."""
    known = {name_of(path): path for path in modules()}
    result: dict[str, set[str]] = defaultdict(set)
    for module, path in known.items():
        for node in running(parsed(path)):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:
                    target = f"{node.module}.{alias.name}"
                    result[module].add(target if target in known else node.module)
            elif isinstance(node, ast.Import):
                result[module].update(alias.name for alias in node.names)
        result[module] &= known.keys() - {module}
    return result


def test_no_module_imports_itself_by_way_of_others() -> None:
    needs = {module: set(others) for module, others in imports().items()}
    while free := [module for module, others in needs.items() if not others & needs.keys()]:
        for module in free:
            del needs[module]
    assert sorted(needs) == [], "these import one another in a circle, or what does"


def test_the_errors_alone_lie_outside_a_package_of_the_connector() -> None:
    assert {path.as_posix() for path in modules() if len(path.parts) == 2 and path.parts[0] == "connector"} == UNPACKED


@pytest.mark.parametrize("folder", [*PRODUCT, "tests"])
def test_no_folder_is_too_full_to_be_read_at_a_glance(folder: str) -> None:
    sizes = Counter(
        path.parent.relative_to(ROOT).as_posix()
        for path in (ROOT / folder).rglob("*.py")
        if path.name != "__init__.py" and "versions" not in path.parts
    )
    most = MOST_IN_CONNECTOR if folder == "connector" else MOST_ELSEWHERE
    assert {name: size for name, size in sizes.items() if size > most} == {}


def test_every_package_says_what_is_in_it() -> None:
    packages = [path for path in modules() if path.name == "__init__.py"]
    assert len(packages) > 30
    assert [path.as_posix() for path in packages if not ast.get_docstring(parsed(path))] == []


def test_modules_have_names_that_say_what_is_in_them() -> None:
    assert [path.as_posix() for path in modules() if path.stem in NO_NAMES] == []


def test_no_public_class_of_the_product_shares_its_name_with_another() -> None:
    names = Counter(
        node.name
        for path in modules()
        for node in parsed(path).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, times in names.items() if times > 1] == []
