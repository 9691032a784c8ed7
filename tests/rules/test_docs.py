"""The documents tell the truth: commands, targets, files and links in them exist, and none is left out."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup, TyperOption
from typer.main import get_command

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("connector", "adapters", "mappings", "deploy", "tests", "docs", ".ci")
WIDTH = 100
FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
ROW_CALL = re.compile(r"`afterword ([^`]+)`")
LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
# A backslash before each dot keeps these lines from being what they look for.
REGISTRIES = re.compile(
    r"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|registry\.yarnpkg\.com|anaconda\.org|proxy\.golang\.org"
)
HOMES = re.compile(r"(?<![\w.~:/-])/(?:home|Users|root)/\w")


@cache
def text(name: str) -> str:
    """Return a file of the project."""
    return (ROOT / name).read_text(encoding="utf-8")


@cache
def documents() -> tuple[str, ...]:
    """Return the names of all documents, from the root."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return tuple(sorted(path.relative_to(ROOT).as_posix() for path in found))


@cache
def tracked() -> tuple[str, ...]:
    """Return the names of all files under version control that hold text."""
    if not (ROOT / ".git").exists():
        pytest.skip("not applicable: this is no checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    names = [name for name in listed.split("\0") if name and (ROOT / name).is_file()]
    return tuple(name for name in names if b"\0" not in (ROOT / name).read_bytes()[:8000])


def spans(name: str) -> Iterator[str]:
    """Yield what a document shows as code: what stands in backquotes, and the lines of its blocks."""
    whole = text(name)
    yield from INLINE.findall(FENCE.sub("", whole))
    for block in FENCE.findall(whole):
        yield from (line.split(" #")[0].strip() for line in block.splitlines()[1:-1])


# ── commands ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@cache
def commands() -> dict[str, Any]:
    """Return every command by the words that call it, e.g. ``gdpr erase``."""
    from connector.cli.app import app  # noqa: PLC0415 - the other tests here do not need the whole product

    return dict(_leaves(get_command(app), ()))


def _leaves(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    if not isinstance(command, TyperGroup):
        yield " ".join(words), command
        return
    for name, child in command.commands.items():
        if not child.hidden:
            yield from _leaves(child, (*words, name))


def calls(name: str) -> Iterator[str]:
    """Yield every call of the program that a document shows, without the program's name."""
    for span in spans(name):
        if match := re.match(r"(?:\S*/)?afterword +([a-z].*)", span):
            yield match[1]


def called(call: str) -> str | None:
    """Return which command a call is of."""
    return next((words for words in commands() if re.match(rf"{words}(?![\w-])", call)), None)


def test_every_command_stands_in_the_readme() -> None:
    shown = {called(call) for call in calls("README.md")}
    assert sorted(set(commands()) - shown) == []


@pytest.mark.parametrize("name", documents())
def test_documents_call_only_commands_that_exist(name: str) -> None:
    assert [call for call in calls(name) if called(call) is None] == []


@pytest.mark.parametrize("name", documents())
def test_documents_use_only_options_that_a_command_has(name: str) -> None:
    unknown = []
    for call in calls(name):
        words = called(call)
        known = (
            {option for param in commands()[words].params for option in (*param.opts, *param.secondary_opts)}
            if words
            else set()
        )
        unknown += [f"{call}: {option}" for option in re.findall(r"--[a-z][a-z-]*", call) if option not in known]
    assert unknown == []


def test_the_readme_shows_every_option() -> None:
    table = "\n".join(line for line in text("README.md").splitlines() if line.startswith("| `afterword"))
    missing = [
        f"{words} {param.opts[0]}"
        for words, command in commands().items()
        for param in command.params
        if isinstance(param, TyperOption) and param.name not in {"help", "config"} and not param.hidden
        if not any(called(call) == words and param.opts[0] in call for call in ROW_CALL.findall(table))
    ]
    assert missing == []


def test_every_reason_of_why_is_explained() -> None:
    from connector.commands.why import in_words  # noqa: PLC0415 - as above
    from connector.model import Reason  # noqa: PLC0415

    rows = [line.split(" | ")[0].removeprefix("| ") for line in text("docs/troubleshooting.md").splitlines()]
    assert [reason for reason in Reason if in_words(reason) not in rows] == []
    _, _, below = text("docs/troubleshooting.md").partition("### The reasons")
    table = [line for line in below.partition("\n#")[0].splitlines() if line.startswith("| ")][1:]
    known = {in_words(reason) for reason in Reason}
    assert [line for line in table if line.split(" | ")[0].removeprefix("| ") not in known] == []


def test_the_readme_leads_to_every_document() -> None:
    leading = {link.partition("#")[0] for name in ("README.md", "CONTRIBUTING.md") for link in LINK.findall(text(name))}
    pages = {name for name in documents() if name.startswith("docs/") and name.count("/") == 1}
    reached = leading | {
        f"docs/{link.partition('#')[0]}" for name in pages & leading for link in LINK.findall(text(name))
    }
    assert sorted(pages - reached) == []


@cache
def settings() -> dict[str, set[str]]:
    """Return the keys of each table of config.toml, by the first part of the table's name."""
    from connector.app.adapter_packages import installed_adapters  # noqa: PLC0415 - as above
    from connector.settings.keys import KEYS, adapter_keys  # noqa: PLC0415

    keys: dict[str, set[str]] = {}
    for loc in [*KEYS, *(loc for package in installed_adapters().values() for loc in adapter_keys(package.config))]:
        keys.setdefault(loc[0], set()).update(loc[1:])
    return keys


@pytest.mark.parametrize("name", documents())
def test_documents_name_only_keys_that_config_toml_has(name: str) -> None:
    """A key stands behind its table: `[limits] daily_sends`."""
    named = [re.match(r"\[([a-z_]+)[\w.-]*\] (\w+)", span) for span in spans(name) if not span.startswith("[[")]
    tables = [(match[1], match[2].removesuffix("_file")) for match in named if match and match[1] in settings()]
    assert [f"[{table}] {key}" for table, key in tables if key not in settings()[table]] == []


# ── make ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_target_is_documented_and_every_documented_target_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):.*## ", text("Makefile"), re.MULTILINE))
    named = {match[1] for name in documents() for span in spans(name) if (match := re.match(r"make +([a-z]+)", span))}
    assert named - targets == set(), "documented, and not there"
    assert targets - named - {"help"} == set(), "there, and not documented"


def test_the_makefile_calls_every_target_phony() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", text("Makefile"), re.MULTILINE)
    assert phony is not None
    assert set(phony[1].split()) == set(re.findall(r"^([a-z]+):.*## ", text("Makefile"), re.MULTILINE))


# ── lines ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", documents())
def test_prose_is_wrapped(name: str) -> None:
    """Tables, code, pictures and what cannot be broken may be longer."""
    prose = FENCE.sub("", text(name)).splitlines()
    whole = re.compile(r"\s*(?:[-*] )?(?:\[[^\]]*\]\(\S+\)|\S+)\.?")
    assert [line for line in prose if len(line) > WIDTH and line[0] not in "|!#" and not whole.fullmatch(line)] == []


# ── files and links ──────────────────────────────────────────────────────────────────────────────────────────────────


def is_path(span: str) -> bool:
    """Tell whether code in a document names a file or folder of ours."""
    return re.fullmatch(r"[\w.*-]+(?:/[\w.*-]*)+", span) is not None and span.partition("/")[0] in FOLDERS


@pytest.mark.parametrize("name", documents())
def test_files_named_in_documents_exist(name: str) -> None:
    assert [span for span in spans(name) if is_path(span) and not any(ROOT.glob(span.rstrip("/")))] == []


@pytest.mark.parametrize("name", documents())
def test_links_in_documents_lead_somewhere(name: str) -> None:
    links = LINK.findall(FENCE.sub("", text(name)))
    ours = [link for link in links if not re.match(r"https?:|mailto:", link)]
    assert [link for link in ours if not _leads(name, link)] == []


def _leads(name: str, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (ROOT / name).parent / path if path else ROOT / name
    if not target.exists():
        return False
    return not anchor or anchor in set(_anchors(target.read_text(encoding="utf-8")))


def _anchors(markdown: str) -> Iterator[str]:
    for heading in re.findall(r"^#+ +(.*)$", FENCE.sub("", markdown), re.MULTILINE):
        yield re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md")), ids=lambda path: path.stem)
def test_a_decision_has_its_parts_and_is_listed(path: Path) -> None:
    decision = path.read_text(encoding="utf-8")
    assert decision.startswith(f"# {int(path.stem[:4])}. ")
    assert [part for part in ("Context", "Decision", "Consequences") if f"\n**{part}.** " not in decision] == []
    assert f"({path.name})" in text("docs/decisions/README.md")


def test_the_name_of_a_decision_is_a_sentence() -> None:
    """It says what was decided, not only what it is about."""
    names = [path.stem for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md")]
    assert [name for name in names if len(name.split("-")) < 5] == []


def test_each_decision_has_a_number_of_its_own() -> None:
    numbers = [path.name[:4] for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md")]
    assert sorted(numbers) == [f"{number:04d}" for number in range(1, len(numbers) + 1)]


def test_the_changelog_knows_this_version() -> None:
    version = tomllib.loads(text("pyproject.toml"))["project"]["version"]
    assert re.search(rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$", text("CHANGELOG.md"), re.MULTILINE)


# ── what no file may hold ────────────────────────────────────────────────────────────────────────────────────────────


def test_the_lock_has_hashes_and_no_addresses() -> None:
    lock = text("requirements.lock")
    pinned = re.findall(r"^[\w.-]+(?:\[[\w,-]+\])?==\S+.*\\$", lock, re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^[^\s#]", lock, re.MULTILINE)), "something is not pinned with a hash"
    assert "://" not in lock
    assert not re.search(r"^\s*-(?:i|f|-index|-extra-index|-find)", lock, re.MULTILINE)


def test_no_file_names_a_registry() -> None:
    assert [name for name in tracked() if REGISTRIES.search(text(name))] == []


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    here = f"{ROOT}/" if len(ROOT.parts) > 2 else None
    found = [name for name in tracked() if HOMES.search(text(name)) or (here and here in text(name))]
    assert found == []
