"""A database lies where its folder is, whatever the folder is called."""

from pathlib import Path

import pytest

from connector.app.adapter_packages import installed_adapters
from connector.settings import load
from connector.store import Store
from connector.store.db.copy import copy_store
from connector.store.db.migrate import current, head, migrate

HUB = '[crm.hub]\nadapter = "hubspot"\naccess_token = "t"\n'
FOLDERS = [
    "customers?",
    "100%20 sure",
    "a#b&c=d",
    "50%",
    "käännä 客户",
    'it\'s "so"',
    "%2e%2e",
    "plus+minus",
    "semi;colon",
]


@pytest.mark.parametrize("name", FOLDERS)
def test_a_project_may_lie_in_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "config.toml").write_text(HUB)
    settings = load(folder / "config.toml", environ={}, adapters=installed_adapters())
    store = Store(settings.store_url)
    migrate(store)
    copy = copy_store(store, folder / "copy.db")
    assert (store.path, copy.path) == (folder / "afterword.db", folder / "copy.db")
    assert current(copy) == head()
    store.close()
    copy.close()
    assert {path.name for path in tmp_path.iterdir()} == {name}
    assert {"afterword.db", "copy.db"} <= {path.name for path in folder.iterdir()}


def test_what_is_written_is_an_address_whose_signs_can_be_spelt(tmp_path: Path) -> None:
    folder = tmp_path / "50%"
    folder.mkdir()
    (folder / "config.toml").write_text(HUB + '[store]\nurl = "sqlite:///who%3F%20me.db"\n')
    settings = load(folder / "config.toml", environ={}, adapters=installed_adapters())
    assert Store(settings.store_url).path == folder / "who? me.db"
    (folder / "config.toml").write_text(HUB + f'[store]\nurl = "sqlite:///{tmp_path}/elsewhere.db"\n')
    settings = load(folder / "config.toml", environ={}, adapters=installed_adapters())
    assert Store(settings.store_url).path == tmp_path / "elsewhere.db"
