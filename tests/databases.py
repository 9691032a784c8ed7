"""On which databases a test runs: on both, unless it says otherwise."""

from collections.abc import Callable

import pytest

from connector.store import Store

ONE_DATABASE = pytest.mark.parametrize("store_address", ["sqlite"], indirect=True)
"""For what has nothing to do with the database, or takes long where other tests hold the same on both."""
TWO_WRITERS = pytest.mark.parametrize("store_address", ["postgresql"], indirect=True)
"""For two transactions that write at once: SQLite lets the second wait for the first, so there is nothing to see."""
NewStore = Callable[[], Store]
"""Makes an empty database without a schema, which nobody else has."""
