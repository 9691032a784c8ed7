"""Tokens: who gets one, how long it lasts, and what a dead one is told."""

import base64
from datetime import timedelta

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from simple_salesforce import exceptions
from simple_salesforce.login import soap_login, token_login

TOKEN = "/services/oauth2/token"


def grant(http, **form):
    return http.post(http.url + TOKEN, data=form, timeout=300)


def credentials(org):
    return {"client_id": org.client.client_id, "client_secret": org.client.client_secret}


def test_client_credentials_by_form_give_a_token_of_the_integration_user(anyone, org):
    answer = grant(anyone, grant_type="client_credentials", **credentials(org))
    assert answer.status_code == 200
    body = answer.json()
    assert body["token_type"] == "Bearer"
    assert body["instance_url"] == anyone.url
    assert body["issued_at"].isdigit()
    anyone.headers["Authorization"] = f"Bearer {body['access_token']}"
    who = anyone.get(f"{anyone.url}/services/oauth2/userinfo", timeout=300).json()
    assert who["user_id"] == org.integration_id
    assert who["organization_id"] == org.organization_id


def test_client_credentials_by_basic_header_as_simple_salesforce_sends_them(anyone, org):
    pair = base64.b64encode(f"{org.client.client_id}:{org.client.client_secret}".encode()).decode()
    token, instance = token_login(
        anyone.url + TOKEN,
        {"grant_type": "client_credentials"},
        "x",
        "x",
        {"Authorization": f"Basic {pair}"},
        None,
        anyone,
    )
    assert token
    assert instance == anyone.url.removeprefix("https://")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "wrong"}, "invalid_client_id"),
        ({"grant_type": "telepathy"}, "unsupported_grant_type"),
    ],
)
def test_a_refused_grant_is_an_object_not_a_list(anyone, org, change, error):
    answer = grant(anyone, **({"grant_type": "client_credentials"} | credentials(org) | change))
    assert answer.status_code == 400
    assert answer.json()["error"] == error


def test_simple_salesforce_raises_on_a_refused_grant(anyone):
    with pytest.raises(exceptions.SalesforceAuthenticationFailed):
        token_login(anyone.url + TOKEN, {"grant_type": "password", "client_id": "no"}, "x", "x", None, None, anyone)


def key_pair():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return key, public.decode()


def test_a_signed_assertion_gives_a_token_and_a_forged_one_does_not(anyone, org):
    key, public = key_pair()
    client = org.oauth.register(org.integration_id, public_key=public)
    name = org.get("User", org.integration_id)["Username"]
    ends_at = f"{(org.clock.now() + timedelta(minutes=3)).timestamp():.0f}"
    claims = {"iss": client.client_id, "sub": name, "aud": "https://login.salesforce.com", "exp": ends_at}
    kind = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    good = grant(anyone, grant_type=kind, assertion=jwt.encode(claims, key, algorithm="RS256"))
    assert good.status_code == 200, good.text
    forged = grant(anyone, grant_type=kind, assertion=jwt.encode(claims, key_pair()[0], algorithm="RS256"))
    assert forged.status_code == 400
    assert forged.json()["error"] == "invalid_grant"
    stranger = grant(anyone, grant_type=kind, assertion=jwt.encode(claims | {"sub": "nobody"}, key, algorithm="RS256"))
    assert stranger.json()["error_description"] == "user hasn't approved this consumer"


def test_a_rotating_refresh_token_works_once_and_ends_the_old_session(anyone, org):
    client = org.oauth.register(org.integration_id, rotates=True)
    first = org.oauth.offer_refresh_token(org.integration_id, client)
    form = {"grant_type": "refresh_token", "client_id": client.client_id, "client_secret": client.client_secret}
    one = grant(anyone, refresh_token=first, **form).json()
    assert one["refresh_token"] != first
    again = grant(anyone, refresh_token=first, **form)
    assert again.status_code == 400
    assert again.json() == {"error": "invalid_grant", "error_description": "expired access/refresh token"}
    grant(anyone, refresh_token=one["refresh_token"], **form)
    anyone.headers["Authorization"] = f"Bearer {one['access_token']}"
    assert anyone.api("GET", "limits").status_code == 401


def test_a_password_opens_a_session_and_a_wrong_one_is_an_invalid_grant(anyone, org):
    name = org.get("User", org.admin_id)["Username"]
    org.oauth.passwords[name] = "correct horse"
    form = {"grant_type": "password", "username": name, **credentials(org)}
    assert grant(anyone, password="correct horse", **form).status_code == 200
    refused = grant(anyone, password="wrong", **form)
    assert refused.json() == {"error": "invalid_grant", "error_description": "authentication failure"}


def test_a_session_ends_on_the_clock(anyone, org):
    body = grant(anyone, grant_type="client_credentials", **credentials(org)).json()
    anyone.headers["Authorization"] = f"Bearer {body['access_token']}"
    assert anyone.api("GET", "limits").status_code == 200
    org.clock.advance(timedelta(hours=3))
    dead = anyone.api("GET", "limits")
    assert dead.status_code == 401
    assert dead.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    who = anyone.get(f"{anyone.url}/services/oauth2/userinfo", timeout=300)
    assert (who.status_code, who.text) == (403, "Bad_OAuth_Token")


def test_the_date_header_and_issued_at_come_from_the_clock(anyone, org):
    answer = grant(anyone, grant_type="client_credentials", **credentials(org))
    assert answer.headers["Date"] == "Mon, 02 Mar 2026 09:00:00 GMT"
    assert int(answer.json()["issued_at"]) / 1000 == org.clock.now().timestamp()


def test_the_list_of_versions_needs_no_token_and_old_ones_are_gone(anyone, http):
    versions = anyone.get(f"{anyone.url}/services/data/", timeout=300).json()
    assert {"label": "Winter '25", "url": "/services/data/v62.0", "version": "62.0"} in versions
    assert http.api("GET", "limits", version="30.0").status_code == 410
    assert http.api("GET", "limits", version="99.0").status_code == 404


def test_soap_login_is_off_as_in_new_orgs(anyone):
    with pytest.raises(exceptions.SalesforceAuthenticationFailed) as caught:
        soap_login(f"{anyone.url}/services/Soap/u/59.0", "<login/>", {"content-type": "text/xml"}, None, anyone)
    assert caught.value.code == "INVALID_OPERATION"
