"""Posting to a chat's webhook: what each outcome means, and that the address stays secret."""

import json
from typing import Any

import pytest
import requests
import responses

from adapters import webhook
from connector.errors import MailboxRefused, MailError, MailInDoubt, MailUnavailable
from connector.foreign import ForeignSession

URL = "https://hooks.chat.example/services/very-secret"


@responses.activate
def test_a_sentence_is_posted_as_text() -> None:
    responses.post(URL)
    webhook.post(ForeignSession(), URL, "Maria: 1 of 5")
    assert json.loads(responses.calls[0].request.body or "") == {"text": "Maria: 1 of 5"}


@responses.activate
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"status": 404}, MailboxRefused),
        ({"status": 403}, MailboxRefused),
        ({"status": 429}, MailUnavailable),
        ({"status": 503}, MailUnavailable),
        ({"status": 302, "headers": {"Location": "https://evil.example/"}}, MailboxRefused),
        ({"body": "x" * 100_000}, MailUnavailable),
        ({"body": ValueError("odd")}, MailUnavailable),
        ({"body": requests.ConnectTimeout(f"to {URL}")}, MailUnavailable),
        ({"body": requests.ConnectionError(f"to {URL}")}, MailUnavailable),
        ({"body": requests.ReadTimeout(f"from {URL}")}, MailInDoubt),
    ],
)
def test_what_went_wrong_is_told_apart_and_never_names_the_address(
    answer: dict[str, Any], error: type[MailError]
) -> None:
    responses.post(URL, **answer)
    with pytest.raises(MailError) as caught:
        webhook.post(ForeignSession(), URL, "Maria: 1 of 5")
    assert type(caught.value) is error
    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
