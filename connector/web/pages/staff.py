"""Pages for users of the CRM."""

import re
from typing import Final

from starlette.responses import Response

from connector.surveys.wording import wording
from connector.web.pages.rendering import page
from connector.web.parts import WebParts

_ACCOUNT_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def staff(parts: WebParts, template: str, *, status: int = 200, **values: object) -> Response:
    """Return a page. Users of the CRM read English."""
    return page(template, parts=parts, status=status, words=wording("en", parts.site.zone), **values)


def note(parts: WebParts, title: str, message: str, *, status: int = 200) -> Response:
    """Return a page that says one thing."""
    return staff(parts, "trouble.html", status=status, title=title, message=message, typed="")


def safe_account(account_id: str) -> str:
    """Return the id if it can be one of ours, else nothing; it becomes a part of a path, and of a query."""
    return account_id if _ACCOUNT_ID.fullmatch(account_id) else ""
