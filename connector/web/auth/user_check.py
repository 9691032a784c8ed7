"""Whether somebody who wants to sign in is still a user of a CRM: asked there, in bounded time, on a thread that serves no pages."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import structlog

from connector.errors import AfterwordError
from connector.model import Kind
from connector.ports import CrmMapping, Query, Reading
from connector.stages.connection.connect import Endpoint
from connector.stages.installation import Installation
from connector.store.crm import owners
from connector.store.crm.pages import ReadRecord
from connector.store.crm.records import Absorber
from connector.store.ops import connections
from connector.store.surveys.people import person_key
from connector.store.tables import ref_text

ANSWERS_WITHIN: Final = timedelta(seconds=20)
"""For the CRMs of one user to answer; longer than that they cannot be asked."""
ASKED_EVERY: Final = timedelta(minutes=10)
"""A CRM is asked about a user once in this time at most, however many links are asked for: anybody can ask, and each call counts."""
LONGEST_KNOWN: Final = timedelta(hours=12)
"""How long what was read of a CRM's users is good for signing in while it cannot be asked."""

log = structlog.get_logger("afterword")


class UserVerdict(StrEnum):
    """What is known of somebody who wants to sign in."""

    USER = "user"
    NO_USER = "no_user"
    NOT_ASKED = "not_asked"
    """No CRM of theirs can be asked, and what was read of its users before is too old."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A verdict."""

    verdict: UserVerdict
    read_at: datetime | None = None
    """When what is known was last read, of one who was not asked; None: that is not known."""


class UserCheck:
    """Asks the CRMs of an installation, about one user at a time."""

    def __init__(self, installation: Installation, within: timedelta = ANSWERS_WITHIN) -> None:
        self._installation = installation
        self._within = within.total_seconds()
        self._asking: threading.Thread | None = None
        self._asked: dict[str, tuple[datetime, set[str]]] = {}
        """When each address was asked about lately, and which CRMs have answered."""

    def __call__(self, email: str) -> Checked:
        """Return whether this (normalised) address is an active user's, by what each CRM that knows it says now.

        Where a CRM does not say in time, by what was read of it before, as long as that is not too old.
        """
        asked = self._ask_in_time(email)
        now = self._installation.clock.now()
        with self._installation.store.read() as tx:
            crms = {user.ref.connection for user in owners.active_with(tx, email)}
            read = [connections.last_ok(tx, crm) for crm in crms]
        if crms & asked:
            return Checked(UserVerdict.USER)
        if not crms:
            return Checked(UserVerdict.NO_USER)
        latest = max((at for at in read if at is not None), default=None)
        if latest is not None and now - latest <= LONGEST_KNOWN:
            return Checked(UserVerdict.USER)
        return Checked(UserVerdict.NOT_ASKED, latest)

    def _ask_in_time(self, email: str) -> frozenset[str]:
        """Ask, unless that was done just now, and return which CRMs have answered. While one hangs, nobody is asked any more."""
        now = self._installation.clock.now()
        self._asked = {
            address: (at, crms) for address, (at, crms) in self._asked.items() if abs(now - at) < ASKED_EVERY
        }
        if email in self._asked:
            return frozenset(self._asked[email][1])
        if self._asking is not None and self._asking.is_alive():
            return frozenset()
        answered: set[str] = set()
        self._asked[email] = (now, answered)
        # A thread that hangs in a call does not keep the process from its end.
        self._asking = threading.Thread(target=self._ask, args=(email, answered), name="user-check", daemon=True)
        self._asking.start()
        self._asking.join(self._within)
        return frozenset(answered)

    def _ask(self, email: str, answered: set[str]) -> None:
        for endpoint in self._installation.endpoints:
            try:
                if self._read_again(endpoint, email):
                    answered.add(endpoint.name)
            except AfterwordError as error:
                log.warning("could not ask whether somebody is a user", crm=endpoint.name, what=error.what)

    def _read_again(self, endpoint: Endpoint, email: str) -> bool:
        """Read this user's records in one CRM, and store what they say; False where it is not to be called at present."""
        store, now = self._installation.store, self._installation.clock.now()
        with store.read() as tx:
            users = owners.active_with(tx, email)
            refs = [ref_text(user.ref) for user in users if user.ref.connection == endpoint.name]
            schema = connections.stored_schema(tx, endpoint.name)
        if not refs or schema is None:
            return False
        with store.write() as tx:  # the key of credentials is made at first use
            if connections.not_to_be_called(tx, endpoint.name, endpoint.credentials, now) is not None:
                return False
        mapping, _ = endpoint.mapping.fit(schema.objects)
        records = [record for query in mapping.queries for record in _fetched(endpoint, mapping, query, refs)]
        if not records:
            return False
        with store.write() as tx:
            zone = self._installation.settings.company.timezone
            Absorber(tx, endpoint.name, now=now, key=person_key(tx), zone=zone).absorb(records)
        return True


def _fetched(endpoint: Endpoint, mapping: CrmMapping, query: Query, refs: Sequence[str]) -> Sequence[ReadRecord]:
    """Return what the CRM says now of those of these users that a query reads; what it does not have any more was deleted."""
    refs_of_object = [ref for ref in refs if ref.startswith(f"{query.object}/")]
    if not refs_of_object or Kind.OWNER not in mapping.kinds(query.object):
        return []
    records = endpoint.adapter.fetch(query.object, [ref.partition("/")[2] for ref in refs_of_object], query.fields)
    there = [ReadRecord.of(record, mapping.read(endpoint.name, record)) for record in records.values()]
    gone = set(refs_of_object) - {record.ref for record in there}
    return [*there, *(ReadRecord(ref, Reading(Kind.OWNER, None), deleted=True) for ref in sorted(gone))]
