"""What holds for every page."""

import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from web_world import NOW, running

from connector.surveys.questionnaire import questionnaire
from connector.surveys.survey_mail import InvitationView, invitation_message


def pages(world):
    token = world.invite()
    return [
        f"/s/{token}",
        f"/s/{token}?rating=2",
        f"/s/{token}/unsubscribe",
        "/s/forged",
        "/accounts/account1",
        "/none",
    ]


def test_every_page_keeps_its_address_to_itself_and_runs_nothing(world):
    for path in pages(world):
        page = world.http.get(world.url + path, timeout=300)
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert "unsafe" not in policy
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["cache-control"] == "no-store"
        assert "noindex" in page.headers["x-robots-tag"]
        assert "<script" not in page.text
        assert " style=" not in page.text
        assert "set-cookie" not in page.headers


def test_head_answers_wherever_get_does(world):
    for path in [*pages(world), "/healthz", "/afterword.css", "/robots.txt"]:
        get, head = (world.http.request(method, world.url + path, timeout=300) for method in ("GET", "HEAD"))
        assert head.status_code == get.status_code, path
        assert head.headers["content-length"] == get.headers["content-length"], path
        assert head.text == ""


def test_health_is_told_in_one_word(world):
    assert world.http.get(f"{world.url}/healthz", timeout=300).text == "ok\n"


def test_the_interface_is_not_described_to_visitors(world):
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert world.http.get(world.url + path, timeout=300).status_code == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(world, method):
    token = world.invite()

    assert world.http.request(method, world.link(token), timeout=300).status_code == 405
    assert world.responses() == []


def test_the_logs_show_no_usable_link(world, caplog):
    token = world.invite()
    caplog.set_level(logging.INFO, logger="uvicorn.access")

    world.get(token, "?rating=4")
    world.post(token, {"rating": "4"})

    assert "?rating=4" in caplog.text
    assert token not in caplog.text


def test_a_fault_of_ours_is_a_kind_page_and_nothing_is_recorded(world, caplog):
    token = world.invite(questionnaire={"version": 99})

    page = world.post(token, {"rating": "4"})

    assert page.status_code == 500
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert "on our side" in page.text
    assert "Traceback" not in page.text
    assert world.responses() == []


def test_a_public_address_with_a_path_is_kept_in_every_link(sqlite_address: str):
    with running(sqlite_address, prefix="/feedback") as world:
        token = world.invite()
        # What a reverse proxy does: it takes the path away before it asks us.
        inner = world.url.removesuffix("/feedback")
        page = world.http.get(f"{inner}/s/{token}", timeout=300)
        reply = world.http.post(f"{inner}/s/{token}", data={"rating": "4"}, allow_redirects=False, timeout=300)

    assert f'action="/feedback/s/{token}"' in page.text
    assert 'href="/feedback/afterword.css"' in page.text
    assert reply.headers["location"] == f"/feedback/s/{token}/thanks"


@pytest.mark.parametrize("prefix", ["/feedback", "/s", "/accounts/s", "/kysely%20%C3%A4"])
def test_a_proxy_may_keep_the_path_of_the_public_address(sqlite_address: str, prefix: str):
    with running(sqlite_address, prefix=prefix) as world:
        token = world.invite()
        inner = world.url.removesuffix(prefix)
        for address in (inner, world.url):
            page = world.http.get(f"{address}/s/{token}", allow_redirects=False, timeout=300)
            assert (page.status_code, f'action="{prefix}/s/{token}"' in page.text) == (200, True)
            assert world.http.get(f"{address}/healthz", timeout=300).text == "ok\n"
            assert world.http.get(f"{address}/nothing", timeout=300).status_code == 404
        reply = world.http.post(f"{world.url}/s/{token}", data={"rating": "4"}, allow_redirects=False, timeout=300)
        assert (reply.status_code, reply.headers["location"]) == (303, f"{prefix}/s/{token}/thanks")
        twice = world.http.get(f"{world.url}{prefix}/healthz", timeout=300)
        assert twice.status_code == 404


def test_a_slash_at_the_end_makes_no_difference(world):
    token = world.invite()
    for rest in ("/", "/unsubscribe/", "//"):
        page = world.get(token, rest, allow_redirects=False)
        assert (page.status_code, "location" in page.headers) == (200, False)
    reply = world.post(token, {"rating": "4"}, "/", allow_redirects=False)
    assert reply.headers["location"] == f"/s/{token}/thanks"
    assert world.get(token, "/thanks/", allow_redirects=False).status_code == 200
    assert world.http.get(f"{world.url}/healthz/", allow_redirects=False, timeout=300).text == "ok\n"
    assert [row.revision for row in world.responses()] == [1]


def test_every_link_in_the_mail_opens_and_records_nothing(world):
    token = world.invite("ces", id="i1")
    view = InvitationView(
        "i1", "maria@customer.example", "Maria", "en", "case 00123", None, "Acme Care", questionnaire("ces", "en"), NOW
    )
    mail = invitation_message(view, site=world.site, token=token, purpose="invitation", message_id="m@x")

    links = [word for word in mail.text.split() if word.startswith("http")]
    assert len(links) == 8
    for link in links:
        assert world.http.get(link, timeout=300).status_code == 200
    assert world.responses() == []


FIELDS = st.dictionaries(
    st.sampled_from(["rating", "csat", "comment", "List-Unsubscribe", "other"]) | st.text(max_size=10),
    st.sampled_from(["1", "5", "0", "6", "+3", " 3 ", "3.0", "NaN", "１"]) | st.text(max_size=40),
    max_size=5,
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fields=FIELDS)
def test_whatever_is_posted_only_a_rating_on_the_scale_is_recorded(world, fields):
    token = world.invite()
    before = len(world.responses())

    reply = world.post(token, {name: value.encode("utf-8", "replace") for name, value in fields.items()})

    assert reply.status_code in (303, 422)
    recorded = world.responses()[before:]
    assert len(recorded) == (1 if reply.status_code == 303 else 0)
    for answer in recorded:
        assert set(world.ratings(answer.id).values()) <= {1.0, 2.0, 3.0, 4.0, 5.0}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=300),
    kind=st.sampled_from(
        [
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "multipart/form-data; boundary=x",
            "application/json",
            "text/plain; charset=utf-99",
            "",
        ]
    ),
)
def test_whatever_bytes_come_the_page_stays_kind(world, body, kind):
    token = world.invite()

    assert world.post(token, body, headers={"Content-Type": kind}).status_code in (303, 422)
