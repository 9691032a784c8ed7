"""Variables and parameters say what they hold: an account, a row, a match. Some words say nothing, and stand nowhere."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMED = (
    "adapters/email",
    "adapters/memory",
    "adapters/sandbox",
    "adapters/webhook",
    "connector/demo",
    "connector/domain",
    "connector/exports",
    "connector/model",
    "connector/ports",
    "connector/runtime",
    "connector/scoring",
    "connector/sentences",
    "connector/surveys",
    "connector/wire",
)
"""The packages that keep to it; a package that does is added here."""
EMPTY = frozenset(
    {"one", "each", "found", "mine", "told", "some", "whole", "given", "said", "those", "thing", "some_one", "somebody"}
)


def bindings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the line and the name of every variable, parameter and captured pattern."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
            yield node.lineno, node.name


def test_every_kind_of_binding_is_seen() -> None:
    source = "told = 1\ndef f(said): ...\n[x for each in y]\nmatch z:\n    case [one, *some]: ...\n"
    assert {name for _, name in bindings(ast.parse(source))} == {"told", "said", "each", "one", "some"}


@pytest.mark.parametrize("folder", NAMED)
def test_no_variable_has_a_name_that_says_nothing(folder: str) -> None:
    paths = sorted((ROOT / folder).rglob("*.py"))
    assert paths
    assert [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for path in paths
        for line, name in bindings(ast.parse(path.read_text(encoding="utf-8")))
        if name in EMPTY
    ] == []
