"""The search index: it learns of writes late, so that searches match records as they were."""

from datetime import timedelta
from typing import TYPE_CHECKING

from adapters.sandbox.hubspot.portal.schema import PortalObjectType
from adapters.sandbox.hubspot.portal.store import PortalRecord

if TYPE_CHECKING:
    from adapters.sandbox.hubspot.portal.portal import Portal

Versions = list[tuple[int, PortalRecord | None]]


class SearchIndex:
    """What searches do not know yet. `lag` is how long (by the clock) a write takes to be found; zero finds it at once.

    The vendor names no length, only "a few moments". The fault that hides commits lengthens it for the writes that it hits.
    """

    def __init__(self, portal: "Portal") -> None:
        self._portal = portal
        self.lag = timedelta(0)
        self._waiting: dict[str, dict[int, Versions]] = {}

    def note(self, object_type: PortalObjectType, old: PortalRecord | None, new: PortalRecord) -> None:
        """Remembers the version before a write, until the write is to be found."""
        delay = max(self.lag, self._portal.faults.hidden_for(object_type.name) or timedelta(0))
        if delay <= timedelta(0):
            return
        until = max(new.modified, self._portal.now() if new.archived else 0) + delay // timedelta(milliseconds=1)
        self._waiting.setdefault(object_type.name, {}).setdefault(new.id, []).append((until, old))

    def old_versions(self, object_type: PortalObjectType) -> dict[int, PortalRecord | None]:
        """The records that searches still see in an old version; None for those that they do not see at all."""
        waiting = self._waiting.get(object_type.name)
        if not waiting:
            return {}
        now = self._portal.now()
        for record_id in list(waiting):
            waiting[record_id] = [version for version in waiting[record_id] if version[0] > now]
            if not waiting[record_id]:
                del waiting[record_id]
        return {record_id: versions[0][1] for record_id, versions in waiting.items()}
