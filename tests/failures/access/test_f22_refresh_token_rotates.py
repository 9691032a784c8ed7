"""A refresh token may be good once. The one that replaced it is kept, for every process; a refusal stops the connection and is told."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from environment import HOUR
from environment_renewing import Renewing

from connector.app import wiring
from connector.errors import AuthRevoked
from connector.runtime.token_vault import Vault
from connector.stages import lap
from connector.stages.installation import Installation


@pytest.fixture
def other(renewing: Renewing) -> Iterator[Installation]:
    """A second service on the same database, and the same config.toml."""
    env = renewing.env
    installation = wiring.build(wiring.read_settings(env.config, {}), clock=env.clock)
    yield installation
    installation.endpoints[0].adapter.close()
    installation.store.close()


def test_two_services_on_one_database_take_turns_with_one_refresh_token(
    renewing: Renewing, other: Installation
) -> None:
    env = renewing.env
    for service in (env.installation, other, env.installation, other):
        env.advance(3 * HOUR)
        assert lap.run(service).failures == {}
    assert renewing.exchanges == 4
    assert renewing.given not in env.org.oauth.refresh_tokens


def test_a_token_that_the_other_service_got_may_have_been_ended_too(renewing: Renewing, other: Installation) -> None:
    env = renewing.env
    for service in (env.installation, other, env.installation):
        assert lap.run(service).failures == {}
        getattr(env.org.oauth, "sessions" if renewing.kind == "salesforce" else "tokens").clear()
    assert renewing.exchanges == 3


def test_a_power_cut_just_after_an_exchange_loses_no_token(renewing: Renewing, monkeypatch: pytest.MonkeyPatch) -> None:
    env = renewing.env

    class PowerCut(Exception):
        """The process dies here."""

    real = Vault.save

    def cut_after(self: Vault, tokens: dict[str, str]) -> None:
        real(self, tokens)
        raise PowerCut

    with monkeypatch.context() as patched, pytest.raises(PowerCut):
        patched.setattr(Vault, "save", cut_after)
        env.lap()
    assert {call.kind for call in env.org.log} == {"auth"}  # nothing was done with the new token before it was kept
    env.restart()
    assert env.later(timedelta(minutes=5)).exit_code == 0
    assert renewing.exchanges == 1


def test_a_refusal_stops_the_connection_and_says_so(renewing: Renewing) -> None:
    env = renewing.env
    env.org.oauth.refresh_tokens.clear()
    report = env.lap()
    (error,) = report.failures["acme"]
    assert (report.exit_code, type(error)) == (3, AuthRevoked)
    refusal = env.status()["crm"]["acme"]["refused"]
    assert "refused" in refusal["what"]
    assert refusal["remedy"]
    asked = len(env.org.log)
    assert env.later(HOUR).exit_code == 3
    assert len(env.org.log) == asked
