"""An installation: what commands, laps and pages are handed. It imports no stage."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from connector.model import ChatPost
from connector.ports import Clock
from connector.ports.mail import Channel
from connector.runtime.cancellation import CancellationToken
from connector.settings import Settings
from connector.stages.connection.connect import Endpoint
from connector.store import Store
from connector.surveys.survey_mail import Site
from connector.surveys.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Installation:
    """Everything that one installation is made of, wired together."""

    settings: Settings
    store: Store
    clock: Clock
    endpoints: Sequence[Endpoint]
    site: Site
    channel: Channel | None = None
    tokens: Tokens | None = None
    webhook: Callable[[str, ChatPost], bool] | None = None
    progress: Callable[[str, str, int], None] = lambda _crm, _object, _records: None
    stop: CancellationToken = field(default_factory=CancellationToken)
    """Set to end the lap under way at its next page."""
    acts: bool = True
    """False: nothing outside is changed (`plan`)."""
