"""Whether a POST comes from a page of ours: nobody else's page may sign a browser in or out, or act for whoever is signed in."""

from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request

from connector.web.parts import WebParts

_OURS: Final = frozenset({"same-origin", "none"})


def is_from_us(request: Request, parts: WebParts) -> bool:
    """Tell whether the browser says so. Programs that are no browser say nothing, and nobody is signed in there."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site in _OURS and (site == "same-origin" or origin is None or _is_ours(origin, parts))
    return origin is None or _is_ours(origin, parts)


def _is_ours(origin: str, parts: WebParts) -> bool:
    ours = urlsplit(parts.site.public_url)
    return origin.lower() == f"{ours.scheme}://{ours.netloc}".lower()
