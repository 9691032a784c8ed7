"""What reads the output may leave whenever it likes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from connector.cli.output.terminal import Terminal

HEADER = "account,contact,metric,value,low,high,direction,at\n"
ROW = "Acme {n},,csat,4,1,5,up,2026-11-12\n"


@pytest.fixture
def ratings(tmp_path: Path) -> Path:
    path = tmp_path / "ratings.csv"
    path.write_text(HEADER + "".join(ROW.format(n=n) for n in range(400)))
    return path


def left_alone(*arguments: str, stream: str = "stdout") -> tuple[int, str]:
    """Run a command whose output nobody reads; returns its exit code and what the other stream holds."""
    reading, writing = os.pipe()
    os.close(reading)
    other = "stderr" if stream == "stdout" else "stdout"
    pipes = {stream: writing, other: subprocess.PIPE}
    done = subprocess.run(
        [sys.executable, "-c", "from connector.cli.app import main; main()", *arguments],
        check=False,
        text=True,
        timeout=300,
        **pipes,
    )
    os.close(writing)
    return done.returncode, getattr(done, other)


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_reader_who_has_left_is_no_error(ratings: Path, options: list[str]) -> None:
    assert left_alone("score", str(ratings), *options) == (0, "")


def test_a_commands_own_exit_code_is_told_to_the_end(tmp_path: Path) -> None:
    assert left_alone("check", "--json", "-c", str(tmp_path / "config.toml")) == (2, "")


def test_the_help_is_read_by_nobody_either() -> None:
    assert left_alone("--help") == (0, "")


def test_errors_may_go_unread_too(tmp_path: Path) -> None:
    code, told = left_alone("status", "-c", str(tmp_path / "config.toml"), stream="stderr")
    assert (code, told) == (2, "")


def test_what_is_read_is_whole(ratings: Path) -> None:
    command = [sys.executable, "-c", "from connector.cli.app import main; main()", "score", str(ratings), "--json"]
    done = subprocess.run(command, text=True, capture_output=True, timeout=300, check=True)
    assert done.stdout.count('"account": "Acme ') == 400
    assert done.stdout.endswith("}\n")


def test_a_name_between_colons_is_no_picture(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().print("case SN:100: of Sam, 10:100:20", markup=False)
    assert capsys.readouterr().out == "case SN:100: of Sam, 10:100:20\n"


def test_what_libraries_log_has_a_time_and_commands_no_terminal() -> None:
    script = (
        "import logging; from connector.cli.output.terminal import log_to_stderr; log_to_stderr(); log_to_stderr(); "
    )
    script += "logging.getLogger('uvicorn.error').error('odd \\x1b[2J\\nline')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    [line] = done.stderr.splitlines()
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[error +\] odd \\u001b\[2J line +library=uvicorn.error$", line)
