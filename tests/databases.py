"""On which databases a test runs: on SQLite, unless it says otherwise."""

from collections.abc import Callable

import pytest

from connector.store import Store

BOTH_DATABASES = pytest.mark.parametrize("store_address", ["sqlite", "postgresql"], indirect=True)
"""For what rests on SQL, types or transactions that the two could treat differently, and for one journey of each kind."""
ON_POSTGRESQL = pytest.mark.parametrize("store_address", ["postgresql"], indirect=True)
"""For two transactions that write at once: SQLite lets the second wait for the first, so there is nothing to see."""
NewStore = Callable[[], Store]
"""Makes an empty database without a schema, which nobody else has."""
