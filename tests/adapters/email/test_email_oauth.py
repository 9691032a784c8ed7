"""Signing in with a token."""

import base64

import pytest
import requests
import responses
from mail_servers import SCRIPT, Broken, broken_server, message

from connector.errors import MailUnavailable

OAUTH = {"token_url": "https://login.example/token", "client_id": "app", "client_secret": "hush", "refresh_token": "r1"}


class Gate(Broken):
    """Takes XOAUTH2 with the tokens that are good."""

    good = ("token1",)
    offered: tuple[str, ...] = ()

    def _answer(self, connection, lines, verb):
        if verb != "AUTH":
            return super()._answer(connection, lines, verb)
        connection.sendall(b"235 welcome\r\n" if self.offered[-1] in self.good else b"535 5.7.8 no\r\n")
        return True

    def serve(self, connection):
        self.live = connection
        connection.sendall(self.greeting)
        with connection.makefile("rb") as lines:
            while line := lines.readline():
                words = line.decode().split()
                if words[0] == "AUTH":
                    secret = base64.b64decode(words[2]).decode()
                    self.offered += (secret.partition("Bearer ")[2].rstrip("\x01"),)
                if not self._answer(connection, lines, words[0].upper()):
                    return


def gate():
    return Gate(SCRIPT | {"EHLO": b"250-test\r\n250 AUTH XOAUTH2\r\n"})


def grant(token, **more):
    responses.post(OAUTH["token_url"], json={"access_token": token, "expires_in": 3600, **more})


@responses.activate
def test_a_token_is_fetched_once_and_used_for_every_connection(make):
    grant("token1")
    server = gate()
    with broken_server(server) as port:
        channel = make(port, username="care@acme.example", oauth=OAUTH)
        channel.prepare(message()).send()
        channel.close()
        channel.prepare(message()).send()

    assert server.offered == ("token1", "token1")
    assert len(responses.calls) == 1
    assert "grant_type=refresh_token" in responses.calls[0].request.body
    assert server.dots == 2


@responses.activate
def test_a_token_that_was_withdrawn_is_replaced_for_the_next_attempt(make):
    grant("old")
    grant("token1")
    server = gate()
    with broken_server(server) as port:
        channel = make(port, username="care@acme.example", oauth=OAUTH)
        with pytest.raises(MailUnavailable, match="refused the login"):
            channel.prepare(message()).send()
        channel.prepare(message()).send()

    assert server.offered == ("old", "token1")


@responses.activate
def test_a_rotated_refresh_token_is_used_from_then_on(make):
    grant("old", refresh_token="r2")
    grant("token1")
    with broken_server(gate()) as port:
        channel = make(port, username="care@acme.example", oauth=OAUTH)
        with pytest.raises(MailUnavailable):
            channel.prepare(message()).send()
        channel.prepare(message()).send()

    assert "refresh_token=r2" in responses.calls[1].request.body


@responses.activate
def test_without_a_refresh_token_the_client_speaks_for_itself(make):
    grant("token1")
    oauth = {name: value for name, value in OAUTH.items() if name != "refresh_token"} | {"scope": "mail.send"}
    with broken_server(gate()) as port:
        make(port, username="care@acme.example", oauth=oauth).prepare(message()).send()

    assert "grant_type=client_credentials" in responses.calls[0].request.body
    assert "scope=mail.send" in responses.calls[0].request.body


@responses.activate
@pytest.mark.parametrize(
    "reply",
    [
        {"status": 400, "json": {"error": "invalid_grant"}},
        {"status": 502, "body": "<html>down</html>"},
        {"status": 200, "json": ["no"]},
        {"body": requests.ConnectionError("no route")},
    ],
)
def test_without_a_token_nothing_is_sent_and_no_secret_is_told(make, reply):
    responses.post(OAUTH["token_url"], **reply)
    with broken_server(gate()) as port, pytest.raises(MailUnavailable) as error:
        make(port, username="care@acme.example", oauth=OAUTH).prepare(message()).send()

    assert "email.oauth" in error.value.remedy
    assert "hush" not in str(error.value)
    assert "r1" not in str(error.value)
