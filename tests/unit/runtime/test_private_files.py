"""What lies on the disk may be read by the user who runs Afterword, and by nobody else, whatever the umask is."""

import os
import stat
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from connector.app.adapter_packages import installed_adapters
from connector.commands.init import write_project
from connector.runtime.installation_id import FILE, ensure_id
from connector.store import Store
from connector.store.db.migrate import head, migrate, revisions


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    """The umask of most machines, by which everybody may read what is made."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def rights(folder: Path) -> dict[str, int]:
    return {path.relative_to(folder).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}


def test_what_init_writes_is_for_its_user_alone(tmp_path: Path) -> None:
    write_project(tmp_path / "new" / "project", "hubspot", installed_adapters()["hubspot"])
    assert rights(tmp_path) == {
        "new": 0o700,
        "new/project": 0o700,
        "new/project/config.toml": 0o600,
        "new/project/mappings": 0o700,
        "new/project/mappings/hubspot.toml": 0o600,
        "new/project/secret.key": 0o600,
    }


def test_a_folder_that_is_there_keeps_its_rights(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir(mode=0o755)
    write_project(tmp_path / "there", "hubspot", installed_adapters()["hubspot"])
    assert stat.S_IMODE((tmp_path / "there").stat().st_mode) == 0o755


def test_the_database_and_its_companions_are_for_their_user_alone(tmp_path: Path) -> None:
    with closing(Store(f"sqlite:///{tmp_path}/afterword.db")) as store:
        migrate(store)
        with store.read() as tx:
            assert tx.execute(text("SELECT 1")).scalar_one() == 1
            found = rights(tmp_path)
    assert found.keys() == {"afterword.db", "afterword.db-wal", "afterword.db-shm"}
    assert set(found.values()) == {0o600}


def test_the_copy_before_a_migration_is_for_its_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "afterword.db"
    earlier = revisions(after="0001")[-2]
    with closing(Store(f"sqlite:///{path}")) as store:
        migrate(store, to=earlier)
        path.chmod(0o644)  # as versions before made it
        seen: set[int] = set()
        copy = path.with_name(f"{path.name}.before-{earlier}")
        over = threading.Event()
        watcher = threading.Thread(target=_watch, args=(copy, seen, over))
        watcher.start()
        migrate(store)
        over.set()
        watcher.join()
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert seen <= {0o600}
    assert earlier != head()


def _watch(path: Path, seen: set[int], over: threading.Event) -> None:
    while not over.wait(0.0005):
        if path.exists():
            seen.add(stat.S_IMODE(path.stat().st_mode))


def test_the_id_of_the_installation_is_for_its_user_alone(tmp_path: Path) -> None:
    (tmp_path / f".{FILE}.{os.getpid()}").write_text("cut off")  # in a container each process has the same number
    ensure_id(tmp_path)
    assert rights(tmp_path) == {FILE: 0o600}
