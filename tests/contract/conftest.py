"""One HTTPS server for all tests of this folder."""

from collections.abc import Iterator

import pytest
from world_salesforce import Switchboard

from adapters.sandbox.server import RunningServer, running

# The suite's modules are helpers by their names, and tests by what they assert.
for theme in ("reading", "conditions", "writing", "failing", "setup"):
    pytest.register_assert_rewrite(f"crm_contract_{theme}")


@pytest.fixture(scope="session")
def switchboard() -> Switchboard:
    """What the server serves: each test plugs in its own org."""
    return Switchboard()


@pytest.fixture(scope="session")
def server(switchboard: Switchboard, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """The server, with a certificate of its own."""
    with running(switchboard, cert_dir=tmp_path_factory.mktemp("certificates")) as server:
        yield server
