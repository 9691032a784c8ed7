"""What every stage is handed: values and ports, never a vendor's module."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from connector.model import ChatPost, MissingRight
from connector.ports import Clock, CrmMapping, CrmReader, CrmWriter
from connector.ports.mail import Channel
from connector.runtime.cancellation import CancellationToken
from connector.runtime.read_times import StoredReadTimes
from connector.settings import Settings
from connector.stages.connection.mark_keeper import MarkKeeper
from connector.stages.deliver.breaker import Breaker
from connector.store import Store, Transaction
from connector.store.ops.leases import Lease
from connector.surveys.tokens import Tokens

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Connected:
    """One CRM as a lap sees it: reachable, and its mapping fitted to its schema."""

    name: str
    reader: CrmReader
    writer: CrmWriter
    mapping: CrmMapping
    live: bool
    """False: only observed. Nothing is sent, written or decided for its records."""
    test_kind: str = ""
    """What the vendor calls an org that is kept for tests (see `Org`); empty for production and while observing."""
    read_times: StoredReadTimes | None = None
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
    webhook: Callable[[str, ChatPost], bool] | None = None
    """Posts to a chat's webhook address; False where the chat has only queued it. Raises `MailError`."""
    progress: Callable[[str, str, int], None] = lambda _crm, _object, _records: None
    """Told about every page that was stored."""
    mark: MarkKeeper | None = None
    """Tells whether this installation may send and write; None: nothing is to be sent or written, or the caller has looked."""
    stop: CancellationToken = field(default_factory=CancellationToken)
    """Set by SIGTERM; looked at between pages."""
    breaker: Breaker = field(default_factory=Breaker)
    """What ends the sending of mail in this lap."""

    customers: frozenset[str] | None = None
    """The customers whom all is about, as after an answer; None: everybody."""
    lease: Lease | None = None
    """The right to do the stages that this is handed to; None: nobody else can be at them."""

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A writing transaction of a page, as long as the work is ours. `LeaseLost`: another process has taken it over.

        What has happened outside already, a mail that was sent, is stored whoever has the lease: that is `store.write`.
        """
        with self.store.write() as tx:
            if self.lease is not None:
                self.lease.check(tx)
            yield tx

    def write_where_needed(self, work: Callable[[Transaction], _Result]) -> _Result:
        """Do work that mostly finds nothing to change (`Store.write_where_needed`), as long as it is ours. `LeaseLost`: see `write`."""
        return self.store.write_where_needed(work, first=None if self.lease is None else self.lease.check)

    @property
    def live(self) -> tuple[str, ...]:
        """The names of the connections that may be asked, written to and decided for."""
        stopped = {*self.mark.errors, *self.mark.unread} if self.mark is not None else set[str]()
        return tuple(name for name, crm in self.connected.items() if crm.live and name not in stopped)

    def may_send(self, crm: str) -> bool:
        """Tell whether mail to customers of a connection may be sent now, as the installation's mark says."""
        return self.mark is None or self.mark.may_send(crm)

    def may_write(self, crm: str) -> bool:
        """Tell whether a connection may be written to, and people told about its records."""
        return self.mark is None or self.mark.may_write(crm)
