"""Variables and parameters say what they hold: an account, a row, a match. Some words say nothing, and stand nowhere."""

import ast
from collections.abc import Iterator

import pytest
from source_code import name_of, sources, tree

PRODUCT = ("adapters", "connector", "mappings")
NOT_YET = frozenset(
    {
        "connector/commands/reconcile.py",
        "connector/stages/alerts/mail.py",
        "connector/stages/alerts/stage.py",
        "connector/stages/pull/listing.py",
        "connector/stages/report.py",
        "connector/store/crm/cursors.py",
        "connector/store/crm/customers.py",
        "connector/store/ops/call_counts.py",
        "connector/store/ops/tokens.py",
        "connector/web/pages/survey.py",
    }
)
"""Files that hold such a name still; none is added here."""
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
        elif isinstance(node, ast.MatchAs | ast.MatchStar | ast.ExceptHandler) and node.name:
            yield node.lineno, node.name
        elif isinstance(node, ast.MatchMapping) and node.rest:
            yield node.lineno, node.rest
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((node.lineno, alias.asname) for alias in node.names if alias.asname)


def test_every_kind_of_binding_is_seen() -> None:
    source = """
import os as mine
told = 1
def f(said): ...
[x for each in y]
try: ...
except OSError as found: ...
match z:
    case [one, *some]: ...
    case {"a": 1, **those}: ...
"""
    assert {name for _, name in bindings(ast.parse(source))} == {
        "each",
        "found",
        "mine",
        "one",
        "said",
        "some",
        "those",
        "told",
    }


@pytest.mark.parametrize("folder", PRODUCT)
def test_no_variable_has_a_name_that_says_nothing(folder: str) -> None:
    named = [
        (name_of(path), f"{name_of(path)}:{line} {name}")
        for path in sources(folder)
        if "migrations/versions" not in name_of(path)
        for line, name in bindings(tree(path))
        if name in EMPTY
    ]
    assert [where for file, where in named if file not in NOT_YET] == []
    assert {file for file in NOT_YET if file.startswith(folder)} <= {file for file, _ in named}, "these are done"
