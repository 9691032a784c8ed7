from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from mail_servers import Authority, StillClock

from adapters.email import channel
from connector.ports import Channel


@pytest.fixture
def make() -> Iterator[Callable[..., Channel]]:
    """Make channels that are closed when the test is over."""
    made: list[Channel] = []

    def build(port: int, **values: Any) -> Channel:
        defaults = {"host": "localhost", "port": port, "security": "none", "from": "Acme Care <care@acme.example>"}
        made.append(channel(defaults | values, StillClock()))
        return made[-1]

    yield build
    for one in made:
        one.close()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    ca = trustme.CA()
    path: Path = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return Authority(ca, str(path))
