"""Tokens: fetched once, renewed once, and never shown."""

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
import requests
import responses
from connected import wrong_keys
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from adapters.salesforce.crm_adapter import SalesforceAdapter
from adapters.salesforce.http.auth import audience
from connector.errors import AuthRevoked, NotLetIn, Unavailable
from connector.ports import Query, Write
from tests.adapters.salesforce.conftest import DATA, HOST, NOON, Connect, Wire

TOKEN = "/services/oauth2/token"
COUNTED = {"totalSize": 3, "done": True, "records": []}
ACCOUNTS = Query("Account", ())
APP = {"auth": "client_credentials", "client_id": "app", "client_secret": "hush-hush"}


def give_token(wire: Wire, token: str = "t1", instance: str = HOST) -> None:  # noqa: S107
    wire.answer("POST", TOKEN, {"access_token": token, "instance_url": instance, "token_type": "Bearer"})


def dead_session(wire: Wire, path: str) -> None:
    wire.refuse("GET", path, "INVALID_SESSION_ID", "Session expired or invalid", status=401)


def test_client_credentials_go_as_basic(connect: Connect, wire: Wire) -> None:
    give_token(wire)
    wire.answer("GET", "queryAll", COUNTED)
    assert connect(**APP).count(ACCOUNTS) == 3
    asked, query = (call.request for call in wire.mock.calls)
    assert asked.headers["Authorization"] == "Basic " + base64.b64encode(b"app:hush-hush").decode()
    assert query.headers["Authorization"] == "Bearer t1"


def as_pem(key: rsa.RSAPrivateKey) -> str:
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode()


def test_a_jwt_is_signed_for_three_minutes(connect: Connect, wire: Wire) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = as_pem(key)
    give_token(wire)
    wire.describe("Account")
    connect(auth="jwt", client_id="app", username="bot@acme.example", private_key=pem).describe("Account")
    form = parse_qs(str(wire.mock.calls[0].request.body))
    claims = jwt.decode(
        form["assertion"][0],
        key.public_key(),
        algorithms=["RS256"],
        audience="https://login.salesforce.com",
        options={"verify_exp": False},
    )
    assert (claims["iss"], claims["sub"]) == ("app", "bot@acme.example")
    assert claims["exp"] == int(NOON.timestamp()) + 180


def test_a_key_that_cannot_be_read_is_not_shown(connect: Connect) -> None:
    crm = connect(auth="jwt", client_id="app", username="bot@acme.example", private_key="-----MY KEY-----")
    with pytest.raises(AuthRevoked) as caught:
        crm.describe("Account")
    assert "MY KEY" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://acme.my.salesforce.com", "https://login.salesforce.com"),
        ("https://acme--dev.sandbox.my.salesforce.com", "https://test.salesforce.com"),
        ("https://crm.acme.example:8443", "https://crm.acme.example:8443"),
    ],
)
def test_a_claim_is_made_out_to_the_right_host(url: str, expected: str) -> None:
    assert audience(url) == expected


def test_f21_a_dead_token_is_renewed_and_the_call_replayed(connect: Connect, wire: Wire) -> None:
    give_token(wire)
    dead_session(wire, "sobjects/Account/describe")
    give_token(wire, "t2")
    wire.describe("Account")
    assert connect(**APP).describe("Account").name == "Account"
    assert wire.mock.calls[-1].request.headers["Authorization"] == "Bearer t2"


def test_f21_a_write_is_replayed_after_a_dead_token(connect: Connect, wire: Wire) -> None:
    give_token(wire)
    wire.refuse("POST", "composite/sobjects", "INVALID_SESSION_ID", "Session expired or invalid", status=401)
    give_token(wire, "t2")
    wire.answer("POST", "composite/sobjects", [{"id": "00T000000000001AAA", "success": True, "errors": []}])
    (result,) = connect(**APP).write([Write("t", "Task", {"Subject": "x"})])
    assert result.outcome == "created"


def test_a_new_token_that_is_refused_too_says_nothing_against_the_credentials(connect: Connect, wire: Wire) -> None:
    give_token(wire)
    dead_session(wire, "sobjects/Account/describe")
    give_token(wire, "t2")
    dead_session(wire, "sobjects/Account/describe")
    dead_session(wire, "sobjects/Account/describe")
    give_token(wire, "t3")
    wire.describe("Account")
    assert connect(**APP).describe("Account").name == "Account"


def test_a_fixed_token_cannot_be_renewed(crm: SalesforceAdapter, wire: Wire) -> None:
    dead_session(wire, "sobjects/Account/describe")
    with pytest.raises(AuthRevoked) as caught:
        crm.describe("Account")
    assert "secret" not in str(caught.value)


def test_a_long_refusal_is_told_without_a_piece_of_them(connect: Connect, wire: Wire) -> None:
    answer = {"error": "invalid_client", "error_description": "x" * 280 + "hush-hush"}
    wire.answer("POST", TOKEN, answer, status=400)
    with pytest.raises(AuthRevoked) as caught:
        connect(**APP).describe("Account")
    assert "hu" not in str(caught.value).partition("xxx")[2]


def test_refused_credentials_are_told_without_them(connect: Connect, wire: Wire) -> None:
    answer = {"error": "invalid_client", "error_description": "hush-hush is not the secret"}
    wire.answer("POST", TOKEN, answer, status=400)
    with pytest.raises(AuthRevoked) as caught:
        connect(**APP).describe("Account")
    assert "invalid_client" in str(caught.value)
    assert "hush-hush" not in str(caught.value)


WAYS = pytest.mark.parametrize(
    "way", [APP, {"auth": "refresh_token", "client_id": "app", "refresh_token": "hush-5Aep"}]
)


@WAYS
def test_an_answer_that_asks_to_try_again_judges_nobody(connect: Connect, wire: Wire, way: dict[str, str]) -> None:
    for _ in range(4):
        wire.answer("POST", TOKEN, {"error": "unknown_error", "error_description": "retry your request"}, status=400)
    with pytest.raises(Unavailable, match="unknown_error") as caught:
        connect(**way).describe("Account")
    assert caught.value.not_sent


@WAYS
@pytest.mark.parametrize("said", ["Login rate exceeded", "ip restricted or invalid login hours", "inactive user", ""])
def test_what_can_pass_by_itself_is_no_verdict_and_is_asked_for_once(
    connect: Connect, wire: Wire, way: dict[str, str], said: str
) -> None:
    wire.answer("POST", TOKEN, {"error": "invalid_grant", "error_description": said}, status=400)
    crm = connect(**way)
    for _ in range(2):  # a lap has many calls, and none of them asks for a token again at once
        with pytest.raises(NotLetIn, match="invalid_grant") as caught:
            crm.describe("Account")
        assert caught.value.not_sent


@WAYS
@pytest.mark.parametrize("said", ["expired access/refresh token", "user hasn't approved this consumer"])
def test_what_stays_refused_is_a_verdict(connect: Connect, wire: Wire, way: dict[str, str], said: str) -> None:
    wire.answer("POST", TOKEN, {"error": "invalid_grant", "error_description": said}, status=400)
    with pytest.raises(AuthRevoked):
        connect(**way).describe("Account")


def test_a_claim_that_is_said_to_be_outdated_speaks_of_the_clock(connect: Connect, wire: Wire) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for _ in range(4):
        refusal = {"error": "invalid_grant", "error_description": "expired authorization code"}
        wire.answer("POST", TOKEN, refusal, status=400)
    crm = connect(auth="jwt", client_id="app", username="rep@acme.example", private_key=as_pem(key))
    with pytest.raises(Unavailable, match="expired") as caught:
        crm.describe("Account")
    assert caught.value.not_sent
    assert "clock" in caught.value.remedy


@pytest.mark.parametrize("answer", ["<html>We are down</html>", [], {"access_token": None}, "{}"])
def test_a_page_in_place_of_a_token_judges_nobody(connect: Connect, wire: Wire, answer: Any) -> None:
    for _ in range(4):
        wire.answer("POST", TOKEN, answer, status=200)
    with pytest.raises(Unavailable):
        connect(**APP).describe("Account")


def test_a_write_without_a_token_was_certainly_not_sent(connect: Connect, wire: Wire) -> None:
    for _ in range(4):
        wire.answer("POST", TOKEN, requests.ReadTimeout("slow"))
    with pytest.raises(Unavailable) as caught:
        connect(**APP).write([Write("t", "Task", {"Subject": "x"})])
    assert caught.value.not_sent


def test_calls_go_to_the_instance_that_the_token_names(connect: Connect, wire: Wire) -> None:
    give_token(wire, instance="https://eu9.my.salesforce.com")
    where = "https://eu9.my.salesforce.com/services/data/v64.0/sobjects/Account/describe"
    wire.answer("GET", where, {"name": "Account", "fields": [{"name": "SystemModstamp"}]})
    assert connect(**APP).describe("Account").name == "Account"


def test_f22_many_threads_renew_once(connect: Connect) -> None:
    fetched: list[str] = []

    def token(request: Any) -> tuple[int, dict[str, str], str]:
        fetched.append(request.url)
        return 200, {}, f'{{"access_token": "t{len(fetched)}", "instance_url": "{HOST}"}}'

    def describe(request: Any) -> tuple[int, dict[str, str], str]:
        if request.headers["Authorization"] != "Bearer t2":
            return 401, {}, '[{"errorCode": "INVALID_SESSION_ID", "message": "expired"}]'
        return 200, {}, '{"name": "Account", "fields": [{"name": "SystemModstamp"}]}'

    with responses.RequestsMock() as mock, ThreadPoolExecutor(4) as pool:
        mock.add_callback("POST", f"{HOST}{TOKEN}", token)
        mock.add_callback("GET", f"{DATA}/sobjects/Account/describe", describe)
        crm = connect(**APP)
        assert {schema.name for schema in pool.map(crm.describe, ["Account"] * 4)} == {"Account"}
    assert len(fetched) == 2


def test_everything_wrong_with_the_settings_is_said_at_once(tmp_path: Path) -> None:
    keys = {"url": "http://localhost:1", "auth": "jwt", "client_id": "app"}
    assert [problem.where for problem in wrong_keys(tmp_path, "salesforce", keys)] == [
        "config.toml: crm.acme.private_key",
        "config.toml: crm.acme.url",
        "config.toml: crm.acme.username",
    ]


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8443",
        "https://acme.my.salesforce.com/lightning/page/home",
        "https://acme.my.salesforce.com/?login",
        "https://acme.lightning.force.com",
    ],
)
def test_an_address_out_of_the_browser_is_no_address_of_the_api(url: str, tmp_path: Path) -> None:
    (problem,) = wrong_keys(tmp_path, "salesforce", {"url": url, "access_token": "t"})
    assert problem.where == "config.toml: crm.acme.url"
    assert "https://acme.my.salesforce.com" in problem.remedy


@pytest.mark.parametrize("key", ["client_id", "client_secret", "access_token", "refresh_token"])
def test_a_character_that_nobody_sees_is_named_and_the_secret_is_not(key: str, tmp_path: Path) -> None:
    keys = {"url": "https://acme.my.salesforce.com", "access_token": "t"} | {key: "hush\u00a0hush"}
    (problem,) = wrong_keys(tmp_path, "salesforce", keys)
    assert problem.where == f"config.toml: crm.acme.{key}"
    assert "U+00A0" in problem.what
    assert "hush" not in str(problem) or key == "client_id"


def test_secrets_are_not_in_any_repr(crm: SalesforceAdapter) -> None:
    assert "secret" not in repr(crm)
    assert "secret" not in repr(vars(crm))
