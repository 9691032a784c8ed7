"""By which name a mail server is greeted."""

import socket
from pathlib import Path

import pytest
from mail_servers import SCRIPT, Broken, Sink, broken_server, message, smtp_server

from connector.app import wiring
from connector.app.adapter_packages import installed_adapters
from connector.settings import load

CONFIG = """
[web]
public_url = "{public_url}"
secret = "a secret that is only good for this test, long enough"
[email]
host = "localhost"
from = "Acme Care <care@{domain}>"
{more}
[crm.acme]
adapter = "salesforce"
url = "https://acme.my.salesforce.com"
access_token = "x"
"""


@pytest.mark.parametrize(
    ("public_url", "domain", "more", "name"),
    [
        ("https://feedback.acme.example", "acme.example", "", "feedback.acme.example"),
        ("https://feedback.acme.example/x", "acme.example", 'ehlo_name = "Mail.acme.example"', "mail.acme.example"),
        ("https://palaute.bücher.example", "acme.example", "", "palaute.xn--bcher-kva.example"),
        ("http://localhost:8080", "bücher.example", "", "xn--bcher-kva.example"),
        ("http://127.0.0.1:8080", "acme.example", "", "acme.example"),
    ],
)
def test_the_name_is_a_full_one_that_has_to_do_with_us(
    tmp_path: Path, public_url: str, domain: str, more: str, name: str
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(CONFIG.format(public_url=public_url, domain=domain, more=more), encoding="utf-8")
    settings = load(file, environ={}, adapters=installed_adapters())
    assert settings.email is not None
    assert wiring.ehlo_name(settings, settings.email) == name


@pytest.mark.parametrize(
    ("values", "name"), [({"ehlo_name": "mail.acme.example"}, "mail.acme.example"), ({}, "acme.example")]
)
def test_the_server_hears_it_and_never_the_machines_own_name(make, monkeypatch, values, name) -> None:
    monkeypatch.setattr(socket, "getfqdn", lambda *_: "0f3c1a2b4d5e")
    sink = Sink()
    with smtp_server(sink) as port:
        make(port, **values).prepare(message()).send()
    assert [session.host_name for session in sink.sessions] == [name]


def test_a_server_behind_tls_hears_it_too(make, monkeypatch, authority) -> None:
    monkeypatch.setattr(socket, "getfqdn", lambda *_: "0f3c1a2b4d5e")
    server = Broken(dict(SCRIPT))
    with broken_server(server, authority.context()) as port:
        make(port, security="tls", ca_bundle=authority.path).prepare(message()).send()
    assert server.greeted_as == ["acme.example"]


def test_a_server_that_turns_to_tls_hears_it_before_and_behind(make, monkeypatch, authority) -> None:
    monkeypatch.setattr(socket, "getfqdn", lambda *_: "0f3c1a2b4d5e")
    sink = Sink()
    with smtp_server(sink, tls_context=authority.context(), require_starttls=True) as port:
        make(port, security="starttls", ca_bundle=authority.path).prepare(message()).send()
    assert [session.host_name for session in sink.sessions] == ["acme.example"]
