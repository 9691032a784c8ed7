"""The database's address is judged when it is read, and no piece of its password is shown by anybody."""

from contextlib import closing
from pathlib import Path

import pytest

from connector.app.adapter_packages import installed_adapters
from connector.errors import Problem, SettingsError, StoreError
from connector.settings import load
from connector.store import Store

HUB = '[crm.hub]\nadapter = "hubspot"\naccess_token = "t"\n'
PIECES = ("s3cr3t", "w0rd", "p4ss")


def problem(folder: Path, url: str, environ: dict[str, str] | None = None) -> Problem | None:
    (folder / "config.toml").write_text(HUB + (f'[store]\nurl = "{url}"\n' if url else ""), encoding="utf-8")
    try:
        load(folder / "config.toml", environ=environ or {}, adapters=installed_adapters())
    except SettingsError as error:
        (found,) = error.problems
        return found
    return None


@pytest.mark.parametrize(
    ("address", "remedy"),
    [
        ("postgresql+psycopg://u:s3cr3t@w0rd@db.acme.example/afterword", "%40"),
        ("postgresql+psycopg://u:s3cr3t@p4ss/w0rd@db.acme.example/afterword", "%40"),
        ("postgresql+psycopg://u:s3cr3t@p4ss?w0rd@db.acme.example/afterword", "%40"),
        ("postgresql+psycopg://u:s3cr3t%w0rd@db.acme.example/afterword", "%25"),
        ("postgresql+psycopg://u:s3cr3t/afterword", "USER:PASSWORD@HOST"),
        ("postgresql+psycopg://u:p4ss w0rd@db.acme.example/afterword", "%20"),
        ("postgres://u:s3cr3t@db.acme.example/afterword", "postgresql+psycopg://"),
    ],
)
def test_an_address_that_would_be_misread_is_named_without_a_piece_of_the_password(
    tmp_path: Path, address: str, remedy: str
) -> None:
    found = problem(tmp_path, address)
    assert found is not None
    assert found.where.endswith("config.toml: store.url")
    assert remedy in found.remedy
    assert not [piece for piece in PIECES if piece in str(found)]


def test_an_address_of_the_environment_is_judged_too(tmp_path: Path) -> None:
    found = problem(tmp_path, "", {"AFTERWORD_STORE__URL": "postgresql+psycopg://u:s3cr3t@w0rd@db/afterword"})
    assert found is not None
    assert found.where == "environment: AFTERWORD_STORE__URL"
    assert "w0rd" not in str(found)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql+psycopg://u:s3cr3t%40w0rd@db.acme.example:5432/afterword?sslmode=require",
        "postgresql+psycopg://u:pa:ss@db.acme.example/afterword",
        "postgresql+psycopg://u:pa/ss@db.acme.example/afterword",
        "postgresql+psycopg://u@[::1]:5432/afterword",
        "postgresql+psycopg://postgres:@/postgres?host=/tmp/socket",
        "postgresql+psycopg:///afterword",
        "sqlite:///a@b@c 100%.db",
    ],
)
def test_an_address_that_is_read_as_it_is_meant_is_accepted(tmp_path: Path, address: str) -> None:
    assert problem(tmp_path, address) is None


@pytest.mark.parametrize(
    "address",
    [
        "postgresql+psycopg://u:s3cr3t@w0rd.invalid/afterword",  # the host is not known, and named
        "postgresql+psycopg://u:w0rd.invalid@w0rd.invalid/afterword",
        "postgresql+psycopg://u:x%40s3cr3t@127.0.0.1:1/afterword?s3cr3t=1",
    ],
)
def test_what_the_driver_says_is_passed_on_only_where_it_holds_no_piece(address: str) -> None:
    with closing(Store(address)) as store, pytest.raises(StoreError) as caught, store.read():
        pass
    assert caught.value.where == "store.url"
    assert "s3cr3t" not in str(caught.value)
    assert ("w0rd.invalid" in str(caught.value)) == address.startswith("postgresql+psycopg://u:s3cr3t@")
