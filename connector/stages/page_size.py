"""How many customers are dealt with in one transaction: as many as a short time allows.

On SQLite nobody else can write meanwhile.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

AIM_SECONDS = 0.06
"""How long the work of a page should take: less than half of what another writer may be kept waiting."""
FEWEST = 25
MOST = 200
_FIRST = 40


class PageSize:
    """The size of the next page, by how long the pages before it took."""

    def __init__(self) -> None:
        self.rows = _FIRST

    @contextmanager
    def timed(self, rows: int) -> Iterator[None]:
        """Deal with a page of so many rows inside the block."""
        began = time.perf_counter()
        yield
        took = max(time.perf_counter() - began, 1e-6)
        if rows:
            fitting = int(rows * AIM_SECONDS / took)
            # A page that was small by chance says little of large ones: so it grows step by step.
            self.rows = min(max(fitting, FEWEST), 2 * self.rows, MOST)
