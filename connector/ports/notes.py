"""Notes on records, as CRMs that have them take them; `connector.ports` gives it on."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from connector.model import Ref


@dataclass(frozen=True, slots=True)
class Note:
    """A text that stands on a record by itself."""

    key: str
    """Names it: it is part of the text, and by it a note that was made before is found again."""
    text: str
    about: Ref
    at: datetime
    related: tuple[Ref, ...] = ()
    """Other records on which it stands too."""


class NoteTaker(Protocol):
    """Notes on records, for CRMs that have them."""

    def put(self, note: Note) -> None:
        """Put a note on its records, once: one with its key is looked for among those on `about` before.

        Raises what `CrmWriter.write` raises, and `RecordRejected` or `NotPermitted` when this note is refused.
        """
