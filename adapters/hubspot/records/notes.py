"""Notes on records: put there once, and looked for by their key among those that hang on the same record."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from typing import Any, Final

from adapters.hubspot.http.client import HubSpotClient
from adapters.hubspot.records.links import Links
from adapters.hubspot.records.writer import HubSpotWriter
from connector.errors import AGAIN, CrmError, Locked, Unavailable, raises_own_errors
from connector.ports import Note, Write

_NOTES: Final = "notes"
_BODY: Final = "hs_note_body"
_NEWEST: Final = 500
"""How many of a record's notes are looked at: one that may just have been made is among the newest."""
_Lookup = Callable[[str, Sequence[str], Sequence[str]], Mapping[str, Mapping[str, Any]]]


@raises_own_errors
class Notes:
    """Puts notes on records. It takes the scope that tasks take: crm.objects.contacts.write."""

    def __init__(
        self, connection: str, client: HubSpotClient, links: Links, properties: _Lookup, writer: HubSpotWriter
    ) -> None:
        self.connection = connection
        self._client = client
        self._links = links
        self._properties = properties
        self._writer = writer

    def put(self, note: Note) -> None:
        """See `NoteTaker.put`. Notes have no unique property, and a search shows a new one only after a while."""
        if self._is_there(note):
            return
        at = note.at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        write = Write(note.key, _NOTES, {"hs_timestamp": at, _BODY: note.text}, related=(note.about, *note.related))
        (result,) = self._writer.write([write])
        if result.error is not None:
            raise _of_record(result.error)

    def _is_there(self, note: Note) -> bool:
        near = self._links.read(note.about.object, [note.about.id], _NOTES)
        if note.about.id not in near:
            where = self._client.where(f"notes of {note.about.object}")
            raise Locked("the notes on the record could not be read.", where=where, remedy=AGAIN)
        newest = sorted(near[note.about.id], key=int)[-_NEWEST:]
        held = self._properties(_NOTES, newest, [_BODY]) if newest else {}
        return any(note.key in str(row.get(_BODY) or "") for row in held.values())


def _of_record(error: CrmError) -> CrmError:
    """Return why a note was not made, as its record's own trouble: the others need not wait for what may pass."""
    return Locked(error.what, where=error.where, remedy=AGAIN) if isinstance(error, Unavailable) else error
