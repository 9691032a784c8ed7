"""The pretend Salesforce: an org together with its log of calls."""

from adapters.sandbox.clock import SandboxClock
from adapters.sandbox.log import CallLog
from adapters.sandbox.salesforce.org import Org


class Salesforce(Org):
    """An org that is called over HTTP: `org.log` keeps every call, `org.faults` makes it misbehave."""

    def __init__(self, clock: SandboxClock | None = None) -> None:
        super().__init__(clock)
        self.log = CallLog()

    def calls_by_kind(self) -> dict[str, int]:
        """How many calls came in, by kind: read, write, auth, page."""
        return self.log.by_kind()
