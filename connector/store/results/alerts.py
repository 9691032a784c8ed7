"""Queries of notices: which follow-ups somebody has to hear of, what is waiting to be told, and the mails that told it."""

import hashlib
import hmac
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, case, delete, exists, func, or_, select, update

from connector.model import FollowUpState
from connector.model.follow_up import FollowUp, NamedFollowUp
from connector.model.stored import StoredOwner
from connector.store.crm.refs import chunks
from connector.store.db.row_readers import follow_up_of, named_follow_up_of, owner_of
from connector.store.db.upsert import insert_once, insert_or_ignore
from connector.store.results import record_texts
from connector.store.surveys.people import person_key
from connector.store.tables import alert, follow_up, follow_up_response, owner, response, staff_mail

POSTED_WITHIN = timedelta(days=1)
"""Chats are not told of follow-ups that are older: the task in the CRM has said it by now."""
WAITING, SENDING, SENT, IN_DOUBT, REFUSED, DROPPED = "waiting", "sending", "sent", "in_doubt", "refused", "dropped"
QUEUED = "queued"
"""A post that a chat has taken without saying that it was shown."""
CHAT = "chat"
"""The kind of what a chat was not told."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notice that nobody has been told yet."""

    key: str
    kind: str
    follow_up_id: str
    response_id: str | None
    recipient: str
    at: datetime | None = None
    """Since when."""


def unsettled(tx: Connection, crms: Collection[str], *, after: str, limit: int) -> list[FollowUp]:
    """Return open follow-ups of these connections, and those that wait for an outcome, by id behind `after`."""
    rows = (
        select(follow_up)
        .where(
            follow_up.c.connection.in_(crms), follow_up.c.state != FollowUpState.CLOSED.value, follow_up.c.id > after
        )
        .order_by(follow_up.c.id)
    )
    return [follow_up_of(row) for row in tx.execute(rows.limit(limit))]


def answers_of(tx: Connection, follow_ups: Iterable[str]) -> Mapping[str, list[tuple[str, datetime]]]:
    """Return the responses (id, when given) that each of these follow-ups is about, the earliest first."""
    known: dict[str, list[tuple[str, datetime]]] = {}
    link = follow_up_response
    for part in chunks(follow_ups):
        rows = (
            select(link.c.follow_up_id, response.c.id, response.c.at)
            .join(response, response.c.id == link.c.response_id)
            .where(link.c.follow_up_id.in_(part))
            .order_by(response.c.at, response.c.id)
        )
        for row in tx.execute(rows):
            known.setdefault(row.follow_up_id, []).append((row.id, row.at))
    return known


def known_keys(tx: Connection, follow_ups: Iterable[str]) -> set[str]:
    """Return the keys of all notices about these follow-ups, told or not."""
    keys: set[str] = set()
    for part in chunks(follow_ups):
        keys.update(tx.execute(select(alert.c.key).where(alert.c.follow_up_id.in_(part))).scalars())
    return keys


def add(tx: Connection, rows: Sequence[Waiting], now: datetime) -> None:
    """Let notices wait for their time; one that is known already stays as it is."""
    insert_or_ignore(
        tx,
        alert,
        [
            {
                "key": row.key,
                "kind": row.kind,
                "follow_up_id": row.follow_up_id,
                "response_id": row.response_id,
                "recipient": row.recipient,
                "state": WAITING,
                "at": now,
            }
            for row in rows
        ],
    )


def drop_untrue(
    tx: Connection, now: datetime, *, untouched: Collection[str], overdue: Collection[str], no_outcome: Collection[str]
) -> None:
    """Tell nobody any more of follow-ups that have been closed meanwhile, nor what has ceased to be true of others.

    The kinds of notices that say so: `untouched`, that nobody has called yet; `overdue`; `no_outcome`, that none was noted. What
    comes to be true again is noted again.
    """
    closed = select(follow_up.c.id).where(follow_up.c.state == FollowUpState.CLOSED.value)
    waiting = alert.c.state == WAITING
    if tx.execute(select(alert.c.key).where(waiting).limit(1)).first() is None:
        return
    tx.execute(update(alert).where(waiting, alert.c.follow_up_id.in_(closed)).values(state=DROPPED))
    is_open = follow_up.c.state == FollowUpState.OPEN.value
    touched = or_(follow_up.c.attempts > 0, follow_up.c.first_contact_at.is_not(None), ~is_open)
    settled = follow_up.c.state != FollowUpState.WAITING_FOR_OUTCOME.value
    untrue = ((untouched, touched), (overdue, or_(follow_up.c.due_at > now, ~is_open)), (no_outcome, settled))
    for kinds, is_so in untrue:
        about = alert.c.follow_up_id.in_(select(follow_up.c.id).where(is_so))
        tx.execute(delete(alert).where(waiting, alert.c.kind.in_(kinds), about))


def recipients(tx: Connection) -> list[str]:
    """Return everybody for whom something is waiting; last those whose mail did not go out, who may be refused each time."""
    failed = func.max(case((alert.c.error.is_not(None), 1), else_=0))
    waiting = select(alert.c.recipient).where(alert.c.state == WAITING).group_by(alert.c.recipient)
    return list(tx.execute(waiting.order_by(failed, alert.c.recipient)).scalars())


def crms_of(tx: Connection, recipient: str) -> list[str]:
    """Return the connections about which something is waiting to be told to somebody."""
    rows = (
        select(follow_up.c.connection)
        .join(alert, follow_up.c.id == alert.c.follow_up_id)
        .where(alert.c.state == WAITING, alert.c.recipient == recipient)
        .distinct()
        .order_by(follow_up.c.connection)
    )
    return list(tx.execute(rows).scalars())


def waiting_for(tx: Connection, recipient: str, crms: Collection[str]) -> list[Waiting]:
    """Return what is waiting to be told to somebody about these connections, in the order in which it happened."""
    rows = (
        select(alert)
        .join(follow_up, follow_up.c.id == alert.c.follow_up_id)
        .where(alert.c.state == WAITING, alert.c.recipient == recipient, follow_up.c.connection.in_(crms))
        .order_by(alert.c.at, alert.c.key)
    )
    return [
        Waiting(row.key, row.kind, row.follow_up_id, row.response_id, row.recipient, row.at) for row in tx.execute(rows)
    ]


def mails_to(tx: Connection, recipient: str, since: datetime) -> set[str]:
    """Return the kinds of mail that somebody got, or may have got, since some moment."""
    rows = select(staff_mail.c.kind).where(staff_mail.c.recipient == recipient, staff_mail.c.at >= since)
    return set(tx.execute(rows).scalars())


def begin_mail(tx: Connection, key: str, *, recipient: str, kind: str, notices: Collection[str], now: datetime) -> bool:
    """Note that a mail is about to be sent, and what it tells; False when one of this key was begun before."""
    row = {"key": key, "recipient": recipient, "kind": kind, "state": SENDING, "at": now}
    if not insert_once(tx, staff_mail, row):
        return False
    for part in chunks(notices):
        conditions = (alert.c.key.in_(part), alert.c.state == WAITING)
        tx.execute(update(alert).where(*conditions).values(state=SENDING, staff_mail_key=key))
    return True


def end_mail(tx: Connection, key: str, state: str, error: str | None) -> None:
    """Note what became of a mail: SENT, IN_DOUBT or REFUSED."""
    tx.execute(update(staff_mail).where(staff_mail.c.key == key).values(state=state, error=error))
    tx.execute(update(alert).where(alert.c.staff_mail_key == key).values(state=state, error=error))


def take_back(tx: Connection, key: str, error: str) -> None:
    """Forget a mail that was certainly not sent, for this reason: what it was to tell waits again."""
    tx.execute(staff_mail.delete().where(staff_mail.c.key == key))
    tx.execute(
        update(alert).where(alert.c.staff_mail_key == key).values(state=WAITING, staff_mail_key=None, error=error)
    )


def doubt_unfinished(tx: Connection) -> int:
    """Mails that were being sent when the process died may have arrived: they are not sent again. Returns how many."""
    unfinished = list(tx.execute(select(staff_mail.c.key).where(staff_mail.c.state == SENDING)).scalars())
    for key in unfinished:
        end_mail(tx, key, IN_DOUBT, "the process ended while it was sent")
    return len(unfinished)


@dataclass(frozen=True, slots=True)
class Untold:
    """A mail to one of our people, or a post to a chat, that certainly or perhaps did not arrive."""

    recipient: str
    """An address, or the rule by which a chat is told."""
    kind: str
    state: str
    """REFUSED or IN_DOUBT."""
    at: datetime
    error: str


def untold(tx: Connection, since: datetime, limit: int) -> list[Untold]:
    """Return what was not told, or may not have been, since some moment, the newest first."""
    lost = (REFUSED, IN_DOUBT)
    mails = select(staff_mail).where(staff_mail.c.state.in_(lost), staff_mail.c.at >= since)
    posts = (
        select(alert, follow_up.c.rule)
        .join(follow_up, follow_up.c.id == alert.c.follow_up_id)
        .where(alert.c.state.in_(lost), alert.c.staff_mail_key.is_(None), alert.c.at >= since)
    )
    notices = [
        *(
            Untold(row.recipient, row.kind, row.state, row.at, row.error or "")
            for row in tx.execute(mails.order_by(staff_mail.c.at.desc()).limit(limit))
        ),
        *(
            Untold(f"follow_up.{row.rule}.notify", CHAT, row.state, row.at, row.error or "")
            for row in tx.execute(posts.order_by(alert.c.at.desc()).limit(limit))
        ),
    ]
    return sorted(notices, key=lambda lost_notice: lost_notice.at, reverse=True)[:limit]


def users_by_email(tx: Connection, email: str) -> list[StoredOwner]:
    """Return the active users of all CRMs with this address (lower case) who are the firm's own people."""
    own = owner.c.standard.is_not(False)
    rows = select(owner).where(
        func.lower(owner.c.email) == email, owner.c.active.is_(True), owner.c.deleted_at.is_(None), own
    )
    return [owner_of(row) for row in tx.execute(rows.order_by(owner.c.connection))]


# ── chats ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def chat_of(tx: Connection, url: str) -> str:
    """Return the name by which a chat is known, wherever it stands in a list. Its address is a secret: whoever knows it can post."""
    return f"chat-{hmac.digest(person_key(tx), url.encode(), hashlib.sha256).hex()[:24]}"


def chat_at(number: int) -> str:
    """Return the name by which earlier versions knew the chat at a place of a rule's list, from 0."""
    return f"webhook-{number}"


def not_posted(
    tx: Connection, rule: str, names: Collection[str], crms: Collection[str], *, since: datetime
) -> list[NamedFollowUp]:
    """Return open follow-ups of a rule, opened since some moment, that a chat was not told of, with names of person and account.

    `names` are those by which that chat is and was known.
    """
    posted = exists().where(alert.c.follow_up_id == follow_up.c.id, alert.c.recipient.in_(names))
    wanted = (follow_up.c.rule == rule, follow_up.c.connection.in_(crms), follow_up.c.opened_at >= since)
    is_open = follow_up.c.state == FollowUpState.OPEN.value
    rows = record_texts.with_names().where(*wanted, is_open, ~posted).order_by(follow_up.c.opened_at, follow_up.c.id)
    return [named_follow_up_of(row) for row in tx.execute(rows)]


def begin_post(tx: Connection, key: str, follow_up_id: str, *, chat: str, now: datetime) -> bool:
    """Note that a chat is about to be told; False when that was begun before."""
    row = {"key": key, "follow_up_id": follow_up_id, "kind": "opened", "recipient": chat, "state": SENDING, "at": now}
    return insert_once(tx, alert, row)


def end_post(tx: Connection, key: str, state: str, error: str | None) -> None:
    """Note what became of a post."""
    tx.execute(update(alert).where(alert.c.key == key).values(state=state, error=error))


def forget_post(tx: Connection, key: str) -> None:
    """Forget a post that certainly did not arrive, so that it is tried again."""
    tx.execute(alert.delete().where(alert.c.key == key))
