"""Owners, and the users behind them: two kinds of ids for the same person."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from adapters.sandbox.hubspot.errors import not_found
from adapters.sandbox.hubspot.portal.property_values import iso

_FIRST_OWNER, _FIRST_USER = 81_000_001, 9_300_001


@dataclass(frozen=True)
class PortalOwner:
    """Somebody whom records can belong to; `archived` ones keep their owner id but are no users any more.

    Times are milliseconds since 1970.
    """

    id: int
    user_id: int
    email: str
    first: str
    last: str
    created: int
    updated: int
    archived: bool = False
    teams: tuple[tuple[str, str, bool], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The owner on the wire."""
        answer: dict[str, Any] = {
            "id": str(self.id),
            "email": self.email,
            "type": "PERSON",
            "firstName": self.first,
            "lastName": self.last,
            "userId": self.user_id,
            "userIdIncludingInactive": self.user_id,
            "createdAt": iso(self.created),
            "updatedAt": iso(self.updated),
            "archived": self.archived,
        }
        if self.archived:
            del answer["userId"]
        if self.teams:
            answer["teams"] = [{"id": key, "name": name, "primary": primary} for key, name, primary in self.teams]
        return answer


class PortalOwners:
    """All owners of a portal, by owner id."""

    def __init__(self) -> None:
        self._held: dict[int, PortalOwner] = {}

    def add(self, name: str, email: str, at: int, *, active: bool = True, teams: Iterable[str] = ()) -> PortalOwner:
        """Adds a person (`First Last`); the first of the teams is the primary one."""
        count = len(self._held)
        first, _, last = name.rpartition(" ")
        joined = tuple((str(700_001 + number), team, number == 0) for number, team in enumerate(teams))
        owner = PortalOwner(
            _FIRST_OWNER + count, _FIRST_USER + 7 * count, email, first, last, at, at, archived=not active, teams=joined
        )
        self._held[owner.id] = owner
        return owner

    def archive(self, owner_id: int, at: int) -> None:
        """Takes the user away; records keep the owner."""
        self._held[owner_id] = replace(self._held[owner_id], archived=True, updated=at)

    def exists(self, owner_id: int) -> bool:
        """Whether the id is that of an owner, archived or not."""
        return owner_id in self._held

    def named(self, who: str) -> PortalOwner:
        """The owner with an id, an e-mail address or a full name; raises LookupError."""
        for owner in self._held.values():
            if who in (str(owner.id), owner.email, f"{owner.first} {owner.last}".strip()):
                return owner
        raise LookupError(f"no owner {who!r}")

    def find(self, key: int, *, by_user: bool, archived: bool) -> PortalOwner:
        """The owner with an owner id or user id; raises HubSpotError (404)."""
        for owner in self._held.values():
            if key == (owner.user_id if by_user else owner.id) and owner.archived == archived:
                return owner
        raise not_found()

    def page(self, after: int, limit: int, *, email: str | None, archived: bool) -> list[PortalOwner]:
        """The next owners by id."""
        wanted = (email or "").lower()
        owners = (owner for owner in self._held.values() if owner.archived == archived and owner.id > after)
        return [owner for owner in owners if wanted in ("", owner.email.lower())][:limit]
