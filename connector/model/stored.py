"""Records of the CRMs as the store has them: with our id, and with whether the CRM has deleted them."""

from dataclasses import dataclass
from datetime import datetime

from connector.model import Account, Contact, Interaction, Owner


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredOwner(Owner):
    """An owner that was read. `standard` holds, too, as long as it was not read whether somebody is one of the firm's own."""

    id: str
    deleted_at: datetime | None = None

    @property
    def works(self) -> bool:
        """Whether this owner can be given tasks, and be told of them."""
        return self.active and self.deleted_at is None and self.standard


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAccount(Account):
    """An account that was read."""

    id: str
    customer: str
    """Linked accounts of several CRMs share one; else the account's id."""
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredContact(Contact):
    """A contact that was read."""

    id: str
    person: str | None = None
    """The same human over all connections: a keyed hash of the address."""
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredInteraction(Interaction):
    """An interaction that was read."""

    id: str
    deleted_at: datetime | None = None
    decide_at: datetime | None = None
    """When `invite` is to look at it; None when there is nothing to decide."""
