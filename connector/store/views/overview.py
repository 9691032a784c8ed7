"""Queries of `status`."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, or_, select

from connector.domain import cursor as rules
from connector.model import Decision, Delivery, FollowUpState
from connector.model.documents import JsonDict
from connector.store import tables
from connector.store.crm import cursors, reconciliation
from connector.store.db.types import AnyRow
from connector.store.ops import call_counts, locked_out
from connector.store.ops.connections import ConnectionState, all_paused, peek, unread
from connector.store.results import alerts, tasks
from connector.store.results import follow_ups as follow_ups_of
from connector.store.surveys import inbox, mail_trouble
from connector.store.surveys.deliveries import FAILED

OWN_FOR = timedelta(days=30)
"""How long `status` tells how many have got the follow-up that they were owed."""
UNTOLD_WITHIN = timedelta(days=7)
"""How long `status` tells what our own people and chats were not told."""
_STANDS = "What it told stands on the customer's record and in the task."
_UNTOLD = {
    alerts.REFUSED: f"Correct the address, in the CRM or in config.toml. {_STANDS}",
    alerts.IN_DOUBT: f"It may have arrived, so it is not sent again. {_STANDS}",
}
_UNTOLD_CHAT = f"Look whether it stands in the chat, and whether the address in config.toml is still good. {_STANDS}"


def paused(tx: Connection) -> JsonDict | None:
    """Return since when and why everything is paused."""
    pause = all_paused(tx)
    return dict(pause) if pause is not None else None


def crm(tx: Connection, name: str, now: datetime, *, today: datetime) -> JsonDict:
    """Return how one connection stands: its cursors, calls, last error, whether it is paused. `today`: when the day began."""
    state = peek(tx, name)
    cursor = tables.cursor
    conditions = (cursor.c.connection == name, cursor.c["pass"] == cursors.CHANGES)
    rows = tx.execute(select(cursor).where(*conditions).order_by(cursor.c.object))
    positions = {}
    for row in rows:
        position = rules.load(row.position)
        positions[row.object] = {
            "read_until": _text(position.since),
            "under_way": position.at is not None,
            "moved_at": _text(row.moved_at),
        }
    known = {
        "calls_today": call_counts.calls_since(tx, name, today),
        "last_ok": _text(state.last_ok_at) if state else None,
        "last_error": state.last_error if state else None,
        "last_error_at": _text(state.last_error_at) if state and state.last_error else None,
        "paused_since": _text(state.paused_at) if state else None,
        "pause_reason": state.pause_reason if state else None,
        "refused": _refused(state) or _not_let_in(tx, name),
    }
    return {
        **known,
        "unread": unread(tx, name),
        "calls": _calls(tx, name, now),
        "cursors": positions,
        "drift": drift(tx, name),
    }


def _refused(state: ConnectionState | None) -> JsonDict | None:
    """Return since when and why the CRM does not let us in."""
    if state is None or state.refused_at is None:
        return None
    again = "New credentials in config.toml are tried at once; `afterword resume` tries these again."
    return {
        "since": _text(state.refused_at),
        "what": state.refused_why,
        "remedy": f"{state.refused_remedy} {again}".strip(),
        "until": None,
    }


def _not_let_in(tx: Connection, name: str) -> JsonDict | None:
    """Return since when and why the CRM gives no token at present, and when it is tried again."""
    known = locked_out.of(tx, name)
    if known is None:
        return None
    remedy = f"{known['remedy']} `afterword resume` tries it at once."
    return {"since": known["since"], "what": known["what"], "remedy": remedy, "until": known["until"]}


def _calls(tx: Connection, name: str, now: datetime) -> JsonDict:
    spent = call_counts.StoreBook(tx, name).spent(now)
    return {
        "last_24h": spent.recent,
        "org_used": spent.used,
        "org_allowed": spent.allowed,
        "none_until": _text(spent.until),
        "none_why": spent.why or None,
    }


def drift(tx: Connection, name: str) -> JsonDict:
    """Return how many records differed when everything was compared last, and since when each object's figure holds.

    `records` is None before the first comparison; `measured_at` is the oldest of the objects'.
    """
    rows = reconciliation.measured(tx, name)
    objects = {
        row.object: {"records": row.measured, "measured_at": _text(row.measured_at), "problem": row.problem}
        for row in rows
    }
    ended = [row.measured_at for row in rows if row.measured_at is not None]
    return {
        "records": sum(row.measured or 0 for row in rows) if ended else None,
        "measured_at": _text(min(ended, default=None)),
        "objects": objects,
    }


def queues(tx: Connection, now: datetime, *, crms: Collection[str], surveys: Collection[str]) -> dict[str, int]:
    """Return how much is waiting, by queue; invitations of these connections and surveys."""
    interaction, decision, invitation = tables.interaction, tables.decision, tables.invitation
    score, follow_up, outbox_record = tables.customer_score, tables.follow_up, tables.outbox_record
    counts = {
        "interactions_to_look_at": select(func.count()).select_from(interaction).where(interaction.c.decide_at <= now),
        "decisions_waiting": select(func.count()).select_from(decision).where(decision.c.state == Decision.WAITING),
        "invitations_due": select(func.count())
        .select_from(invitation)
        .where(invitation.c.state == Delivery.DUE, invitation.c.connection.in_(crms), invitation.c.survey.in_(surveys)),
        "mails_in_doubt": select(func.count())
        .select_from(tables.attempt)
        .where(tables.attempt.c.state == Delivery.IN_DOUBT),
        "accounts_to_score": select(func.count()).select_from(score).where(score.c.stale_at.is_not(None)),
        "records_to_write": select(func.count()).select_from(outbox_record).where(outbox_record.c.pending),
        "follow_ups_open": select(func.count()).select_from(follow_up).where(follow_up.c.state == FollowUpState.OPEN),
        "follow_ups_waiting_for_outcome": select(func.count())
        .select_from(follow_up)
        .where(follow_up.c.state == FollowUpState.WAITING_FOR_OUTCOME),
        "follow_ups_late": select(func.count())
        .select_from(follow_up)
        .where(follow_up.c.state == FollowUpState.OPEN, follow_up.c.due_at < now),
        "tasks_to_create": select(func.count())
        .select_from(follow_up)
        .where(follow_up.c.state == FollowUpState.OPEN, follow_up.c.task_ref.is_(None)),
    }
    return {name: int(tx.execute(query).scalar_one()) for name, query in counts.items()}


def follow_ups(tx: Connection, now: datetime, limit: int = 50) -> list[JsonDict]:
    """Return the follow-ups that nobody has settled, the one that is due first leading."""
    return [
        {
            "id": unsettled.follow_up.id,
            "crm": unsettled.follow_up.connection,
            "account": unsettled.account_name,
            "contact": unsettled.contact_name,
            "subject": unsettled.follow_up.subject,
            "owner": unsettled.owner_name,
            "state": unsettled.follow_up.state.value,
            "due": _text(unsettled.follow_up.due_at),
            "late": unsettled.follow_up.state is FollowUpState.OPEN and unsettled.follow_up.due_at < now,
            "attempts": unsettled.follow_up.attempts,
            "waiting_since": _text(unsettled.follow_up.waiting_since),
        }
        for unsettled in tasks.unsettled(tx, limit)
    ]


def owed(tx: Connection, now: datetime) -> dict[str, int]:
    """Return how many people are owed a follow-up of their own, and how many have got theirs lately."""
    got = follow_ups_of.opened_for_the_owed(tx, now - OWN_FOR)
    return {"people": follow_ups_of.people_owed_one(tx), "got": len(got)}


def unassigned(tx: Connection) -> JsonDict | None:
    """Return how many open follow-ups nobody is assigned to, with the remedy; None when there are none."""
    follow_up = tables.follow_up
    orphaned = (follow_up.c.state == FollowUpState.OPEN, follow_up.c.owner_ref.is_(None))
    count = int(tx.execute(select(func.count()).select_from(follow_up).where(*orphaned)).scalar_one())
    if not count:
        return None
    remedy = "Name a person in `assign` of the rule, or make the account's owner active in the CRM."
    return {"follow_ups": count, "remedy": remedy}


def in_doubt(tx: Connection, limit: int = 50) -> list[JsonDict]:
    """Return messages of which nobody knows whether they arrived."""
    remedy = "It may have arrived, so it is not sent again. If it did not, ask them yourself."
    return [_message(row, remedy) for row in _attempts(tx, Delivery.IN_DOUBT, limit)]


def bounced(tx: Connection, limit: int = 50) -> list[JsonDict]:
    """Return messages whose address was refused for good."""
    remedy = "Nobody writes to this address again. Correct it on the contact's record in the CRM; if it is right: "
    return [
        _message(row, f"{remedy}`afterword bounces lift {row.email}`.") | {"what": row.error}
        for row in _attempts(tx, Delivery.BOUNCED, limit)
    ]


def mail_error(tx: Connection) -> JsonDict | None:
    """Return why mail does not go out, or why the last message could not be handed over, with the remedy; None: all is well."""
    stopped, trouble = mail_trouble.stopped(tx), mail_trouble.trouble(tx)
    if stopped is not None:
        return {"what": stopped.what, "remedy": stopped.remedy, "at": _text(stopped.since)}
    if trouble is not None:
        return {"what": trouble.what, "remedy": trouble.remedy, "at": _text(trouble.at)}
    attempt = tables.attempt
    last = tx.execute(
        select(attempt).where(attempt.c.state != Delivery.SENDING).order_by(attempt.c.id.desc()).limit(1)
    ).one_or_none()
    if last is None or last.state != FAILED:
        return None
    return {"what": last.error, "remedy": "The next lap tries again.", "at": _text(last.ended_at)}


def untold(tx: Connection, now: datetime, limit: int = 50) -> list[JsonDict]:
    """Return the mails to our own people and the posts to chats of the last week that did not go out, or may not have."""
    return [
        {
            "to": message.recipient,
            "kind": message.kind,
            "state": message.state,
            "what": message.error,
            "at": _text(message.at),
            "remedy": _UNTOLD_CHAT if message.kind == alerts.CHAT else _UNTOLD[message.state],
        }
        for message in alerts.untold(tx, now - UNTOLD_WITHIN, limit)
    ]


def unmatched_reports(tx: Connection) -> JsonDict | None:
    """Return how many reports of bounces are about no message of ours, the last of them, and the remedy; None: there are none."""
    count, last = inbox.unmatched(tx)
    if last is None:
        return None
    remedy = (
        "Let whoever reports send the Message-ID of the mail, or the id that your mail server gave it when it took it."
    )
    return {
        "unmatched": count,
        "message_id": last.payload.get("message_id"),
        "at": _text(last.received_at),
        "remedy": remedy,
    }


def _attempts(tx: Connection, state: str, limit: int) -> Sequence[AnyRow]:
    attempt, invitation = tables.attempt, tables.invitation
    return tx.execute(
        select(
            attempt.c.purpose,
            attempt.c.started_at,
            attempt.c.error,
            invitation.c.email,
            invitation.c.label,
            invitation.c.survey,
        )
        .join(invitation, invitation.c.id == attempt.c.invitation_id)
        .where(attempt.c.state == state)
        .order_by(attempt.c.id.desc())
        .limit(limit)
    ).all()


def _message(row: AnyRow, remedy: str) -> JsonDict:
    return {
        "survey": row.survey,
        "about": row.label,
        "to": row.email,
        "purpose": row.purpose,
        "at": _text(row.started_at),
        "remedy": remedy,
    }


def refused(tx: Connection, limit: int | None = 200, crm: str | None = None) -> list[JsonDict]:
    """Return records that were set aside, of one connection or of all, with the CRM's words and the remedy."""
    table = tables.refused_record
    conditions = [] if crm is None else [table.c.connection == crm]
    rows = tx.execute(select(table).where(*conditions).order_by(table.c.at.desc()).limit(limit))
    return [
        {
            "crm": row.connection,
            "record": row.key,
            "direction": row.direction,
            "code": row.code,
            "what": row.what,
            "remedy": row.remedy,
            "attempts": row.attempts,
            "at": _text(row.at),
        }
        for row in rows
    ]


def laps(tx: Connection, limit: int) -> list[JsonDict]:
    """Return the newest laps and jobs, and the newest of each kind of them."""
    table = tables.lap
    newest = select(table.c.id).order_by(table.c.id.desc()).limit(limit).subquery()
    of_each = select(func.max(table.c.id)).group_by(table.c.job)
    chosen = or_(table.c.id.in_(select(newest.c.id)), table.c.id.in_(of_each))
    rows = tx.execute(select(table).where(chosen).order_by(table.c.id.desc()))
    return [
        {
            "job": row.job,
            "started": _text(row.started_at),
            "ended": _text(row.ended_at),
            "exit": row.exit_code,
            "report": row.report,
        }
        for row in rows
    ]


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
