"""What the records of a customer should show: figures, sentences and links, of the accounts and of the contacts who answered."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from connector import presenting
from connector.presenting import Due, Said
from connector.scoring.scales import round_half_away
from connector.stages.context import Context
from connector.stages.follow_up_plan import Customer
from connector.store import Row, Transaction, following, showing
from connector.store.tables import ref_of
from connector.zones import owner_zone


def present(context: Context, connection: Transaction, customer: Customer) -> None:
    """Say what the customer's accounts and the contacts who answered should show."""
    dues = [_due(context, connection, row) for row in following.open_follow_ups(connection, customer.id)]
    asked, answered = following.people_asked(connection, customer.id)
    said = [one.said for one in customer.answers]
    for account in following.accounts_of(connection, customer.id):
        owner = following.owner_at(connection, account.connection, account.owner_ref)
        tz = owner_zone(owner.timezone if owner is not None else None, context.settings)
        words = {
            "summary": presenting.summary(said, asked=asked, answered=answered, due=dues, tz=tz) or None,
            "attention": presenting.attention(dues) or None,
            "details": details_url(context, account.id),
        }
        showing.want(
            connection, ref_of(account.connection, account.ref), "account", _figures(customer.figures, tz) | words
        )
    _present_contacts(context, connection, said)


def _present_contacts(context: Context, connection: Transaction, newest_first: Sequence[Said]) -> None:
    seen: set[str] = set()
    for said in newest_first:
        if said.contact_id is None or said.contact_id in seen:
            continue
        seen.add(said.contact_id)
        contact = following.contact_of(connection, said.contact_id)
        if contact is None or contact.deleted_at is not None:
            continue
        owner = following.owner_at(connection, contact.connection, contact.owner_ref)
        tz = owner_zone(owner.timezone if owner is not None else None, context.settings)
        text = presenting.last_rating(said, tz)
        showing.want(connection, ref_of(contact.connection, contact.ref), "contact", {"last_rating": text})


def _figures(figures: Mapping[str, Any] | None, tz: ZoneInfo) -> dict[str, Any]:
    """Return the figures with the last answer in the owner's zone: a field that keeps the day alone shows the day of the sentences."""
    fields = account_figures(figures)
    last = fields["last_answer"]
    return fields | {"last_answer": last and datetime.fromisoformat(last).astimezone(tz).isoformat()}


def account_figures(figures: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the fields of a record for these figures: whole points, and nothing at all when nothing is known."""
    if figures is None:
        names = ("satisfaction", "low", "high", "mood", "people", "nps", "csat", "ces", "trend", "last_answer")
        return dict.fromkeys(names)
    metrics = {name: figures["metrics"].get(name) for name in ("nps", "csat", "ces")}
    return {
        "satisfaction": round_half_away(figures["score"]),
        "low": round_half_away(figures["low"]),
        "high": round_half_away(figures["high"]),
        "mood": figures["mood"],
        "people": figures["people"],
        **{name: None if value is None else round_half_away(value) for name, value in metrics.items()},
        "trend": figures["trend"],
        "last_answer": figures["last_answer"],
    }


def _due(context: Context, connection: Transaction, row: Row[Any]) -> Due:
    owner = following.owner_at(connection, row.connection, row.owner_ref)
    return Due(
        subject=row.subject,
        who=row.who or row.account_name,
        why=presenting.and_more(row.subject.partition(": ")[2], row.answers - 1),
        since=row.opened_at,
        due=row.due_at,
        owner=owner.name if owner is not None else None,
        tz=owner_zone(owner.timezone if owner is not None else None, context.settings),
    )


def details_url(context: Context, account_id: str) -> str:
    """Return the constant address of an account's page."""
    return f"{context.settings.web.public_url}/accounts/{account_id}"
