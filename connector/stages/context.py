"""What every stage is handed: values and ports, never a vendor's module."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from connector.model import MissingRight
from connector.passes import PassBook
from connector.ports import Channel, Clock, CrmAdapter, CrmMapping
from connector.settings import Settings
from connector.stop_sign import StopSign
from connector.store import Store
from connector.surveys.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Connected:
    """One CRM as a lap sees it: reachable, and its mapping fitted to its schema."""

    name: str
    adapter: CrmAdapter
    mapping: CrmMapping
    live: bool
    """False: only observed. Nothing is sent, written or decided for its records."""
    test_kind: str = ""
    """What the vendor calls an org that is kept for tests (see `Org`); empty for production and while observing."""
    passes: PassBook | None = None
    """Where its adapter notes what it reads only now and then; None: nowhere."""
    lacking: Sequence[MissingRight] = ()
    """Rights to write that are missing: then it is not live."""
    left_alone: int = 0
    """How many fields were found, for the first time, not to be ours to write."""


@dataclass(frozen=True, slots=True)
class Context:
    """The surroundings of one lap."""

    store: Store
    settings: Settings
    clock: Clock
    connected: Mapping[str, Connected]
    """Those connections that can be used in this lap, by name."""
    channel: Channel | None
    """How mail goes out; None while nothing is live."""
    tokens: Tokens | None
    webhook: Callable[[str, str], None] | None = None
    """Posts a sentence to a chat's webhook address. Raises `MailUnavailable` or `MailboxRefused`."""
    progress: Callable[[str, str, int], None] = lambda _crm, _object, _records: None
    """Told about every page that was stored."""
    stop: StopSign = field(default_factory=StopSign)
    """Set by SIGTERM; looked at between pages."""

    @property
    def live(self) -> tuple[str, ...]:
        """The names of the connections that may be asked, written to and decided for."""
        return tuple(name for name, one in self.connected.items() if one.live)
