"""The rules of this code base, checked on the source itself."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from source_code import ROOT, imports, module_of, name_of, sources, tree, within

from connector import errors

OURS = ("connector", "adapters", "mappings")
DOMAIN = {
    "connector.model",
    "connector.model.follow_up",
    "connector.model.outbox",
    "connector.model.documents",
    "connector.model.score",
    "connector.model.stored",
    "connector.model.surveys",
    "connector.ports",
    "connector.errors",
    "connector.domain.config",
    "connector.domain.greeting_names",
    "connector.domain.text_cutting",
    "connector.domain.text_direction",
    "connector.domain.quoting",
}
DATABASE = {"sqlalchemy", "alembic"}
LONGEST_FILE = 500
LONGEST_FUNCTION = 60
MOST_OPEN = 25
MIGRATIONS = "connector/store/migrations/"
ABOVE_THE_STORE = ("connector.stages", "connector.commands", "connector.web", "connector.cli", "connector.app")


def offences(folders: tuple[str, ...], forbidden: tuple[str, ...], *, but: tuple[str, ...] = ()) -> list[str]:
    """Return where files of some folders import what they may not."""
    return [
        f"{name_of(path)} imports {imported}"
        for path in sources(*folders)
        if not name_of(path).startswith(but or ("\0",))
        for imported in imports(path)
        if within(imported, *forbidden)
    ]


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def literals(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the text in a file's code with its line; docstrings are no code."""
    docs = {
        id(node.value)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.lineno, node.value


def adapter_folders() -> list[str]:
    return sorted(path.name for path in (ROOT / "adapters").iterdir() if (path / "__init__.py").exists())


# ── arrows ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("folder", adapter_folders())
def test_an_adapter_knows_the_domain_and_nothing_else_of_ours(folder: str) -> None:
    own = f"adapters.{folder}"
    found = [
        f"{name_of(path)} imports {imported}"
        for path in sources(f"adapters/{folder}")
        for imported in imports(path)
        if within(imported, *OURS) and not within(imported, own, *DOMAIN, "connector.wire")
    ]
    assert found == []


def test_stages_know_no_adapter_and_no_mapping() -> None:
    assert offences(("connector/stages",), ("adapters", "mappings")) == []


def test_the_domain_knows_nobody() -> None:
    domain = [path for path in sources("connector") if within(module_of(path), *DOMAIN)]
    assert [name for name in DOMAIN if not any(within(module_of(path), name) for path in domain)] == []
    stray = [
        f"{name_of(path)} imports {imported}"
        for path in domain
        for imported in imports(path)
        if within(imported, *OURS) and not within(imported, *DOMAIN)
    ]
    assert stray == []


def test_shared_rules_know_the_words_and_the_scales_alone() -> None:
    known = (*DOMAIN, "connector.domain", "connector.scoring.scales")
    stray = [
        f"{name_of(path)} imports {imported}"
        for path in sources("connector/domain")
        for imported in imports(path)
        if within(imported, *OURS) and not within(imported, *known)
    ]
    assert stray == []


def test_what_speaks_to_other_machines_knows_the_ports_and_the_errors_alone() -> None:
    stray = [
        f"{name_of(path)} imports {imported}"
        for path in sources("connector/wire")
        for imported in imports(path)
        if within(imported, *OURS) and not within(imported, "connector.ports", "connector.errors", "connector.wire")
    ]
    assert stray == []


def test_mappings_know_the_domain_alone() -> None:
    found = [
        f"{name_of(path)} imports {imported}"
        for path in sources("mappings")
        for imported in imports(path)
        if within(imported, "adapters", "connector") and not within(imported, *DOMAIN, "connector.domain")
    ]
    assert found == []


def test_the_store_alone_knows_sql() -> None:
    assert offences(("connector", "mappings"), tuple(DATABASE), but=("connector/store/",)) == []
    assert offences(("adapters",), tuple(DATABASE)) == []


def test_the_store_hands_out_values_and_no_rows() -> None:
    handed = [
        f"{name_of(path)}:{node.lineno}"
        for path in sources("connector")
        if not name_of(path).startswith("connector/store/")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Name) and node.id in ("Row", "AnyRow")
    ]
    assert handed == []


def names_in(node: ast.AST) -> list[str]:
    """Return the name that an attribute has, or those that an import gives."""
    if isinstance(node, ast.Attribute):
        return [node.attr]
    return [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else []


def test_what_gives_rows_is_called_in_the_store_alone() -> None:
    """Whoever uses a row need not name its type."""
    giving = {
        f"{module_of(path)}.{node.name}"
        for path in sources("connector/store")
        for node in tree(path).body
        if isinstance(node, ast.FunctionDef) and node.returns is not None and not node.name.startswith("_")
        if re.search(r"\b(Any)?Row\b", ast.unparse(node.returns))
    }
    assert "connector.store.crm.refs.rows_by_id" in giving
    names = {name.rpartition(".")[2] for name in giving}
    stray = [
        f"{name_of(path)}:{node.lineno} {name}"
        for path in sources("connector", "adapters", "mappings")
        if not name_of(path).startswith("connector/store/")
        for node in ast.walk(tree(path))
        for name in names_in(node)
        if name in names
    ]
    assert stray == []


def test_few_modules_may_leave_a_type_open_and_each_says_why() -> None:
    excepted = (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("disallow_any_explicit = true")[2]
    modules = [
        line for line in excepted.partition("disallow_any_explicit = false")[0].splitlines() if '"connector.' in line
    ]
    assert 0 < len(modules) <= MOST_OPEN
    assert [line for line in modules if "# " not in line] == []


def test_the_store_knows_no_stage() -> None:
    assert offences(("connector/store",), ABOVE_THE_STORE) == []


def test_only_the_composition_roots_see_adapters_and_mappings() -> None:
    root = ("connector/app/", "connector/cli/", "connector/demo/")
    assert offences(("connector",), ("adapters", "mappings"), but=root) == []


def test_nothing_in_the_product_knows_of_the_demo() -> None:
    assert (
        offences(("connector", "adapters", "mappings"), ("connector.demo",), but=("connector/cli/", "connector/demo/"))
        == []
    )


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_crms_word_never_leaks_past_its_adapter() -> None:
    found = [
        f"{name_of(path)}:{line} says {text!r}"
        for path in sources("connector")
        for line, text in literals(path)
        if "__c" in text or text.startswith("hs_")
    ]
    assert found == []


def test_no_vendor_is_named_in_what_the_connector_does() -> None:
    """The command line has a CRM that `init` takes unasked, and the demo has two."""
    vendors = re.compile("salesforce|hubspot", re.IGNORECASE)
    named = [
        f"{name_of(path)}:{line} says {text!r}"
        for path in sources("connector")
        if not name_of(path).startswith(("connector/cli/", "connector/demo/"))
        for line, text in literals(path)
        if vendors.search(text)
    ]
    assert named == []


def test_no_path_of_a_developers_machine() -> None:
    machine = re.compile(r"""["'\s(=](/home/|/Users/|/root/|/w[o]rk/|C:\\Users)""")
    kept = [path for folder in (*OURS, "tests", "docs") for path in (ROOT / folder).rglob("*") if path.is_file()]
    readable = [path for path in kept if path.suffix in {".py", ".toml", ".md", ".html", ".mjml", ".json", ".lark"}]
    assert readable
    found = [name_of(path) for path in readable if machine.search(path.read_text(encoding="utf-8"))]
    assert [name for name in found if name != name_of(Path(__file__).resolve())] == []


def test_the_error_tree_is_drawn_whole() -> None:
    drawn = errors.__doc__ or ""
    defined = {
        name for name, each in vars(errors).items() if isinstance(each, type) and issubclass(each, BaseException)
    }
    assert len(defined) > 15
    assert {name for name in defined if not re.search(rf"\b{name}\b", drawn)} == set()


def test_every_error_is_in_the_tree_of_one_root() -> None:
    stray = [
        name
        for name, each in vars(errors).items()
        if isinstance(each, type) and issubclass(each, BaseException) and not issubclass(each, errors.AfterwordError)
    ]
    assert stray == ["Bug"]


# ── sizes ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_file_is_too_long_to_be_read() -> None:
    sizes = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in sources(*OURS, "tests")}
    too_long = {name: size for name, size in sizes.items() if size > LONGEST_FILE}
    assert {name: size for name, size in too_long.items() if not name.startswith(MIGRATIONS)} == {}


def test_each_file_of_tests_has_a_name_of_its_own() -> None:
    """Pytest imports them by their names alone, and refuses the second."""
    names = Counter(path.name for path in sources("tests") if path.name.startswith("test_"))
    assert not [name for name, times in names.items() if times > 1]


def test_no_function_is_too_long_to_be_grasped() -> None:
    found = [
        f"{name_of(path)}: {function.name} has {(function.end_lineno or 0) - function.lineno + 1} lines"
        for path in sources(*OURS)
        if not name_of(path).startswith(MIGRATIONS)
        for function in functions(path)
        if (function.end_lineno or 0) - function.lineno + 1 > LONGEST_FUNCTION
    ]
    assert found == []


# ── habits ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_error_is_swallowed_in_silence() -> None:
    """An `except` that only passes says why in a comment; one that catches everything never only passes."""
    found = [
        f"{name_of(path)}:{node.lineno}"
        for path in sources(*OURS)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler) and node.type is None
    ]
    assert found == []


def test_nobody_catches_a_bug() -> None:
    found = [
        f"{name_of(path)}:{node.lineno}"
        for path in sources(*OURS)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler) and node.type is not None
        for caught in ast.walk(node.type)
        if isinstance(caught, ast.Name) and caught.id in ("Bug", "AssertionError")
    ]
    assert found == []


def test_time_comes_from_the_clock() -> None:
    # Whether another process is alive, and when the scheduler wakes, are matters of the machine's time.
    clocks = (
        "connector/runtime/clock.py",
        "adapters/sandbox/clock.py",
        "connector/store/ops/leases.py",
        "connector/store/outbox/claims.py",
        "connector/app/jobs.py",
    )
    found = [
        f"{name_of(path)}:{node.lineno}"
        for path in sources(*OURS)
        if name_of(path) not in clocks
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute)
        and node.attr in ("now", "utcnow", "today")
        and isinstance(node.value, ast.Name)
        and node.value.id in ("datetime", "date")
    ]
    assert found == []


def test_a_day_begins_where_people_are_and_never_by_itself_in_greenwich() -> None:
    """The company's zone and the owner's say when a day begins; midnight of a moment in UTC is nobody's."""
    midnights = [
        f"{name_of(path)}:{node.lineno}"
        for path in sources("connector")
        if not name_of(path).startswith("connector/demo/")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "replace"
        if any(word.arg == "hour" for word in node.keywords)
    ]
    assert midnights == []
