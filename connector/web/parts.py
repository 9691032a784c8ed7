"""What the web application is made of."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from connector.model import NotedResult, Outcome
from connector.ports import Clock
from connector.store import Store
from connector.surveys.survey_mail import Site
from connector.surveys.tokens import Tokens


@dataclass(frozen=True, slots=True)
class SubmittedOutcome:
    """How somebody says that a follow-up ended."""

    outcome: Outcome
    cause: str | None = None
    note: str | None = None
    attempts: int | None = None
    """How many attempts the page had counted on which it was noted; None: the page did not say."""


@dataclass(frozen=True, slots=True)
class WebParts:
    """Everything the pages need from outside."""

    store: Store
    clock: Clock
    tokens: Tokens
    site: Site
    on_answer: Callable[[str], None]
    """Called with the customer after an answer was recorded and committed; it should return soon."""
    note_outcome: Callable[[str, SubmittedOutcome], NotedResult]
    """Notes how a follow-up ended (by its id), and lets the CRM know. It should return soon."""
    causes: Mapping[str, str]
    """What a follow-up can be put down to, by key."""
    language: str
    """The company's: of the pages that its own people see."""
    on_sign_in: Callable[[], None]
    """Called after somebody has asked for a link, which waits in the store for its mail; it should return at once."""
    crms: Collection[str]
    """The connections that are configured: of one that is no more, nobody reads whether its users still are."""
    surveys: Mapping[str, str] = field(default_factory=dict)
    """The event that each survey asks about, by the survey's name: of what ended before a survey went live this alone is known."""
    trouble: Callable[[], str] = lambda: ""
    """Why the service behind the pages needs somebody to look after it; empty: it does not."""

    @property
    def prefix(self) -> str:
        """The path under which the public address reaches us, without a slash at the end; often empty."""
        return urlsplit(self.site.public_url).path.rstrip("/")
