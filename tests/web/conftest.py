from collections.abc import Iterator

import pytest
from web_world import World, running


@pytest.fixture
def world(sqlite_address: str) -> Iterator[World]:
    with running(sqlite_address) as world:
        yield world
