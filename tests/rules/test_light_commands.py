"""What a command may not load: each imports what it uses, and nobody waits for the libraries of others."""

import json
import subprocess
import sys
from collections.abc import Mapping

import pytest

_LOADED = "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
"""Prints what is loaded by then, by the names of the packages."""
_STEPS = ("connector.cli.app", "connector.cli.status", "connector.cli.laps")
"""What the command line imports to tell its version, then for `status`, then for `sync`."""
_NO_COMMAND = {
    "alembic",
    "babel",
    "fastapi",
    "hubspot",
    "jinja2",
    "mrml",
    "numpy",
    "scipy",
    "simple_salesforce",
    "xlsxwriter",
}
"""Not before there is something to migrate, to put into words, to serve, to compute, to write, or a connection to this CRM."""
_NO_WORK = {"pydantic", "requests", "sqlalchemy", "structlog", "tomlkit", *_NO_COMMAND}
"""Not for `--version` and `--help`."""


@pytest.fixture(scope="module")
def loaded() -> Mapping[str, set[str]]:
    """By step, which packages are loaded after it."""
    code = "\n".join(["import json, sys", *(f"import {step}\n{_LOADED}" for step in _STEPS)])
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    return {step: set(json.loads(line)) for step, line in zip(_STEPS, printed.splitlines(), strict=True)}


def test_help_and_version_load_the_command_line_alone(loaded: Mapping[str, set[str]]) -> None:
    assert "typer" in loaded["connector.cli.app"]
    assert loaded["connector.cli.app"] & _NO_WORK == set()


@pytest.mark.parametrize("step", _STEPS[1:])
def test_status_and_a_quiet_sync_load_nothing_that_they_do_not_use(loaded: Mapping[str, set[str]], step: str) -> None:
    assert "sqlalchemy" in loaded[step]
    assert loaded[step] & _NO_COMMAND == set()
