"""A bad day ends: whatever faults a CRM had, two laps after them it stands where it would stand without any."""

import time
from collections import defaultdict
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from environment import AFTER_CASE, UNHAPPY, Environment, standing
from environment_hubspot import HubSpotEnvironment
from storm import storm
from town import Answer, Town

from connector.runtime.clock import SteppedClock
from connector.store import Store
from connector.store.db.migrate import migrate

RULES = AFTER_CASE.replace("24h", "2h") + UNHAPPY
RATE = 0.1


def town(stack: ExitStack, kind: type[Environment], folder: Path, seed: int) -> Town:
    """Build an installation beside a CRM, live on an empty org."""
    folder.mkdir(parents=True)
    address = f"sqlite:///{folder / 'afterword.db'}"
    store = Store(address)
    migrate(store)
    store.close()
    env = stack.enter_context(standing(kind, folder, address, SteppedClock(datetime(2026, 11, 16, 8, tzinfo=UTC))))
    env.configure(RULES)
    assert env.lap().exit_code == 0
    return Town(env, seed)


def run_stormy(here: Town, *, seconds: float, least: int) -> tuple[int, int]:
    """Live through a storm; return the hours that it took and how many calls met a fault."""
    deadline, step = time.monotonic() + seconds, 0
    with storm(here.env, rate=RATE, seed=here.seed) as hits:
        while step < least or time.monotonic() < deadline:
            here.step(step, None)
            step += 1
    return step, hits[0]


def run_calm(here: Town, steps: int, answers: list[Answer]) -> None:
    """Live through the same hours without a fault, the same mails answered at the same moments."""
    by_step: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for step, to, subject in answers:
        by_step[step].add((to, subject))
    for step in range(steps):
        here.step(step, by_step[step])


@pytest.mark.parametrize("kind", [Environment, HubSpotEnvironment], ids=["salesforce", "hubspot"])
@pytest.mark.parametrize(
    ("seconds", "seed"),
    [(0, 1), pytest.param(1800, 3, marks=[pytest.mark.soak, pytest.mark.timeout(14400)])],
    ids=["short", "30 minutes"],
)
def test_two_laps_after_a_storm_the_crm_stands_as_if_there_had_been_none(
    tmp_path: Path, kind: type[Environment], seconds: float, seed: int
) -> None:
    with ExitStack() as stack:
        stormy = town(stack, kind, tmp_path / "stormy", seed)
        hours, hits = run_stormy(stormy, seconds=seconds, least=20)
        assert hits > hours / 2
        for _ in range(2):
            stormy.env.lap()
        calm = town(stack, kind, tmp_path / "calm", seed)
        run_calm(calm, hours, stormy.answered)
        for _ in range(2):
            calm.env.lap()
        assert stormy.state() == calm.state()
        assert len(stormy.answered) > 1
        stormy.env.mark_writes()
        assert stormy.env.lap().exit_code == 0
        assert stormy.env.writes == []
