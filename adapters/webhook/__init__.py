"""Slack and Teams: what is posted to an incoming webhook."""

from http import HTTPStatus

import requests

from adapters.webhook.messages import message
from connector.errors import UNFORESEEN, MailboxRefused, MailInDoubt, MailUnavailable
from connector.model import ChatPost


def post(session: requests.Session, url: str, content: ChatPost) -> bool:
    """Post by a session that has its own limits; False where the chat has only queued it. The address is a secret and never stands
    in an error.

    Raises `MailboxRefused` when the webhook is gone or refuses the message for good, `MailUnavailable` when it may work later, and
    `MailInDoubt` when it took the message and then said nothing.
    """
    try:
        answer = session.post(url, json=message(url, content))
    except requests.ReadTimeout:
        raise MailInDoubt(
            "the webhook took the message and did not say what became of it.",
            where="follow_up notify",
            remedy="Look into the chat; it is not posted again by itself.",
        ) from None
    except (requests.RequestException, *UNFORESEEN) as error:
        raise MailUnavailable(
            f"the webhook did not answer ({type(error).__name__}).",
            where="follow_up notify",
            remedy="Check the address, and that this machine may reach it; one in your own network has to stand in [web] allow_hosts.",
        ) from None
    if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS or answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise MailUnavailable(
            f"the webhook answered {answer.status_code}.", where="follow_up notify", remedy="It is tried again."
        )
    if not HTTPStatus.OK <= answer.status_code < HTTPStatus.MULTIPLE_CHOICES:  # a redirect leads to where nobody posts
        raise MailboxRefused(
            f"the webhook answered {answer.status_code}.",
            where="follow_up notify",
            remedy="Make a new webhook address in the chat and put it into config.toml.",
        )
    # What a Teams workflow answers when it has begun: it may still fail to show it.
    return answer.status_code != HTTPStatus.ACCEPTED
