"""A refresh token may be good once. The one that replaced it is kept, for every process; a refusal stops the connection and is told."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from house import HOUR
from house_renewing import Renewing

from connector import wiring
from connector.errors import AuthRevoked
from connector.stages import lap
from connector.vault import Vault


@pytest.fixture
def other(renewing: Renewing) -> Iterator[lap.Installation]:
    """A second service on the same database, and the same config.toml."""
    house = renewing.house
    installation = wiring.build(wiring.read_settings(house.config, {}), clock=house.clock)
    yield installation
    installation.endpoints[0].adapter.close()
    installation.store.close()


def test_two_services_on_one_database_take_turns_with_one_refresh_token(
    renewing: Renewing, other: lap.Installation
) -> None:
    house = renewing.house
    for service in (house.installation, other, house.installation, other):
        house.advance(3 * HOUR)
        assert lap.run(service).failures == {}
    assert renewing.exchanges == 4
    assert renewing.given not in house.org.oauth.refresh_tokens


def test_a_token_that_the_other_service_got_may_have_been_ended_too(
    renewing: Renewing, other: lap.Installation
) -> None:
    house = renewing.house
    for service in (house.installation, other, house.installation):
        assert lap.run(service).failures == {}
        getattr(house.org.oauth, "sessions" if renewing.kind == "salesforce" else "tokens").clear()
    assert renewing.exchanges == 3


def test_a_power_cut_just_after_an_exchange_loses_no_token(renewing: Renewing, monkeypatch: pytest.MonkeyPatch) -> None:
    house = renewing.house

    class PowerCut(Exception):
        """The process dies here."""

    real = Vault.save

    def cut_after(self: Vault, tokens: dict[str, str]) -> None:
        real(self, tokens)
        raise PowerCut

    with monkeypatch.context() as patched, pytest.raises(PowerCut):
        patched.setattr(Vault, "save", cut_after)
        house.lap()
    assert {call.kind for call in house.org.log} == {"auth"}  # nothing was done with the new token before it was kept
    house.restart()
    assert house.later(timedelta(minutes=5)).exit_code == 0
    assert renewing.exchanges == 1


def test_a_refusal_stops_the_connection_and_says_so(renewing: Renewing) -> None:
    house = renewing.house
    house.org.oauth.refresh_tokens.clear()
    report = house.lap()
    (error,) = report.failures["acme"]
    assert (report.exit_code, type(error)) == (3, AuthRevoked)
    told = house.status()["crm"]["acme"]["refused"]
    assert "refused" in told["what"]
    assert told["remedy"]
    asked = len(house.org.log)
    assert house.later(HOUR).exit_code == 3
    assert len(house.org.log) == asked
