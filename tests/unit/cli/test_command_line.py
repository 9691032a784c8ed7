"""What the command line says of itself, and on stderr when Afterword itself is at fault."""

from importlib.metadata import version

import pytest
import structlog
import typer

from connector.cli.app import app
from connector.cli.guard import EXIT_FAULT, guarded


def test_the_traceback_of_a_fault_shows_no_values(capsys: pytest.CaptureFixture[str]) -> None:
    @guarded
    def command() -> None:
        password = "-".join(["very", "secret"])
        raise RuntimeError(f"broken after {len(password)} characters")

    try:
        with pytest.raises(typer.Exit) as left:
            command()
    finally:
        structlog.reset_defaults()
    assert left.value.exit_code == EXIT_FAULT
    said = capsys.readouterr()
    assert "broken after 11 characters" in said.err
    assert "very-secret" not in said.err
    assert said.out == ""


def test_the_version_is_told_as_the_package_has_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        app(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out == f"afterword {version('afterword')}\n"
