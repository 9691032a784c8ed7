from collections.abc import Iterator
from pathlib import Path

import pytest
from web_world import World, running


@pytest.fixture
def world(tmp_path: Path, sqlite_address: str) -> Iterator[World]:
    with running(tmp_path, address=sqlite_address) as world:
        yield world
