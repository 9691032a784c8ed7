"""A limit for the requests by which the records at fault are found among those that were refused together."""

from connector.errors import AGAIN, Unavailable


class RequestsLeft:
    """How many requests are left."""

    def __init__(self, left: int) -> None:
        self._left = left

    def spend(self, *, where: str) -> None:
        """Take one. `Unavailable`, certainly not sent: there is none left."""
        if self._left <= 0:
            what = "too many records were refused together with it, so it was not sent yet."
            raise Unavailable(what, where=where, remedy=AGAIN, not_sent=True)
        self._left -= 1
