"""What Slack and Teams are sent: texts of others as plain text, so that nobody is called by one and none becomes a link."""

from typing import Any, Final
from urllib.parse import quote, urlsplit

from connector.domain.text_cutting import cut
from connector.model import ChatPost

_TEAMS: Final = (".logic.azure.com", ".powerplatform.com", ".powerautomate.com", ".webhook.office.com")
"""Hosts of Teams' workflows ("When a Teams webhook request is received"), and of the connectors before them."""
_LONGEST_BLOCK: Final = 2_900
"""UTF-16 units of a text block: Slack refuses more than 3,000; of Teams' 28 kB three blocks take less than half."""
_LONGEST_TITLE: Final = 300
_BREAK: Final = "\u2060"
"""Word joiner: it is not seen, and keeps "@channel" from being a call where a chat takes plain text for one."""


def message(url: str, content: ChatPost) -> dict[str, Any]:
    """Return the body for the chat that an address belongs to. What is no address of Teams gets Slack's form, which others take too."""
    host = urlsplit(url).hostname or ""
    return _teams(content) if host.endswith(_TEAMS) else _slack(content)


def _slack(content: ChatPost) -> dict[str, Any]:
    """Blocks of plain text are shown as they are; `text` is for notifications, and read as mrkdwn: there & < > are escaped."""
    name, address = content.link
    blocks = [
        {"type": "section", "text": {"type": "plain_text", "text": cut(text, _LONGEST_BLOCK), "emoji": False}}
        for text in _texts(content)
    ]
    link = {"type": "mrkdwn", "text": f"<{_in_link(address)}|{_escaped(name)}>"}
    fallback = " ".join([cut(content.title, _LONGEST_TITLE), content.step])
    return {"text": f"{_escaped(fallback)} {_in_link(address)}", "blocks": [*blocks, {"type": "section", "text": link}]}


def _teams(content: ChatPost) -> dict[str, Any]:
    """An Adaptive Card. Runs of a RichTextBlock know no Markdown, unlike a TextBlock."""
    name, address = content.link
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {
                "type": "RichTextBlock",
                "inlines": [{"type": "TextRun", "text": cut(text, _LONGEST_BLOCK), "weight": weight}],
            }
            for text, weight in zip(_texts(content), ("Bolder", "Default", "Default"), strict=False)
        ],
        "actions": [{"type": "Action.OpenUrl", "title": name, "url": address}],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _texts(content: ChatPost) -> list[str]:
    quoted = "\n".join(f"> {line}" for line in content.quotes)
    return [text for text in (cut(content.title, _LONGEST_TITLE), content.step, quoted) if text]


def _escaped(text: str) -> str:
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return plain.replace("@", f"@{_BREAK}")


def _in_link(address: str) -> str:
    return quote(address, safe="/:?=&%#~.-_")
