"""Make a Python environment with Afterword in it, of exactly the versions that were tested: python3 deploy/environment.py FOLDER

It takes from requirements.lock what Afterword needs to run, by the hashes there, and leaves out what only its tests and tools need.
"""

import json
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
BUILDS = "setuptools"
SOURCE = ("connector", "adapters", "mappings", "pyproject.toml", "README.md", "LICENSE")


def main() -> None:
    """Make the environment, and say how the command is called."""
    if len(sys.argv) != 2 or sys.version_info < (3, 11):
        sys.exit("Needs Python 3.11 or newer, and the folder to make: python3 deploy/environment.py FOLDER")
    folder = Path(sys.argv[1]).absolute()
    if folder.exists():
        sys.exit(f"{folder} is there already; name another folder.")
    venv.create(folder, with_pip=True)
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    pinned = folder / "requirements.txt"
    pinned.write_text("".join(_needed(programs)), encoding="utf-8")
    _pip(programs, "install", "--no-deps", "--require-hashes", "-r", str(pinned))
    with TemporaryDirectory() as source:
        # A folder of its own: what an earlier build has left beside the source would get into this one.
        for name in SOURCE:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, Path(source) / name)
        _pip(programs, "install", "--no-deps", "--no-build-isolation", source)
    sys.stdout.write(f"Afterword is installed: {programs / 'afterword'}\n")


def _needed(programs: Path) -> list[str]:
    """Return what requirements.lock says of each package that Afterword needs, and of that which builds it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = re.findall(r"^\S.*(?:\n\s.*)*\n?", lock, re.MULTILINE)
    versions = programs.parent / "versions.txt"
    versions.write_text(re.sub(r" \\\n +--hash=\S+", "", lock), encoding="utf-8")
    asked = ("install", "--dry-run", "--ignore-installed", "--report", "-", "-c", str(versions))
    report = json.loads(_pip(programs, *asked, *project["dependencies"], BUILDS))
    names = {_plain(item["metadata"]["name"]) for item in report["install"]}
    return [entry for entry in entries if _plain(re.split(r"[=\[ ;]", entry)[0]) in names]


def _plain(name: str) -> str:
    """Return a package's name as all its spellings have it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _pip(programs: Path, *words: str) -> str:
    call = [programs / "python", "-m", "pip", "--disable-pip-version-check", "-q", *words]
    done = subprocess.run(call, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"pip could not do it, see above: {' '.join(words[:2])}")
    return done.stdout


if __name__ == "__main__":
    main()
