"""`afterword demo`: the whole product on one machine, seen from outside as a process."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

AFTERWORD = Path(sys.executable).with_name("afterword")
FIGURE = re.compile(r"Satisfaction +\(empty\) -> \d+$", re.MULTILINE)
SUMMARY = re.compile(
    r"(\d+) mails sent, (\d+) answers, (\d+) links opened by scanners that recorded nothing, (\d+) tasks, (\d+) writing calls"
)


@pytest.mark.timeout(180)
def test_once_tells_what_the_crm_shows_before_and_after_and_ends(tmp_path: Path) -> None:
    done = subprocess.run(
        [AFTERWORD, "demo", "--once"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert len(FIGURE.findall(done.stdout)) >= 4
    assert re.search(r"Customer mood +\(empty\) -> Unhappy", done.stdout)
    assert re.search(r"^Call .* by \w{3} \d\d:\d\d: [12] of 5, ", done.stdout, re.MULTILINE)
    assert "asked 2 times without an answer" in done.stdout
    found = SUMMARY.search(done.stdout)
    assert found is not None
    assert all(int(number) >= 5 for number in found.groups())
    assert list(tmp_path.iterdir()) == []


@contextmanager
def staying(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run the demo that stays, with its output in a file; it is gone at the end whatever happens."""
    with (folder / "output.txt").open("w", encoding="utf-8") as output:
        running = subprocess.Popen(
            [AFTERWORD, "demo"],
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        try:
            yield running
        finally:
            running.kill()
            running.wait(timeout=20)


def wait_for(folder: Path, pattern: str, running: subprocess.Popen[str], *, seconds: float = 60) -> re.Match[str]:
    """Return what the output says, as soon as it says it."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and running.poll() is None:
        found = re.search(pattern, (folder / "output.txt").read_text(encoding="utf-8"))
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError((folder / "output.txt").read_text(encoding="utf-8"))


@pytest.mark.timeout(180)
def test_the_demo_that_stays_can_be_looked_at_and_ends_in_order(tmp_path: Path) -> None:
    with staying(tmp_path) as running:
        desk = wait_for(tmp_path, r"(http://localhost:\d+)/inbox", running)[1]
        first = wait_for(tmp_path, r"mail +to (\S+@\S+): (.*)", running)

        inbox = requests.get(f"{desk}/inbox", timeout=20).text
        mail = requests.get(f"{desk}/inbox/0/body", timeout=20).text
        accounts = requests.get(f"{desk}/lightning/o/Account/list", timeout=20)
        survey = requests.get(re.findall(r'href="([^"]+/s/[^"?]+)', mail)[0], timeout=20)
        running.send_signal(signal.SIGINT)
        code = running.wait(timeout=15)

    said = (tmp_path / "output.txt").read_text(encoding="utf-8")
    assert first[1] in inbox
    assert (accounts.status_code, survey.status_code) == (200, 200)
    assert "<form" in survey.text
    assert code == 0
    assert said.rstrip().endswith("The demo has ended.")
    assert "Traceback" not in said


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / "demo" / "config.toml"
    mine.parent.mkdir()
    mine.write_text("[store]\n", encoding="utf-8")

    done = subprocess.run([AFTERWORD, "demo"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2
    assert "demo" in done.stderr
    assert [path.name for path in mine.parent.iterdir()] == ["config.toml"]
    assert mine.read_text(encoding="utf-8") == "[store]\n"
