"""How many records a healthy CRM can lose at once, as a pure rule: an empty answer is not "all deleted"."""

from typing import Final

from connector.errors import ImplausibleLoss

ALWAYS: Final = 10
"""So many records may always be deleted at once: where there are few, people do delete most of them."""
SHARE: Final = 0.2
"""Beyond that, at most this share of those we know of one object."""


def check_loss(lost: int, known: int, *, where: str) -> None:
    """Raise `ImplausibleLoss` when `lost` of the `known` records of an object are too many to be believed."""
    if lost > max(ALWAYS, known * SHARE):
        raise ImplausibleLoss(seen=known - lost, expected=known, where=where)
