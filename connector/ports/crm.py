"""A connected CRM as an adapter gives it: its three parts together.

An adapter speaks in the CRM's own names and values (`Record`, `Query`, `Write`) and knows no field's meaning. Whoever needs one part
asks for that part alone, so that what only reads, or keeps writes instead of carrying them out, stands in for it.
"""

from typing import Protocol

from connector.ports.reader import CrmReader
from connector.ports.setup import CrmSetup
from connector.ports.writer import CrmWriter


class CrmAdapter(CrmReader, CrmWriter, CrmSetup, Protocol):
    """One connected CRM."""

    def close(self) -> None:
        """Let go of connections."""
