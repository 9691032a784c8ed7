"""Where tokens and webhooks may be sent, by what config.toml says."""

from pathlib import Path

import pytest

from connector.app.adapter_packages import installed_adapters
from connector.errors import SettingsError
from connector.settings import load

BASE = """
[crm.acme]
adapter = "hubspot"
access_token = "x"
[email]
host = "{host}"
from = "Acme Care <care@acme.example>"
username = "care@acme.example"
security = "{security}"
[email.oauth]
token_url = "{token_url}"
client_id = "i"
client_secret = "s"
[follow_up.unhappy]
when = "csat <= 2"
notify = ["{hook}"]
[web]
allow_hosts = ["chat.acme.internal"]
"""
GOOD = {
    "host": "smtp.acme.example",
    "security": "tls",
    "token_url": "https://login.example/token",
    "hook": "https://hooks.example/x",
}


def problems(folder: Path, **values: str) -> list[str]:
    path = folder / "config.toml"
    path.write_text(BASE.format(**GOOD | values), encoding="utf-8")
    try:
        load(path, environ={}, adapters=installed_adapters())
    except SettingsError as error:
        return [one.where.rpartition("/")[2] for one in error.problems]
    return []


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({}, []),
        ({"security": "none"}, ["config.toml: email.security"]),
        ({"security": "none", "host": "localhost"}, []),
        ({"token_url": "http://login.example/token"}, ["config.toml: email.oauth.token_url"]),
        ({"token_url": "http://chat.acme.internal/token"}, []),
        ({"token_url": "http://127.0.0.1:9/token"}, []),
        ({"hook": "http://hooks.example/x"}, ["config.toml: follow_up.unhappy.notify"]),
        ({"hook": "http://chat.acme.internal/x"}, []),
        ({"hook": "ftp://hooks.example/x"}, ["config.toml: follow_up.unhappy.notify"]),
    ],
)
def test_s10_secrets_go_without_tls_only_where_the_admin_says_so(
    tmp_path: Path, values: dict[str, str], where: list[str]
) -> None:
    assert problems(tmp_path, **values) == where
