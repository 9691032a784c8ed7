"""What keeps mail from going out: the messages that were refused one after the other, and a stop that waits for the admin."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, exists, func, or_, select

from connector.errors import AfterwordError
from connector.model import Delivery
from connector.model.documents import JsonObject
from connector.store.db.upsert import insert_or_update
from connector.store.tables import attempt, invitation, person, setting

_TROUBLE: Final = "mail_trouble"
_STOPPED: Final = "mail_stopped"
_ANSWERED: Final = "mail_stop_answered"


@dataclass(frozen=True, slots=True)
class MailTrouble:
    """Messages that did not go through, one after the other, since one last did."""

    what: str
    remedy: str
    in_a_row: int
    stops: bool
    """Whether the sending of a lap was ended by them."""
    since: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class Stopped:
    """So many addresses were said not to exist that nothing more is sent to customers until the admin has looked."""

    what: str
    remedy: str
    since: datetime
    refused: int
    """So many of the last …"""
    of: int
    """… so many addresses."""
    last: str
    """What was said of the last of them."""


def trouble(tx: Connection) -> MailTrouble | None:
    """Return what the last messages met; None: the last one went through."""
    document = _read(tx, _TROUBLE)
    return MailTrouble(**{**document, **_times(document, "since", "at")}) if document is not None else None


def note(tx: Connection, error: AfterwordError, now: datetime, *, stops: bool) -> None:
    """Note that a message did not go through; `stops`: nothing more was sent in that lap."""
    before = trouble(tx)
    row = MailTrouble(
        what=error.what,
        remedy=error.remedy,
        in_a_row=before.in_a_row + 1 if before is not None else 1,
        stops=stops or (before is not None and before.stops),
        since=before.since if before is not None else now,
        at=now,
    )
    _keep(tx, _TROUBLE, asdict(row) | {"since": row.since.isoformat(), "at": row.at.isoformat()})


def forget(tx: Connection) -> None:
    """Note that a message went through."""
    if _read(tx, _TROUBLE) is not None:
        tx.execute(setting.delete().where(setting.c.name == _TROUBLE))


def stopped(tx: Connection) -> Stopped | None:
    """Return why nothing is sent to customers until the admin has looked; None: it may be."""
    document = _read(tx, _STOPPED)
    return Stopped(**{**document, **_times(document, "since")}) if document is not None else None


def stop(tx: Connection, stopped: Stopped) -> None:
    """Send nothing more to customers, until the admin has looked."""
    _keep(tx, _STOPPED, asdict(stopped) | {"since": stopped.since.isoformat()})


def go_on(tx: Connection, now: datetime) -> bool:
    """Note that the admin has looked: addresses that were refused before count no more. Returns whether anything was stopped."""
    if _read(tx, _STOPPED) is None:
        return False
    tx.execute(setting.delete().where(setting.c.name == _STOPPED))
    _keep(tx, _ANSWERED, now.isoformat())
    return True


def refused_of_last(tx: Connection, messages: int) -> tuple[int, int]:
    """Return how many of the last messages (invitations and reminders, each by its first attempt) were refused for the sake of their
    mailbox, at once or by a report, and how many messages that were: those since the admin has looked alone."""
    earlier = attempt.alias("earlier")
    same = (earlier.c.invitation_id == attempt.c.invitation_id, earlier.c.purpose == attempt.c.purpose)
    answered = _answered_at(tx)
    since = [] if answered is None else [attempt.c.started_at > answered]
    first = (
        select(attempt.c.invitation_id, attempt.c.purpose)
        .where(~exists().where(*same, earlier.c.id < attempt.c.id), *since)
        .order_by(attempt.c.id.desc())
        .limit(messages)
        .subquery()
    )
    of_it = (earlier.c.invitation_id == first.c.invitation_id, earlier.c.purpose == first.c.purpose)
    at_once = exists().where(*of_it, earlier.c.state == Delivery.BOUNCED)
    later = exists().where(
        invitation.c.id == first.c.invitation_id,
        person.c.person == invitation.c.person,
        person.c.bounced_at.is_not(None),
    )
    bounced = or_(at_once, later)
    total = tx.execute(select(func.count()).select_from(first)).scalar_one()
    refused = tx.execute(select(func.count()).select_from(first).where(bounced)).scalar_one()
    return int(refused), int(total)


def refused_of_last_outcomes(tx: Connection, outcomes: int) -> tuple[int, int]:
    """Return how many of the last outcomes were marks on people, and how many outcomes there were, since the admin has looked.

    An outcome is a message that a server took, when it did, or a mark, when it was made or its report came: reports that come
    one after the other count here however long ago their messages went out.
    """
    since = _looked(tx)
    sent = select(attempt.c.ended_at).where(attempt.c.state == Delivery.SENT, attempt.c.ended_at > since)
    marked = select(person.c.bounced_at).where(person.c.bounced_at > since)
    known = [
        *((at, False) for at in tx.execute(sent.order_by(attempt.c.id.desc()).limit(outcomes)).scalars()),
        *((at, True) for at in tx.execute(marked.order_by(person.c.bounced_at.desc()).limit(outcomes)).scalars()),
    ]
    last = sorted(known)[-outcomes:]
    return sum(is_mark for _, is_mark in last), len(last)


def marked_and_taken(tx: Connection, since: datetime) -> tuple[int, int]:
    """Return how many people were marked, and how many messages a server took, since then and since the admin has looked."""
    since = max(since, _looked(tx))
    marked = select(func.count()).where(person.c.bounced_at > since)
    taken = select(func.count()).where(attempt.c.state == Delivery.SENT, attempt.c.ended_at > since)
    return int(tx.execute(marked).scalar_one()), int(tx.execute(taken).scalar_one())


def _looked(tx: Connection) -> datetime:
    return _answered_at(tx) or datetime.min.replace(tzinfo=UTC)


def _answered_at(tx: Connection) -> datetime | None:
    """Return when the admin has looked last; None: never."""
    answered = tx.execute(select(setting.c.value).where(setting.c.name == _ANSWERED)).scalar_one_or_none()
    return None if answered is None else datetime.fromisoformat(str(answered))


def _times(document: Mapping[str, str], *names: str) -> dict[str, datetime]:
    return {name: datetime.fromisoformat(document[name]) for name in names}


def _keep(tx: Connection, name: str, value: object) -> None:
    insert_or_update(tx, setting, [{"name": name, "value": value}])


def _read(tx: Connection, name: str) -> JsonObject | None:
    value: JsonObject | None = tx.execute(select(setting.c.value).where(setting.c.name == name)).scalar_one_or_none()
    return value
