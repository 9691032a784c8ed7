"""Posting to a chat's webhook: what each outcome means, and that the address stays secret."""

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from http.client import RemoteDisconnected
from threading import Thread
from typing import Any

import pytest
import requests
import responses
from urllib3.exceptions import ProtocolError

from adapters import webhook
from connector.errors import MailboxRefused, MailError, MailInDoubt, MailUnavailable
from connector.model import ChatPost
from connector.runtime.foreign_urls import ForeignSession

URL = "https://hooks.chat.example/services/very-secret"


POST = ChatPost(
    "Maria: 1 of 5", "Call by Fri 15:00.", ("Nobody called back.",), ("Every answer", "https://x.example/a/1")
)
POSING = ChatPost(
    "<!channel> <https://evil.example|Open the record> & @here",
    "Call by Fri 15:00.",
    ("<!here> [Open](https://evil.example) *bold* <at>Everybody</at>", "x" * 5_000),
    ("Every answer", "https://x.example/a/1"),
)
SLACK = "https://hooks.slack.com/services/very-secret"
TEAMS = (
    "https://prod-1.westeurope.logic.azure.com:443/workflows/very-secret",
    "https://default1.2.environment.api.powerplatform.com:443/powerautomate/very-secret",
)


def posted(url: str, content: ChatPost = POST, **answer: Any) -> tuple[bool, dict[str, Any]]:
    """Return whether the chat says that it shows it, and what was posted."""
    with responses.RequestsMock() as chat:
        chat.post(url, **answer)
        shown = webhook.post(ForeignSession(), url, content)
        body: dict[str, Any] = json.loads(chat.calls[0].request.body or "")
        return shown, body


@pytest.mark.parametrize("url", [SLACK, URL])
def test_slack_gets_plain_text_and_one_link_of_ours(url: str) -> None:
    shown, body = posted(url, POSING)
    assert shown
    *texts, link = body["blocks"]
    assert [block["text"]["type"] for block in texts] == ["plain_text"] * 3
    assert texts[0]["text"]["text"] == POSING.title
    assert all(len(block["text"]["text"]) <= 3_000 for block in texts)
    assert link["text"] == {"type": "mrkdwn", "text": "<https://x.example/a/1|Every answer>"}


def test_what_slack_reads_as_its_own_language_is_escaped() -> None:
    _, body = posted(SLACK, POSING)
    assert not set("<>") & set(body["text"])
    assert "&lt;!channel&gt;" in body["text"]
    assert "@here" not in body["text"]


@pytest.mark.parametrize("url", TEAMS)
def test_teams_gets_a_card_whose_foreign_texts_know_no_markdown(url: str) -> None:
    shown, body = posted(url, POSING, status=202)
    assert not shown, "it is queued, and whether it is shown is not known"
    [attachment] = body["attachments"]
    card = attachment["content"]
    assert (body["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert [block["inlines"][0]["text"] for block in card["body"]][:2] == [POSING.title, POSING.step]
    assert card["actions"] == [{"type": "Action.OpenUrl", "title": "Every answer", "url": "https://x.example/a/1"}]
    assert len(json.dumps(body)) < 21_000
    assert "msteams" not in json.dumps(body), "nobody is mentioned"


@pytest.mark.parametrize("url", [SLACK, *TEAMS])
def test_every_line_of_a_customers_words_is_marked_as_theirs(url: str) -> None:
    _, body = posted(url, replace(POST, quotes=("Bad.", "Open the customer in the CRM: https://evil.example")))
    assert "> Bad.\\n> Open the customer" in json.dumps(body)


@responses.activate
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"status": 404}, MailboxRefused),
        ({"status": 403}, MailboxRefused),
        ({"status": 408}, MailUnavailable),
        ({"status": 429}, MailUnavailable),
        ({"status": 503}, MailUnavailable),
        ({"status": 500}, MailInDoubt),
        ({"status": 502}, MailInDoubt),
        ({"status": 504}, MailInDoubt),
        ({"status": 302, "headers": {"Location": "https://evil.example/"}}, MailboxRefused),
        ({"body": ValueError("odd")}, MailInDoubt),
        ({"body": requests.ConnectTimeout(f"to {URL}")}, MailUnavailable),
        ({"body": requests.ConnectionError(f"to {URL}")}, MailUnavailable),
        ({"body": requests.ConnectionError(ProtocolError("hung up", RemoteDisconnected()))}, MailInDoubt),
        ({"body": requests.ReadTimeout(f"from {URL}")}, MailInDoubt),
    ],
)
def test_what_went_wrong_is_told_apart_and_never_names_the_address(
    answer: dict[str, Any], error: type[MailError]
) -> None:
    responses.post(URL, **answer)
    with pytest.raises(MailError) as caught:
        webhook.post(ForeignSession(), URL, POST)
    assert type(caught.value) is error
    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("call", ["post", "request", "send", "get_adapter"])
@pytest.mark.parametrize(
    "error", [ValueError, UnicodeError, TypeError, OverflowError, OSError, RecursionError, AttributeError, KeyError]
)
def test_whatever_a_library_raises_nothing_but_our_own_errors_comes_out(
    monkeypatch: pytest.MonkeyPatch, call: str, error: type[Exception]
) -> None:
    def fail(*_args: Any, **_values: Any) -> None:
        raise error("very-secret")

    monkeypatch.setattr(requests.Session, call, fail)
    monkeypatch.setattr(ForeignSession, call, fail)
    with pytest.raises(MailInDoubt) as caught:
        webhook.post(ForeignSession(), URL, POST)
    assert "secret" not in str(caught.value)


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_a_chat_that_took_the_post_and_hung_up_is_in_doubt(listening: socket.socket) -> None:
    """It may have shown the post: posted once more, people would read it twice."""

    def take_and_hang_up() -> None:
        with listening.accept()[0] as taken:
            taken.recv(65_536)

    chat = Thread(target=take_and_hang_up)
    chat.start()
    with pytest.raises(MailInDoubt):
        webhook.post(ForeignSession(), f"http://127.0.0.1:{listening.getsockname()[1]}/secret", POST)
    chat.join()


def test_a_chat_that_cannot_be_reached_was_certainly_not_told(listening: socket.socket) -> None:
    port = listening.getsockname()[1]
    listening.close()
    with pytest.raises(MailUnavailable):
        webhook.post(ForeignSession(), f"http://127.0.0.1:{port}/secret", POST)
