"""What the web application is made of."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from connector.ports import Clock, Message
from connector.store import Store
from connector.surveys.mail import Site
from connector.surveys.tokens import Tokens


@dataclass(frozen=True, slots=True)
class WebParts:
    """Everything the pages need from outside."""

    store: Store
    clock: Clock
    tokens: Tokens
    site: Site
    on_answer: Callable[[str], None]
    """Called with the customer after an answer was recorded and committed; it should return soon."""
    send_sign_in: Callable[[Message], None]
    """Sends the one-time link to a user of the CRM."""
    trouble: Callable[[], str] = lambda: ""
    """Why the service behind the pages needs somebody to look after it; empty: it does not."""

    @property
    def prefix(self) -> str:
        """The path under which the public address reaches us, without a slash at the end; often empty."""
        return urlsplit(self.site.public_url).path.rstrip("/")
