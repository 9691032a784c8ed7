"""How users of the CRM sign in: the links that are asked for, the queue of their mails, and sessions.

Whether an address is anybody's is found out when its turn comes in the queue. So asking takes the same time for every address, and
whatever a mail server does, no page waits for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, func, or_, select, update

from connector.store.crm import owners
from connector.store.db.upsert import insert_or_ignore
from connector.store.tables import sign_in, web_session

WAITING, SENDING, SENT, IN_DOUBT = "waiting", "sending", "sent", "in_doubt"
REFUSED, DROPPED, NOT_ASKED = "refused", "dropped", "not_asked"
LINK_LIFE: Final = timedelta(minutes=15)
"""How long a sign-in link can be used once its mail is on its way, and how long a request waits for its mail at most."""
PRESSED_AGAIN: Final = timedelta(minutes=1)
"""How long a link still works in its own browser once it was used: of two presses a browser shows what came of the last."""
SESSION_LIFE: Final = timedelta(hours=12)
MOST_WAITING: Final = 100
"""Requests in the queue."""
KEPT_DROPPED: Final = timedelta(days=1)
"""How long an address that is nobody's is kept: as long as it is counted."""

_Limits = Sequence[tuple[int, timedelta]]
_QUARTER, _SHIFT, _DAY = timedelta(minutes=15), timedelta(hours=3), timedelta(days=1)
KNOWN_BROWSER: Final = timedelta(days=30)
"""How long a browser is known in which somebody has signed in by a link; as long as used links are kept."""
FOR_AN_ADDRESS: Final[_Limits] = ((5, _QUARTER), (12, _SHIFT), (25, _DAY))
"""So many links to an address may be asked for in so long from one network address, or in one browser that is known for it: whoever
goes on waits longer and longer."""
BY_STRANGERS: Final[_Limits] = ((10, _QUARTER), (24, _SHIFT), (50, _DAY))
"""So many, from wherever they are asked for, are sent to an address for browsers that are not known for it: nobody's mailbox is filled
by others."""
FROM_A_SOURCE: Final[_Limits] = ((30, _QUARTER), (120, _SHIFT), (400, _DAY))
"""The same from one network address; a whole office may sit behind one."""
IN_ALL: Final[_Limits] = ((200, _QUARTER), (600, _SHIFT), (2000, _DAY))
"""The same of mails to users, whoever asked."""


@dataclass(frozen=True, slots=True)
class SignInRequest:
    """Somebody who has asked for a link."""

    nonce: str
    email: str
    account_id: str
    """The account that they wanted to see; may be empty."""
    browser: str
    """What tells the browser that asked from others, hashed."""
    source: str = ""
    """What tells the network address that asked from others; empty: it is not known."""
    attempts: int = 0


# ── asking ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def must_wait(tx: Connection, asked: SignInRequest, now: datetime) -> timedelta | None:
    """Return for how long this one may not ask, where too many links were asked for, else None.

    A browser in which the address was signed in before is counted alone: whoever only knows the address keeps nobody out there.
    """
    of_address, of_source = sign_in.c.email == asked.email, sign_in.c.source == asked.source
    bounds: list[tuple[ColumnElement[bool], _Limits]]
    if _is_known(tx, asked, now):
        bounds = [(of_address & (sign_in.c.browser == asked.browser), FOR_AN_ADDRESS)]
    else:
        bounds = [(of_address & of_source, FOR_AN_ADDRESS), (of_address, BY_STRANGERS)]
        bounds += [(of_source, FROM_A_SOURCE)] if asked.source else []
        bounds += [(sign_in.c.state != DROPPED, IN_ALL)]
    waits = [_wait(tx, which, limits, now) for which, limits in bounds]
    return max(*waits, _wait_for_the_queue(tx)) or None


def _is_known(tx: Connection, asked: SignInRequest, now: datetime) -> bool:
    """Return whether the browser has been used to sign this address in."""
    here = (sign_in.c.email == asked.email, sign_in.c.browser == asked.browser, sign_in.c.used_at > now - KNOWN_BROWSER)
    return bool(asked.browser) and tx.execute(select(sign_in.c.nonce).where(*here).limit(1)).first() is not None


def ask(tx: Connection, asked: SignInRequest, now: datetime) -> timedelta | None:
    """Let a request wait for its mail, unless too many links were asked for: then return what `must_wait` does."""
    _alone(tx)
    wait = must_wait(tx, asked, now)
    if wait is None:
        values = {name: getattr(asked, name) for name in ("nonce", "email", "account_id", "browser", "source")}
        insert_or_ignore(tx, sign_in, [values | {"made_at": now, "state": WAITING, "next_at": now}])
    return wait


def _alone(tx: Connection) -> None:
    """Wait for others who ask, on PostgreSQL: of many at once each would count those before it. SQLite has one writer anyway."""
    if tx.dialect.name == "postgresql":
        tx.execute(select(func.pg_advisory_xact_lock(func.hashtext(sign_in.name))))


def _wait(tx: Connection, which: ColumnElement[bool], limits: _Limits, now: datetime) -> timedelta:
    """Return how long it takes until one more may be asked for."""
    longest = timedelta()
    for most, within in limits:
        # The one that has to become old enough for one more: the newest but `most` - 1.
        oldest = (
            select(sign_in.c.made_at)
            .where(which, sign_in.c.made_at > now - within, sign_in.c.made_at <= now)
            .order_by(sign_in.c.made_at.desc())
            .offset(most - 1)
            .limit(1)
        )
        at = tx.execute(oldest).scalar_one_or_none()
        if at is not None:
            longest = max(longest, at + within - now)
    return longest


def _wait_for_the_queue(tx: Connection) -> timedelta:
    waiting = select(func.count()).select_from(sign_in).where(sign_in.c.state == WAITING)
    return timedelta(minutes=1) if tx.execute(waiting).scalar_one() >= MOST_WAITING else timedelta()


# ── the queue of mails ───────────────────────────────────────────────────────────────────────────────────────────────


def drop_needless(tx: Connection, now: datetime) -> None:
    """Take out of the queue what is nobody's, or has waited for too long; and forget such addresses once they are counted no more."""
    for row in tx.execute(select(sign_in).where(sign_in.c.state == WAITING)).all():
        if row.made_at <= now - LINK_LIFE or not connections_of(tx, row.email):
            dropped = (sign_in.c.nonce == row.nonce, sign_in.c.state == WAITING)
            tx.execute(update(sign_in).where(*dropped).values(state=DROPPED))
    old = (sign_in.c.state == DROPPED, sign_in.c.made_at < now - KEPT_DROPPED)
    tx.execute(sign_in.delete().where(*old))


def take_next(tx: Connection, now: datetime) -> SignInRequest | None:
    """Take the next request out of the queue for whose mail it is time: it is being sent from then on. None: there is none."""
    drop_needless(tx, now)
    due = (sign_in.c.state == WAITING, or_(sign_in.c.next_at.is_(None), sign_in.c.next_at <= now))
    for row in tx.execute(select(sign_in).where(*due).order_by(sign_in.c.made_at, sign_in.c.nonce)).all():
        still = (sign_in.c.nonce == row.nonce, sign_in.c.state == WAITING)
        taken = tx.execute(update(sign_in).where(*still).values(state=SENDING, sent_at=now))
        if taken.rowcount == 1:
            return SignInRequest(row.nonce, row.email, row.account_id, row.browser, row.source, row.attempts)
    return None


def sent(tx: Connection, nonce: str, state: str) -> None:
    """Note what became of a request: SENT, IN_DOUBT, REFUSED, DROPPED or NOT_ASKED, whose mail holds no link."""
    tx.execute(update(sign_in).where(sign_in.c.nonce == nonce).values(state=state))


def not_sent(tx: Connection, nonce: str, *, again_at: datetime) -> None:
    """Let a request whose mail was certainly not sent wait again."""
    waits = {"state": WAITING, "sent_at": None, "next_at": again_at, "attempts": sign_in.c.attempts + 1}
    tx.execute(update(sign_in).where(sign_in.c.nonce == nonce).values(**waits))


# ── links and sessions ───────────────────────────────────────────────────────────────────────────────────────────────


def connections_of(tx: Connection, email: str) -> frozenset[str]:
    """Return the names of the CRMs in which this (normalised) address is an active user of the firm's own."""
    return frozenset(user.ref.connection for user in owners.active_with(tx, email))


def _usable(nonce: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    unused = or_(sign_in.c.used_at.is_(None), sign_in.c.used_at > now - PRESSED_AGAIN)
    return sign_in.c.nonce == nonce, unused, sign_in.c.sent_at > now - LINK_LIFE


def asked_in(tx: Connection, nonce: str, now: datetime) -> str | None:
    """Return which browser asked for a link that can be used, None where it cannot."""
    return tx.execute(select(sign_in.c.browser).where(*_usable(nonce, now))).scalar_one_or_none()


def use_link(tx: Connection, nonce: str, browser: str, now: datetime) -> str | None:
    """Use up a link; returns whose it is, or None when it cannot be used: not any more, not here, or not by them."""
    first = func.coalesce(sign_in.c.used_at, now)
    used = update(sign_in).where(*_usable(nonce, now), sign_in.c.browser == browser).values(used_at=first)
    if tx.execute(used).rowcount != 1:
        return None
    email = str(tx.execute(select(sign_in.c.email).where(sign_in.c.nonce == nonce)).scalar_one())
    return email if connections_of(tx, email) else None


def begin_session(tx: Connection, session: str, email: str, now: datetime) -> None:
    """Note that somebody has signed in."""
    tx.execute(web_session.insert().values(id=session, email=email, began_at=now))


def signed_in(tx: Connection, session: str, now: datetime) -> str | None:
    """Return whose session this is, None when it is nobody's (any more)."""
    going_on = (web_session.c.ended_at.is_(None), web_session.c.began_at > now - SESSION_LIFE)
    query = select(web_session.c.email).where(web_session.c.id == session, *going_on)
    return tx.execute(query).scalar_one_or_none()


def end_session(tx: Connection, session: str, now: datetime) -> None:
    """Note that somebody has signed out; a session that has ended stays as it is."""
    goes_on = (web_session.c.id == session, web_session.c.ended_at.is_(None))
    tx.execute(update(web_session).where(*goes_on).values(ended_at=now))
