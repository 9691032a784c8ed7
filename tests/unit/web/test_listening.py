"""The port of `run` is taken before anything else is done; what stands in the way is told with its key."""

import socket
from collections.abc import Iterator

import pytest

from connector.errors import SettingsError
from connector.settings import Listen
from connector.web.server.socket import listening


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


@pytest.mark.parametrize(
    ("host", "port", "words"),
    [
        ("127.0.0.1", None, "is taken"),
        ("192.0.2.1", 8080, "no address of this machine"),
        ("no-such-host.invalid", 8080, "no address of this machine"),
    ],
)
def test_what_keeps_it_from_listening_is_told_by_its_key(taken: int, host: str, port: int | None, words: str) -> None:
    with pytest.raises(SettingsError) as caught, listening(Listen(host, port or taken), "config.toml"):
        pass
    (problem,) = caught.value.problems
    assert problem.where == "config.toml: web.listen"
    assert f"{host}:{port or taken}" in problem.what
    assert words in problem.what
    assert problem.remedy


def test_a_port_that_needs_more_rights_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(SettingsError, match="may not listen"), listening(Listen("127.0.0.1", 80), "config.toml"):
        pass


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_whoever_comes_second_finds_it_taken_at_once(host: str) -> None:
    port = free_port()
    with listening(Listen(host, port), "config.toml") as server:
        assert server.getsockname()[1] == port
        with pytest.raises(SettingsError, match="is taken"), listening(Listen(host, port), "config.toml"):
            pass
    with listening(Listen(host, port), "config.toml"):
        pass  # it is free again at once
