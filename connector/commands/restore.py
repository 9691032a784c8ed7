"""`restore`: an installation from a backup, in a place where there is none. It observes until an admin says that it goes on."""

from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import tomlkit

from connector.errors import AfterwordError
from connector.runtime.backup_file import BackupFile, Contents, opened_backup
from connector.runtime.private_files import make_empty, make_folder, write_new
from connector.settings import Settings
from connector.settings.choices import Mode
from connector.store import Store
from connector.store.db.copy import check_empty, fill, store_at
from connector.store.db.migrate import check_not_newer, current, migrate
from connector.store.ops.restored import make_ready


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back."""

    contents: Contents
    files: tuple[Path, ...]
    schema: str | None
    """That the store had in the backup; it has this version's now."""
    still_live: tuple[str, ...]
    """Connections that a variable makes live, whatever config.toml says."""


def restore(file: Path, config: Path, *, read_settings: Callable[[Path], Settings], now: datetime) -> Restored:
    """Put back what is in a backup: the project's files beside `config`, and the store where they say, with every connection observing.

    Raises `AfterwordError`, and leaves nothing behind, where it cannot: the backup is damaged, something is there already, or a
    setting is wrong or missing here.
    """
    config = config.absolute()
    with opened_backup(file) as backup, ExitStack() as undoing:
        targets = {name: config.parent / name for name in backup.files} | {backup.contents.config: config}
        try:
            _check_free(targets.values())
            for name, path in targets.items():
                text = backup.read(name)
                _write(path, observing(text) if path == config else text, undoing)
            settings = read_settings(config)
            schema = _restore_store(backup, settings, now, undoing)
        except OSError as error:
            raise AfterwordError(
                f"this could not be put back: {error.strerror}.",
                where=error.filename or str(config.parent),
                remedy="Let this user write there, and see that there is room. Nothing was left behind.",
            ) from error
        undoing.pop_all()
    live = tuple(name for name, connection in settings.crm.items() if connection.is_live)
    return Restored(backup.contents, tuple(targets.values()), schema, live)


def observing(config: bytes) -> bytes:
    """Return config.toml with every connection that is live set to observe; all else stays as it was written."""
    document = tomlkit.parse(config.decode("utf-8-sig"))
    for connection in document.get("crm", {}).values():
        if connection.get("mode") == Mode.LIVE:
            connection["mode"] = Mode.OBSERVE.value
    return tomlkit.dumps(document).encode()


def _check_free(targets: Iterable[Path]) -> None:
    there = next((path for path in targets if path.exists() or path.is_symlink()), None)
    if there is not None:
        raise AfterwordError(
            "it is there already, and nothing of an installation is replaced.",
            where=str(there),
            remedy="Restore into an empty folder: name another config.toml with -c, or move what is there away.",
        )


def _write(path: Path, content: bytes, undoing: ExitStack) -> None:
    _note_new_folders(path, undoing)
    write_new(path, content)
    undoing.callback(path.unlink, missing_ok=True)


def _note_new_folders(path: Path, undoing: ExitStack) -> None:
    """Have the folders of a path that are not there yet removed, should it come to nothing."""
    for folder in reversed(path.parents):
        if not folder.exists():
            undoing.callback(_remove_empty, folder)


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):  # somebody else has put something into it
        folder.rmdir()


def _restore_store(backup: BackupFile, settings: Settings, now: datetime, undoing: ExitStack) -> str | None:
    """Put the store where the settings say; returns the schema that it had in the backup."""
    with closing(Store(settings.store_url)) as target:
        beside = target.path.parent if target.path is not None else None
        if target.path is not None:
            _check_free([target.path])
            _note_new_folders(target.path, undoing)
            make_folder(target.path.parent)
        else:
            check_empty(target)
        with TemporaryDirectory(prefix=".restoring-", dir=beside) as folder:
            path = Path(folder) / "store.db"
            make_empty(path)
            with path.open("r+b") as file:
                backup.copy_store(file)
            with closing(store_at(path)) as copy:
                schema = current(copy)
                check_not_newer(schema)
                migrate(copy, copy=False)
                with copy.write() as tx:
                    make_ready(tx, settings.crm, now)
                if target.path is None:
                    fill(target, copy)
            if target.path is not None:
                path.rename(target.path)
        return schema
