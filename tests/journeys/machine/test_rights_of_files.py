"""What a user may do who may not write, or not look into, what lies in the installation's folder. Root may, unless it gives that up."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

_DAC_OVERRIDE, _DAC_READ_SEARCH = 1, 2
AS_OTHERS_DO = f"""
import ctypes, os, sys
for right in ({_DAC_OVERRIDE}, {_DAC_READ_SEARCH}) if os.geteuid() == 0 else ():
    assert ctypes.CDLL(None).prctl(24, right, 0, 0, 0) == 0  # PR_CAPBSET_DROP: holds from the next exec on
os.execv(sys.executable, [sys.executable, "-m", "connector", *sys.argv[1:]])
"""


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the product as a user to whom the rights of files mean what they say."""
    return subprocess.run(
        [sys.executable, "-c", AS_OTHERS_DO, *words, "--config", str(folder / "config.toml")],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "AFTERWORD_CRM__HUBSPOT__ACCESS_TOKEN": "pat-x", "COLUMNS": "300"},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """An installation's folder."""
    subprocess.run([sys.executable, "-m", "connector", "init", str(tmp_path / "acme"), "--crm", "hubspot"], check=True)
    folder = tmp_path / "acme"
    yield folder
    for path in (folder, folder / "mappings"):
        path.chmod(0o700)


def test_status_reads_a_store_that_may_not_be_written(folder: Path) -> None:
    before = command(folder, "status", "--json").stdout
    (folder / "afterword.db").chmod(0o400)
    folder.chmod(0o500)

    done = command(folder, "status", "--json")
    assert (done.returncode, done.stdout) == (0, before)
    assert "afterword.db may not be written: let this user write it" in done.stderr


def test_a_folder_that_may_not_be_looked_into_is_named(folder: Path) -> None:
    (folder / "mappings").chmod(0o600)
    done = command(folder, "status")
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "mappings" in done.stderr and "may not look into its folder" in done.stderr


def test_a_store_in_a_folder_that_may_not_be_looked_into_is_named(folder: Path) -> None:
    hidden = folder / "data"
    hidden.mkdir()
    config = folder / "config.toml"
    config.write_text(
        f'[store]\nurl = "sqlite:///{hidden}/a.db"\n' + config.read_text(encoding="utf-8"), encoding="utf-8"
    )
    hidden.chmod(0o600)
    for words in (("status",), ("plan",)):
        done = command(folder, *words)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False), words
        assert f"folder {hidden} is not there, or this user may not look into it" in done.stderr, words
