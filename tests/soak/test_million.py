"""A large CRM is read in little memory and with hardly more calls than it takes."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from adapters.sandbox.people.sizes import Sizes
from tests.bench import org, portal
from tests.bench.crm import Crm
from tests.bench.installation import install

ACCOUNTS, CONTACTS = 50_000, 1_000_000
MOST_MEMORY = 400_000_000
"""Bytes, of the whole process, at its peak."""
MOST_CALLS = 1.05
"""Times the fewest that the API allows."""


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("serving", [org.serving, portal.serving], ids=["salesforce", "hubspot"])
def test_a_million_contacts(tmp_path: Path, serving: Callable[[Sizes], AbstractContextManager[Crm]]) -> None:
    sizes = Sizes(ACCOUNTS, CONTACTS, cases=0, calls=0, meetings=0, opportunities=0)
    with serving(sizes) as crm:
        lap = install(tmp_path / "installation", crm, mode="observe").lap()
    pulled = lap.report["crm"]["acme"]["pulled"]
    assert (pulled["account"]["read"], pulled["contact"]["read"]) == (ACCOUNTS, CONTACTS)
    assert lap.process.peak < MOST_MEMORY
    assert lap.reads <= MOST_CALLS * lap.least
    print(f"{lap.seconds:.0f} s, {lap.process.peak / 1e6:.0f} MB, {lap.reads} calls of {lap.least}")
