"""What `check` finds about files on this machine."""

from pathlib import Path

import pytest
from lap_world import LapWorld

from connector.app.adapter_packages import installed_adapters
from connector.commands.check import files
from connector.commands.check.checks import check
from connector.commands.check.files import file_problems
from connector.errors import Problem
from connector.settings import load

TEXT = """
[crm.hub]
adapter = "hubspot"
access_token_file = "hub.txt"
"""
FILES = ("afterword.db", "afterword.db-wal", "afterword.db.before-0014", "config.toml", "hub.txt", "installation.id")
MOUNTS = """\
21 1 0:20 / / rw,relatime - overlay overlay rw
36 21 0:33 / /srv/shared\\040data rw,relatime shared:1 - nfs4 filer:/export rw,vers=4.2
37 21 0:34 / /srv/shared\\040data/local rw - ext4 /dev/sda1 rw
"""


def project(folder: Path) -> Path:
    for name in FILES:
        (folder / name).write_text("x")
        (folder / name).chmod(0o600)
    (folder / "config.toml").write_text(TEXT)
    return folder / "config.toml"


def problems(folder: Path) -> list[Problem]:
    settings = load(folder / "config.toml", environ={}, adapters=installed_adapters())
    return list(file_problems(settings, folder / "afterword.db"))


def test_files_that_others_may_open_are_named_with_the_remedy(tmp_path: Path) -> None:
    project(tmp_path)
    assert problems(tmp_path) == []
    for name in FILES:
        (tmp_path / name).chmod(0o644)
    found = problems(tmp_path)
    assert {problem.where for problem in found} == {str(tmp_path / name) for name in FILES}
    assert {problem.severity for problem in found} == {"warning"}
    assert all("chmod 600" in problem.remedy and "0644" in problem.what for problem in found)


def test_a_file_of_another_user_may_be_read_by_its_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = project(tmp_path)
    path.chmod(0o640)
    assert [problem.where for problem in problems(tmp_path)] == [str(path)]
    monkeypatch.setattr(files.os, "geteuid", lambda: path.stat().st_uid + 1)  # root's, and ours by the group
    assert problems(tmp_path) == []
    path.chmod(0o604)
    assert [problem.where for problem in problems(tmp_path)] == [str(path)]


def test_sqlite_on_a_network_file_system_is_warned_of(tmp_path: Path) -> None:
    path = project(tmp_path)
    settings = load(path, environ={}, adapters=installed_adapters())
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)

    def found(database: str) -> list[str]:
        return [problem.what for problem in file_problems(settings, Path(database), mounts=mounts)]

    (what,) = found("/srv/shared data/crm/afterword.db")
    assert "network file system (nfs4)" in what
    assert found("/srv/shared data/local/afterword.db") == []
    assert found("/srv/afterword.db") == []
    assert list(file_problems(settings, Path("/x/a.db"), mounts=tmp_path / "no such file")) == []


def test_check_looks_at_the_files(world: LapWorld) -> None:
    path = world.installation.store.path
    assert path is not None
    path.chmod(0o644)
    assert str(path) in {problem.where for problem in check(world.installation).problems}
