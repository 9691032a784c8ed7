"""One open follow-up for each customer and person"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from connector.store.db.types import Utc

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_UNCLOSED = sa.text("state IN ('open', 'waiting_for_outcome')")
_PRIORITIES = ("low", "normal", "high")


def upgrade() -> None:
    """Change the store: each open follow-up is about the person of its worst answer from now on.

    Answers of others in it are owed a follow-up of their own, which the next live lap opens. Of two that come to the same
    person the one that is due first stays; the other is closed, its answers go over.
    """
    op.add_column(
        "follow_up",
        sa.Column(
            "words_of",
            sa.String(),
            nullable=True,
            comment="What subject and body were made of: they are made anew when it differs.",
        ),
    )
    _make_tables()
    op.drop_index("uq_follow_up_open", table_name="follow_up")
    _give_each_its_person(op.get_bind())
    op.create_index(
        "uq_follow_up_open",
        "follow_up",
        ["customer", "about"],
        unique=True,
        sqlite_where=_UNCLOSED,
        postgresql_where=_UNCLOSED,
    )
    for column in ("customer", "about", "account_id"):
        op.create_index(f"ix_follow_up_{column}", "follow_up", [column])


def _make_tables() -> None:
    op.create_table(
        "follow_up_rule",
        sa.Column("follow_up_id", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["follow_up_id"], ["follow_up.id"], name=op.f("fk_follow_up_rule_follow_up_id")),
        sa.PrimaryKeyConstraint("follow_up_id", "rule", name=op.f("pk_follow_up_rule")),
        comment="Every rule that stands in a follow-up: the one that made it, and those that came to hold later.",
    )
    op.create_table(
        "owed_follow_up",
        sa.Column("response_id", sa.String(), nullable=False),
        sa.Column("follow_up_id", sa.String(), nullable=False, comment="Where it is until then."),
        sa.Column("at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["follow_up_id"], ["follow_up.id"], name=op.f("fk_owed_follow_up_follow_up_id")),
        sa.ForeignKeyConstraint(["response_id"], ["response.id"], name=op.f("fk_owed_follow_up_response_id")),
        sa.PrimaryKeyConstraint("response_id", name=op.f("pk_owed_follow_up")),
        comment="Answers whose follow-up is about somebody else now: each such person gets one of their own, however old the answer is.",
    )
    op.execute("INSERT INTO follow_up_rule (follow_up_id, rule, at) SELECT id, rule, opened_at FROM follow_up")


# ── whom each is about ───────────────────────────────────────────────────────────────────────────────────────────────

_follow_up = sa.table(
    "follow_up",
    *(sa.column(name) for name in ("id", "customer", "about", "contact_id", "response_id", "interaction_id")),
    *(sa.column(name) for name in ("state", "priority", "closed_by", "joined_into", "words_of")),
    *(sa.column(name, Utc()) for name in ("due_at", "opened_at", "closed_at")),
)
_link = sa.table("follow_up_response", sa.column("follow_up_id"), sa.column("response_id"))
_rule = sa.table("follow_up_rule", sa.column("follow_up_id"), sa.column("rule"), sa.column("at", Utc()))
_owed = sa.table("owed_follow_up", sa.column("response_id"), sa.column("follow_up_id"), sa.column("at", Utc()))
_response = sa.table(
    "response",
    *(sa.column(name) for name in ("id", "contact_id", "interaction_id")),
    sa.column("at", Utc()),
)
_rating = sa.table(
    "rating", *(sa.column(name) for name in ("response_id", "metric", "value", "low", "high", "direction"))
)
_contact = sa.table("contact", sa.column("id"), sa.column("person"))
_standing = sa.table("standing", sa.column("customer"), sa.column("stale_at", Utc()))


def _give_each_its_person(tx: sa.Connection) -> None:
    _name_closed_ones(tx)
    rows = tx.execute(sa.select(_follow_up).where(_follow_up.c.state.in_(("open", "waiting_for_outcome")))).all()
    about: dict[tuple[str, str], list[Any]] = {}
    for row in rows:
        person = _give_its_person(tx, row)
        about.setdefault((row.customer, person), []).append(row)
    for several in about.values():
        first, *others = sorted(several, key=lambda row: (row.state != "open", row.due_at, row.opened_at, row.id))
        if others:
            _join(tx, first, others)
            for row in several:
                _look_at(tx, row)


def _name_closed_ones(tx: sa.Connection) -> None:
    about = sa.case((_follow_up.c.response_id.is_(None), ""), else_=sa.func.coalesce(_follow_up.c.contact_id, ""))
    tx.execute(sa.update(_follow_up).values(about=about))


def _give_its_person(tx: sa.Connection, row: Any) -> str:
    """Make a follow-up one about the person of its worst answer; returns what tells that person from others."""
    answers = tx.execute(
        sa.select(_response, _contact.c.person)
        .join(_link, _link.c.response_id == _response.c.id)
        .outerjoin(_contact, _contact.c.id == _response.c.contact_id)
        .where(_link.c.follow_up_id == row.id)
    ).all()
    badness = _badness(tx, [answer.id for answer in answers])
    if not badness:
        return ""
    lead = min((one for one in answers if one.id in badness), key=lambda one: (badness[one.id], one.at, one.id))
    same = [one for one in answers if _person(one) == _person(lead)]
    first = min(same, key=lambda one: (one.at, one.id))
    columns = {"contact_id": lead.contact_id, "response_id": lead.id, "interaction_id": lead.interaction_id}
    tx.execute(sa.update(_follow_up).where(_follow_up.c.id == row.id).values(about=first.contact_id or "", **columns))
    known = set(tx.execute(sa.select(_owed.c.response_id)).scalars())
    others = {one.id for one in answers if _person(one) != _person(lead)} - known
    if others:
        owed = {"follow_up_id": row.id, "at": row.opened_at}
        tx.execute(sa.insert(_owed), [{"response_id": response_id, **owed} for response_id in sorted(others)])
        _look_at(tx, row)
    return _person(lead)


def _look_at(tx: sa.Connection, row: Any) -> None:
    """Have the next lap make the words of a follow-up anew, and open what others are owed."""
    tx.execute(sa.update(_follow_up).where(_follow_up.c.id == row.id).values(words_of=""))
    tx.execute(sa.update(_standing).where(_standing.c.customer == row.customer).values(stale_at=row.opened_at))


def _person(answer: Any) -> str:
    return str(answer.person or answer.contact_id or "")


def _badness(tx: sa.Connection, responses: Sequence[str]) -> Mapping[str, tuple[int, float]]:
    """Return for each answer with ratings how bad its worst one is: the lowest is the worst."""
    badness: dict[str, tuple[int, float]] = {}
    for row in tx.execute(sa.select(_rating).where(_rating.c.response_id.in_(responses))):
        span = row.high - row.low
        above = row.value - row.low if row.direction == "up" else row.high - row.value
        if row.metric == "nps" and (row.low, row.high) == (0, 10):
            band = 0 if row.value <= 6 else 1 if row.value <= 8 else 2
        else:
            band = 0 if 3 * above <= span else 1 if 3 * above < 2 * span else 2
        badness[row.response_id] = min((band, above / span), badness.get(row.response_id, (2, 1.0)))
    return badness


def _join(tx: sa.Connection, first: Any, others: Iterable[Any]) -> None:
    priority = first.priority
    for other in others:
        priority = max(priority, other.priority, key=_PRIORITIES.index)
        for table, key in ((_link, _link.c.response_id), (_rule, _rule.c.rule)):
            # What both have stays in both: a migration takes no rows out.
            there = sa.select(key).where(table.c.follow_up_id == first.id).scalar_subquery()
            tx.execute(
                sa.update(table)
                .where(table.c.follow_up_id == other.id, key.not_in(there))
                .values(follow_up_id=first.id)
            )
        tx.execute(sa.update(_owed).where(_owed.c.follow_up_id == other.id).values(follow_up_id=first.id))
        closed = {
            "state": "closed",
            "closed_by": "joined",
            "joined_into": first.id,
            "closed_at": max(first.opened_at, other.opened_at),
        }
        tx.execute(sa.update(_follow_up).where(_follow_up.c.id == other.id).values(**closed))
    tx.execute(sa.update(_follow_up).where(_follow_up.c.id == first.id).values(priority=priority))
