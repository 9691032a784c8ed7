"""A CRM that no longer lets us in: its connection stands still until the admin acts, and the other one goes on."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from environment import DAY, HOUR
from environment_both import TwoCrmEnvironment, standing_beside_both
from rich.console import Console
from sqlalchemy import select

from connector.cli.output import results
from connector.commands.check import checks
from connector.runtime.clock import SteppedClock
from connector.stages import lap
from connector.store import tables
from connector.store.ops import connections

NAMES = pytest.mark.parametrize("name", ["acme", "hub"])


@pytest.fixture
def live(tmp_path: Path, store_address: str, clock: SteppedClock) -> Iterator[TwoCrmEnvironment]:
    """An installation that went live beside two empty CRMs."""
    with standing_beside_both(tmp_path, store_address, clock) as env:
        assert env.lap().exit_code == 0
        yield env


def revoke(live: TwoCrmEnvironment, name: str) -> None:
    """Take back what the connection signs in with."""
    if name == "hub":
        live.hub.org.oauth.end(live.hub.org.access_token)
        return
    live.org.client.client_secret = secrets.token_hex(32)
    live.org.oauth.end_all()


def give_new(live: TwoCrmEnvironment, name: str) -> None:
    """Let the admin write new credentials into config.toml, and start again."""
    if name == "hub":
        live.hub.org.access_token = live.hub.org.oauth.private_app()
    live.configure()


def calls(live: TwoCrmEnvironment, name: str) -> int:
    """Return how many calls a CRM has seen, those for tokens too."""
    return len((live.hub if name == "hub" else live).org.log)


@NAMES
def test_f22_refused_credentials_stop_that_connection_alone_until_there_are_new_ones(
    live: TwoCrmEnvironment, name: str
) -> None:
    other = "acme" if name == "hub" else "hub"
    revoke(live, name)
    first = live.later(HOUR)
    assert (first.exit_code, list(first.failures)) == (3, [name])

    # It is not called again, by whichever process; the other one is.
    before, elsewhere = calls(live, name), calls(live, other)
    for _ in range(2):
        live.restart()
        report = live.later(HOUR)
        assert (report.exit_code, list(report.failures)) == (3, [name])
        (error,) = report.failures[name]
        assert "Since 2026-11-16" in error.what
        assert f"afterword resume --crm {name}" in error.remedy
    assert calls(live, name) == before
    assert calls(live, other) > elsewhere

    told = live.status()["crm"]
    assert "refused" in told[name]["refused"]["what"]
    assert "New credentials in config.toml are tried at once" in told[name]["refused"]["remedy"]
    assert told[other]["refused"] is None

    give_new(live, name)
    assert live.later(HOUR).exit_code == 0
    assert calls(live, name) > before
    assert live.status()["crm"][name]["refused"] is None


def test_a_refusal_in_the_middle_of_a_lap_ends_its_calls(live: TwoCrmEnvironment) -> None:
    name = "acme"
    account, company = live.account("Northwind"), live.hub.account("Southwind")
    live.closed_case(account, live.contact(account, "Maria Virtanen", "maria@nw.example"))
    live.hub.closed_case(company, live.hub.contact(company, "Pekka Niemi", "pekka@sw.example"))
    live.later(HOUR)
    assert live.later(DAY).sent == 2
    for mail in list(live.mailbox.mails):
        live.answer(mail, 1, "Nobody called back.")
    revoke(live, name)
    report = live.lap()
    assert report.exit_code == 3
    assert report.responses == 2
    assert list(report.failures) == [name]
    assert len(report.failures[name]) == 1
    assert list(report.written) == ["hub"]


def test_resume_tries_the_same_credentials_again(live: TwoCrmEnvironment) -> None:
    name = "hub"
    revoke(live, name)
    live.later(HOUR)
    before = calls(live, name)
    with live.installation.store.write() as tx:
        connections.resume(tx, name)
    assert live.later(HOUR).exit_code == 3
    assert calls(live, name) > before
    before = calls(live, name)
    assert live.later(HOUR).exit_code == 3
    assert calls(live, name) == before


def test_check_and_status_say_so_in_plain_words(live: TwoCrmEnvironment, capsys: pytest.CaptureFixture[str]) -> None:
    old = live.org.client.client_secret
    revoke(live, "acme")
    live.later(HOUR)
    by_place = {problem.where: problem for problem in checks.check(live.installation).problems}
    assert "credentials are refused" in by_place["config.toml: crm.acme"].what
    assert "Check the credentials" in by_place["config.toml: crm.acme"].remedy
    results.status(Console(width=400), live.status())
    said = capsys.readouterr().out
    assert "refused us since 2026-11-16" in said
    assert "afterword resume" in said

    # The admin of the CRM gave the right back, and ours has only to say so.
    live.org.client.client_secret = old
    (problem,) = [
        candidate
        for candidate in checks.check(live.installation).problems
        if candidate.where == "config.toml: crm.acme"
    ]
    assert "Just now it let us in" in problem.what
    assert problem.remedy == "Run `afterword resume --crm acme`."


def test_what_is_kept_of_credentials_tells_nobody_anything(live: TwoCrmEnvironment) -> None:
    revoke(live, "hub")
    live.later(HOUR)
    table = tables.connection_state
    with live.installation.store.read() as tx:
        row = tx.execute(select(table).where(table.c.connection == "hub")).one()
    endpoint = next(one for one in live.installation.endpoints if one.name == "hub")
    assert row.refused_with not in ("", endpoint.credentials)
    assert live.hub.org.access_token not in repr((row, endpoint, live.installation))
    assert endpoint.credentials not in repr(endpoint)


def test_a_stage_alone_does_not_call_it_either(live: TwoCrmEnvironment) -> None:
    revoke(live, "hub")
    live.later(HOUR)
    before = calls(live, "hub")
    assert live.lap(stages=(lap.Stage.WRITE_BACK,)).exit_code == 3
    assert calls(live, "hub") == before
