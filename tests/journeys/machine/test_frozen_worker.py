"""A process is frozen in the middle of a stage for longer than its lease, another one does the work, and then it goes on: it stores,
sends and writes nothing more of what the other has done."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from databases import BOTH_DATABASES
from environment import Environment, standing, wait_for
from processes import CONTEXT
from sqlalchemy import func, select

from connector.app import wiring
from connector.stages import lap
from connector.stages.context import Context
from connector.stages.deliver import stage as deliver
from connector.stages.follow_up import stage as follow_up_stage
from connector.stages.invite import stage as invite
from connector.stages.order import AFTER_AN_ANSWER
from connector.stages.pull import stage as pull
from connector.stages.score import stage as score
from connector.stages.write_back.outbox import Outbox
from connector.store.ops import leases
from connector.store.outbox import claims
from connector.store.tables import account, attempt, decision, follow_up, response

RULES = """
[surveys.after-case]
on = "case.closed"
delay = "0s"
[follow_up.unhappy]
when = "csat <= 2"
"""
SHORT = timedelta(seconds=0.5)
"""How long a lease or a claim lasts without a sign of life, here."""


class Freezing(NamedTuple):
    """Where a process is frozen: at the first page of a stage, before it begins to store or to send it."""

    stage: str
    of: Any
    page: tuple[Any, str]
    after_an_answer: bool
    in_a_lap: bool = True
    """False: in what brings an answer to the CRM, which has no lease but its claims."""


PLACES = [
    Freezing("pull", pull, (pull, "_store"), after_an_answer=False),
    Freezing("invite", invite, (Context, "write"), after_an_answer=False),
    Freezing("deliver", deliver, (Context, "write"), after_an_answer=False),
    Freezing("score", score, (Context, "write"), after_an_answer=True),
    Freezing("follow_up", follow_up_stage, (Context, "write"), after_an_answer=True),
    Freezing("write_back", None, (Outbox, "send"), after_an_answer=True),
    Freezing("an answer's write_back", None, (Outbox, "send"), after_an_answer=True, in_a_lap=False),
]


def freeze_in(config: Path, number: int) -> None:
    """Be a process that runs a lap, and stops at its first page in a stage."""
    place = PLACES[number]
    shorten(setattr)
    entered = [place.of is None]
    if place.of is not None:
        run = place.of.run
        place.of.run = lambda *args, **options: (entered.append(True), run(*args, **options))[1]
    owner, name = place.page
    real = getattr(owner, name)

    def page(*args: Any, **options: Any) -> Any:
        if any(entered):
            setattr(owner, name, real)
            os.kill(os.getpid(), signal.SIGSTOP)
        return real(*args, **options)

    setattr(owner, name, page)
    installation = wiring.build(wiring.read_settings(config, {}))
    if place.in_a_lap:
        report = lap.run(installation, may_wait=False)
    else:
        with installation.store.read() as tx:
            everybody = [*tx.execute(select(account.c.customer)).scalars()]
        report = lap.run(installation, may_wait=False, stages=AFTER_AN_ANSWER, customers=everybody)
    assert report.exit_code == 0, report.failures
    os._exit(10 if report.busy else 0)


def shorten(set_: Callable[[Any, str, Any], None]) -> None:
    set_(leases, "TTL", SHORT)
    set_(claims, "LASTS", SHORT)
    set_(claims, "RENEWED_AFTER", SHORT / 5)


@contextmanager
def frozen(env: Environment, place: Freezing) -> Iterator[Any]:
    """Have a process frozen at a place for as long as the block runs; it goes on, and ends, after that."""
    process = CONTEXT.Process(target=freeze_in, args=(env.config, PLACES.index(place)), daemon=True)
    process.start()
    assert process.pid is not None
    try:
        wait_for(lambda: state_of(process.pid) in "TZ")
        assert state_of(process.pid) == "T", f"it never came to {place.stage}"
        time.sleep(2 * SHORT.total_seconds())
        yield process
    finally:
        os.kill(process.pid, signal.SIGCONT)
        process.join(120)


def state_of(pid: int | None) -> str:
    """Return the kernel's letter for what a process is doing."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]


@BOTH_DATABASES
def test_whoever_was_frozen_for_too_long_does_nothing_that_another_has_done(
    tmp_path: Path, store_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten(lambda module, name, value: monkeypatch.setattr(module, name, value))
    with standing(Environment, tmp_path, store_address) as env:
        env.configure(RULES)
        northwind = env.account("Northwind")
        assert env.lap().exit_code == 0
        for number, place in enumerate(PLACES, 1):
            address = f"p{number}@nw.example"
            env.closed_case(northwind, env.contact(northwind, f"Person {number}", address))
            if place.after_an_answer:
                assert env.lap().exit_code == 0
                env.answer(only(env, address), 1)
            with frozen(env, place) as process:
                assert env.lap().exit_code == 0
                if not place.after_an_answer:
                    env.answer(only(env, address), 1)
                    assert env.lap().exit_code == 0
                done = (count(env), env.figures("Account", northwind)["people"], len(env.tasks()))
            assert process.exitcode in (0, 10)
            assert (count(env), env.figures("Account", northwind)["people"], len(env.tasks())) == done, place.stage
            assert done == ([number] * 4, number, number), place.stage
        env.mark_writes()
        assert env.lap().exit_code == 0
        assert env.writes == []
        assert len([mail for mail in env.mailbox.mails if mail.unsubscribe]) == len(PLACES)


def only(env: Environment, address: str) -> Any:
    (mail,) = env.mailbox.to(address)
    return mail


def count(env: Environment) -> list[int]:
    """Count decisions, attempts, responses and follow-ups."""
    with env.installation.store.read() as tx:
        return [
            tx.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (decision, attempt, response, follow_up)
        ]
