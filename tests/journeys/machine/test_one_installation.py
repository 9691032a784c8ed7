"""Two installations on one CRM, a cloned machine, a store that was lost: nobody gets two mails, and whoever stops says why."""

import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from environment import AFTER_CASE, HOUR, Environment, standing
from environment_hubspot import HubSpotEnvironment
from rich.console import Console

from connector.app import wiring
from connector.cli.setup import SetUp
from connector.ports import Clock
from connector.runtime.clock import SteppedClock
from connector.runtime.installation_id import FILE
from connector.stages import lap
from connector.stages.installation import Installation
from connector.stages.lap import Report
from connector.store.db.migrate import migrate
from connector.store.ops import marks

RULES = AFTER_CASE.replace("24h", "0s")


@contextmanager
def beside(env: Environment, folder: Path, *, clone: bool, clock: Clock | None = None) -> Iterator[Installation]:
    """Give another installation on the same CRM: a new one, or a copy of the first as it is now."""
    folder.mkdir()
    text = env.config.read_text(encoding="utf-8").replace(env.store_url, f"sqlite:///{folder / 'store.db'}")
    (folder / "config.toml").write_text(text, encoding="utf-8")
    if clone:
        shutil.copy(env.folder / FILE, folder / FILE)
        with env.installation.store.write() as tx:
            tx.exec_driver_sql("PRAGMA user_version")
        source = Path(str(env.installation.store.engine.url.database))
        for path in source.parent.glob(f"{source.name}*"):
            shutil.copy(path, folder / path.name.replace(source.name, "store.db"))
    other = wiring.build(wiring.read_settings(folder / "config.toml", {}), clock=clock or env.clock)
    migrate(other.store)
    try:
        yield other
    finally:
        for endpoint in other.endpoints:
            endpoint.adapter.close()
        if other.channel is not None:
            other.channel.close()
        other.store.close()


def at_once(*laps: Callable[[], Report]) -> list[Report]:
    """Run laps at the same second."""
    reports: list[Report] = []
    threads = [threading.Thread(target=lambda act=act: reports.append(act())) for act in laps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return reports


@pytest.fixture(params=[Environment, HubSpotEnvironment], ids=["salesforce", "hubspot"])
def acme(
    request: pytest.FixtureRequest, tmp_path: Path, store_address: str, clock: SteppedClock
) -> Iterator[Environment]:
    with standing(request.param, tmp_path, store_address, clock) as env:
        env.configure(RULES)
        assert env.lap().exit_code == 0
        yield env


@pytest.mark.parametrize("clone", [False, True], ids=["two installations", "a clone"])
def test_nobody_gets_two_mails_from_two_whose_laps_run_at_the_same_second(acme: Environment, clone: bool) -> None:
    account = acme.account("Northwind")
    people = [acme.contact(account, f"Person {n}", f"p{n}@nw.example") for n in range(3)]
    with beside(acme, acme.folder / "other", clone=clone) as other:
        # Both have seen the org, so that what ends from now on is news to both.
        at_once(acme.lap, lambda: lap.run(other))
        codes = Counter[int]()
        for hour, person in enumerate(people):
            acme.closed_case(account, person)
            acme.advance(HOUR * 4)
            codes.update(report.exit_code for report in at_once(acme.lap, lambda: lap.run(other)))
            assert len(acme.mailbox.mails) <= hour + 1
        acme.advance(HOUR)
        at_once(acme.lap, lambda: lap.run(other))
    got = Counter(mail.to for mail in acme.mailbox.mails)
    assert set(got) == {f"p{n}@nw.example" for n in range(3)}
    assert set(got.values()) == {1}
    assert codes[2] >= len(people) - 1


def test_whoever_is_stopped_says_by_whom_and_goes_on_by_the_admins_word(acme: Environment) -> None:
    account = acme.account("Northwind")
    with beside(acme, acme.folder / "other", clone=False) as other:
        report = lap.run(other)
        (error,) = report.failures["acme"]
        own = (acme.folder / FILE).read_text().strip()
        assert report.exit_code == 2
        assert f"another installation (id {own})" in error.what
        assert "--take-over" in error.remedy
        before = acme.org.log.mark()
        acme.closed_case(account, acme.contact(account, "Maria Virtanen", "maria@nw.example"))
        acme.advance(HOUR)
        assert lap.run(other).exit_code == 2
        assert acme.org.log.since(before, kind="write") == []
        done = acme_command(acme, acme.folder / "other", "setup-crm", "--take-over")
        assert done == 0
        acme.advance(HOUR)
        assert acme.lap().exit_code == 2
        assert lap.run(other).exit_code == 0


def acme_command(acme: Environment, folder: Path, *words: str) -> int:
    """Run `setup-crm --take-over` as its command does, on the world's clock."""
    env = wiring.build(wiring.read_settings(folder / "config.toml", {}), clock=acme.clock)
    try:
        endpoint = env.endpoints[0]
        take_over = "--take-over" in words
        return SetUp(Console(), env, endpoint, endpoint.adapter, dry_run=False, take_over=take_over)._mark()
    finally:
        env.endpoints[0].adapter.close()
        if env.channel is not None:
            env.channel.close()
        env.store.close()


def test_a_new_store_on_an_org_whose_mark_is_ours_and_old_goes_on_without_a_word(acme: Environment) -> None:
    account = acme.account("Northwind")
    maria = acme.contact(account, "Maria Virtanen", "maria@nw.example")
    acme.closed_case(account, maria)
    acme.later(HOUR)
    acme.answer(acme.mailbox.mails[0], 5)
    acme.later(HOUR)
    assert acme.figures(acme.ACCOUNT, account)["people"]  # our fields hold values
    acme.mark()
    folder = acme.folder / "again"
    with beside(acme, folder, clone=False) as again:
        shutil.copy(acme.folder / FILE, folder / FILE)
        acme.advance(HOUR)
        assert lap.run(again).exit_code == 2  # the old one may be alive
        acme.advance(HOUR * 2)
        assert lap.run(again).exit_code == 0
        acme.closed_case(account, maria)
        acme.advance(HOUR / 2)
        report = lap.run(again)
        assert (report.exit_code, report.sent) == (0, 1)
        assert acme.lap().exit_code == 2


def test_a_restored_copy_does_not_go_on_by_itself_however_old_the_mark(acme: Environment) -> None:
    with acme.installation.store.read() as tx:
        before = marks.own_runs(tx, "acme")
    for _ in range(3):
        acme.later(HOUR)
    with acme.installation.store.write() as tx:
        marks.keep(tx, "acme", before)
    acme.advance(HOUR * 48)
    assert acme.lap().exit_code == 2
