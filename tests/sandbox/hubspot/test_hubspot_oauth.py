"""Tokens: private apps with scopes, and public apps whose access tokens end and are renewed."""

from datetime import timedelta

import pytest
from hubspot_wire import Hub

CONTACTS = "crm/objects/2026-03/contacts"
OWN = ["crm.objects.contacts.read"]


@pytest.fixture
def app(portal):
    """A public app and its refresh token."""
    client = portal.oauth.register(OWN)
    return client, portal.oauth.offer_refresh_token(client)


def refresh(hub, client, token, version="v3"):
    form = {"grant_type": "refresh_token", "client_id": client.client_id, "client_secret": client.client_secret}
    return hub.api("POST", f"oauth/{version}/token", data=form | {"refresh_token": token})


def as_token(hub, token):
    return Hub(hub.url, str(hub.verify), token)


def test_without_a_token_nothing_is_answered(hub):
    for token in (None, "pat-na1-unknown"):
        with as_token(hub, token) as anyone:
            answer = anyone.api("GET", CONTACTS)
        assert (answer.status_code, answer.json()["category"]) == (401, "INVALID_AUTHENTICATION")
        assert answer.json()["message"].startswith("Authentication credentials not found. This API supports OAuth 2.0")


def test_missing_scopes_are_named(hub, portal):
    with as_token(hub, portal.oauth.private_app(OWN)) as app:
        assert app.api("GET", CONTACTS).status_code == 200
        refused = app.api("POST", CONTACTS, json={"properties": {"firstname": "A"}})
        assert app.api("POST", f"{CONTACTS}/search", json={}).status_code == 200
        assert app.api("GET", "crm/owners/2026-03").status_code == 403
        assert app.api("GET", "crm/objects/2026-03/tickets").status_code == 403
        assert app.api("GET", "crm/pipelines/2026-03/tickets").status_code == 403
        assert app.api("POST", "crm/properties/2026-03/contacts", json={}).status_code == 403
        assert app.api("GET", "crm/properties/2026-03/contacts").status_code == 200
        path = "crm/associations/2026-03/contacts/companies/batch/read"
        assert app.api("POST", path, json={"inputs": []}).status_code == 403
    body = refused.json()
    assert (refused.status_code, body["category"]) == (403, "MISSING_SCOPES")
    assert body["errors"][0]["context"] == {"requiredGranularScopes": ["crm.objects.contacts.write"]}
    assert body["links"] == {"scopes": "https://developers.hubspot.com/scopes"}
    assert portal.count("contacts") == 0


def test_bodies_of_mails_need_a_scope_of_their_own(hub, portal):
    portal.insert("emails", {"hs_timestamp": "0", "hs_email_text": "Dear", "hs_email_subject": "S"})
    names = {"properties": "hs_email_text,hs_email_subject"}
    for more, body in (([], None), (["sales-email-read"], "Dear")):
        with as_token(hub, portal.oauth.private_app([*OWN, *more])) as app:
            row = app.ok("GET", "crm/objects/2026-03/emails", params=names)["results"][0]["properties"]
        assert (row["hs_email_text"], row["hs_email_subject"]) == (body, "S")


@pytest.mark.parametrize("version", ["v1", "v3", "2026-03"])
def test_an_access_token_lasts_half_an_hour_and_is_renewed(hub, app, clock, version):
    client, token = app
    answer = refresh(hub, client, token, version)
    told = answer.json()
    assert answer.status_code == 200
    assert (told["token_type"], told["expires_in"], told["refresh_token"]) == ("bearer", 1800, token)
    with as_token(hub, told["access_token"]) as session:
        assert session.api("GET", CONTACTS).status_code == 200
        clock.advance(timedelta(minutes=30, seconds=3))
        late = session.api("GET", CONTACTS)
    assert (late.status_code, late.json()["category"]) == (401, "EXPIRED_AUTHENTICATION")
    assert late.json()["message"] == "The OAuth token used to make this call expired 3 second(s) ago."
    assert refresh(hub, client, token, version).json()["access_token"] != told["access_token"]


def test_public_apps_hear_nothing_of_the_daily_limit(hub, portal, app):
    portal.configure(burst=190)
    with as_token(hub, refresh(hub, *app).json()["access_token"]) as session:
        told = session.api("GET", CONTACTS).headers
    assert told["X-HubSpot-RateLimit-Max"] == "110"
    assert "X-HubSpot-RateLimit-Daily" not in told


def test_a_rotating_app_gets_a_new_refresh_token_and_loses_the_old(hub, app):
    client, token = app
    client.rotates = True
    renewed = refresh(hub, client, token).json()["refresh_token"]
    assert renewed != token
    old = refresh(hub, client, token)
    assert (old.status_code, old.json()["status"]) == (400, "BAD_REFRESH_TOKEN")
    assert old.json()["message"] == "missing or invalid refresh token"
    assert refresh(hub, client, renewed).status_code == 200


def test_wrong_secrets_and_grants(hub, portal, app):
    client, token = app
    other = portal.oauth.register(OWN)
    assert refresh(hub, other, token).json()["status"] == "BAD_REFRESH_TOKEN"
    form = {"grant_type": "refresh_token", "client_id": client.client_id, "client_secret": "x", "refresh_token": token}
    assert hub.api("POST", "oauth/v1/token", data=form).status_code == 400
    assert hub.api("POST", "oauth/v1/token", data={"grant_type": "password"}).status_code == 400


def test_tokens_tell_of_themselves_and_are_revoked(hub, portal, app):
    client, token = app
    access = refresh(hub, client, token).json()["access_token"]
    told = hub.ok("GET", f"oauth/v1/access-tokens/{access}")
    assert (told["hub_id"], told["scopes"], told["app_id"]) == (portal.portal_id, OWN, client.app_id)
    assert hub.ok("GET", f"oauth/v1/refresh-tokens/{token}")["client_id"] == client.client_id
    form = {"client_id": client.client_id, "client_secret": client.client_secret}
    assert hub.ok("POST", "oauth/v3/token/introspect", data=form | {"token": access})["active"] is True
    assert hub.ok("POST", "oauth/v3/token/introspect", data=form | {"token": token})["token_use"] == "refresh_token"
    assert hub.api("DELETE", f"oauth/v1/refresh-tokens/{token}").status_code == 204
    assert refresh(hub, client, token).status_code == 400
    assert hub.api("POST", "oauth/v3/token/revoke", data=form | {"token": access}).status_code == 204
    assert hub.ok("POST", "oauth/v3/token/introspect", data=form | {"token": access}) == {"active": False}
