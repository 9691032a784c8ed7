"""A host that is not in the DNS is told by its name, with what to do; a resolver that does not answer is another thing."""

import socket
from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from connected import connected

from adapters.hubspot import adapter as hubspot
from adapters.salesforce import adapter as salesforce
from connector.errors import Unavailable
from connector.runtime.clock import SteppedClock

CRMS = {
    "salesforce": (salesforce, {"url": "https://acme.my.salesforce.com", "auth": "token", "access_token": "t"}),
    "hubspot": (hubspot, {"url": "https://api.hubapi.com", "access_token": "t"}),
}
SAID = [(socket.EAI_NONAME, "is not known to the DNS"), (socket.EAI_AGAIN, "could not be looked up in the DNS")]


def failing(code: int) -> Callable[..., NoReturn]:
    def look_up(*_args: Any, **_more: Any) -> NoReturn:
        raise socket.gaierror(code, "what the resolver says")

    return look_up


@pytest.mark.parametrize("name", CRMS)
@pytest.mark.parametrize(("code", "told"), SAID)
def test_the_name_is_told(
    name: str, code: int, told: str, clock: SteppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    package, values = CRMS[name]
    for proxy in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(proxy, raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", failing(code))
    with pytest.raises(Unavailable) as refused:
        connected(package, "acme", values, clock).org()
    host = str(values["url"]).removeprefix("https://")
    assert f"the name {host} {told}" in refused.value.what
    assert "url" in refused.value.remedy
    assert refused.value.not_sent
