"""Behind a proxy each visitor is one of their own: whose word counts for where a request comes from."""

import asyncio
from typing import Any

import pytest

from connector.app.service import server_config
from connector.settings import Web

VISITOR = "203.0.113.7"


def source_through(peer: str, *proxies: str, forwarded: str = VISITOR) -> str:
    """Return where a request counts as coming from that `peer` passes on with this X-Forwarded-For."""
    seen: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["client"][0])

    config = server_config(app, Web.model_validate({"trusted_proxies": proxies}))
    config.load()
    headers = [(b"x-forwarded-for", forwarded.encode())]
    scope = {"type": "http", "client": (peer, 4711), "headers": headers, "scheme": "http"}
    asyncio.run(config.loaded_app(scope, None, None))  # type: ignore[arg-type]
    return seen[0]


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.0.0.66", "::1", "::ffff:127.0.0.1"])
def test_a_proxy_on_this_machine_is_believed_without_a_word(peer: str) -> None:
    assert source_through(peer) == VISITOR


@pytest.mark.parametrize(
    ("peer", "proxies"),
    [
        ("172.18.0.3", ["172.18.0.3"]),
        ("172.18.0.3", ["10.0.0.0/8", "172.18.0.0/16"]),
        ("::ffff:172.18.0.3", ["172.18.0.0/16"]),
        ("fd00::5", ["fd00::/8"]),
    ],
)
def test_a_proxy_that_trusted_proxies_names_is_believed(peer: str, proxies: list[str]) -> None:
    assert source_through(peer, *proxies) == VISITOR


def test_whoever_is_no_trusted_proxy_speaks_for_themselves_alone() -> None:
    assert source_through("172.19.0.3", "172.18.0.0/16") == "172.19.0.3"
    # What a visitor writes into the header before the proxy adds its own is not believed.
    assert source_through("172.18.0.3", "172.18.0.3", forwarded=f"198.51.100.1, {VISITOR}") == VISITOR


def test_what_the_web_servers_own_variable_names_is_believed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "10.1.2.3, 10.2.0.0/16")
    assert (source_through("10.2.9.9"), source_through("127.0.0.1")) == (VISITOR, VISITOR)
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    assert source_through("198.51.100.9") == VISITOR
