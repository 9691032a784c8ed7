"""What the parts of a connected CRM have in common."""

from typing import Protocol

from connector.model import Ref


class CrmPart(Protocol):
    """A part of one connected CRM. Any method of any part may raise `Unavailable`, `RateLimited`, `QuotaSpent`, `AuthRevoked` or
    `NotPermitted`.
    """

    connection: str
    """The connection's name in config.toml."""

    def record_url(self, ref: Ref) -> str:
        """Return where a person opens this record in the CRM."""
