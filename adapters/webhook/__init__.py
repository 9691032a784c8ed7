"""Slack and Teams: what is posted to an incoming webhook."""

from http import HTTPStatus
from typing import Final

import requests
from urllib3.exceptions import ProtocolError

from adapters.webhook.messages import message
from connector.errors import UNFORESEEN, MailboxRefused, MailInDoubt, MailUnavailable
from connector.model import ChatPost
from connector.wire.failures import reason_of

_WHERE: Final = "follow_up notify"
_NOT_TAKEN: Final = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
)
"""Answers that say that nothing was done. Any other fault of theirs, or of a gateway before them, may come after the post."""


def post(session: requests.Session, url: str, content: ChatPost) -> bool:
    """Post by a session that has its own limits; False where the chat has only queued it. The address is a secret and never stands
    in an error.

    Raises `MailboxRefused` when the webhook is gone or refuses the message for good, `MailUnavailable` when it was certainly not
    posted and may be later, and `MailInDoubt` when nobody knows whether the chat shows it: it is not to be posted twice.
    """
    try:
        answer = session.post(url, json=message(url, content))
    except requests.RequestException as error:
        raise (_doubt("did not say what became of it") if _was_under_way(error) else _unreached(error)) from None
    except UNFORESEEN as error:
        raise _doubt(f"gave an answer that nobody foresaw ({type(error).__name__})") from None
    if answer.status_code in _NOT_TAKEN:
        raise MailUnavailable(f"the webhook answered {answer.status_code}.", where=_WHERE, remedy="It is tried again.")
    if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise _doubt(f"answered {answer.status_code}")
    if not HTTPStatus.OK <= answer.status_code < HTTPStatus.MULTIPLE_CHOICES:  # a redirect leads to where nobody posts
        raise MailboxRefused(
            f"the webhook answered {answer.status_code}.",
            where=_WHERE,
            remedy="Make a new webhook address in the chat and put it into config.toml.",
        )
    # What a Teams workflow answers when it has begun: it may still fail to show it.
    return answer.status_code != HTTPStatus.ACCEPTED


def _was_under_way(error: requests.RequestException) -> bool:
    """Tell whether the chat may have got the post: the connection stood, and broke or fell silent before the answer."""
    return isinstance(error, requests.ReadTimeout) or isinstance(reason_of(error), ProtocolError)


def _unreached(error: requests.RequestException) -> MailUnavailable:
    return MailUnavailable(
        f"the webhook did not answer ({type(error).__name__}).",
        where=_WHERE,
        remedy="Check the address, and that this machine may reach it; one in your own network has to stand in [web] allow_hosts.",
    )


def _doubt(what: str) -> MailInDoubt:
    return MailInDoubt(
        f"the webhook took the message and {what}.",
        where=_WHERE,
        remedy="Look into the chat; it is not posted again by itself.",
    )
