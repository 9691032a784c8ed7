"""How customers stand: the prior, the score as published, and its history."""

from sqlalchemy import Column, Index, Integer, String, Table, UniqueConstraint, text

from connector.store.db.types import Json, Utc
from connector.store.tables.base import metadata

prior = Table(
    "prior",
    metadata,
    Column("version", Integer, primary_key=True),
    Column("day", String, nullable=False),
    Column("method", String, nullable=False),
    Column("fitted_with", String, nullable=False, server_default=text("''"), comment="Method and half-life."),
    Column("value", Json, nullable=False),
    UniqueConstraint("day", "fitted_with"),
)

customer_score = Table(
    "customer_score",
    metadata,
    Column("customer", String, primary_key=True),
    Column(
        "stale_at", Utc, comment="Since when answers, silence or follow-ups have changed and were not yet taken in."
    ),
    Column("prior_version", Integer),
    Column("as_of", Utc),
    Column("figures", Json, comment="The figures as published: what the CRM should show."),
    Column("answers_key", String, comment="Which set of answers the figures were made from."),
    Column("made_with", String, comment="Which settings and version of the rules the figures were made with."),
    Column("published_at", Utc),
    Column(
        "evidence",
        Json,
        comment="What the answers were worth at some moment: the prior is fitted on it as it has aged.",
    ),
    Index(
        "ix_customer_score_stale_at",
        "stale_at",
        sqlite_where=text("stale_at IS NOT NULL"),
        postgresql_where=text("stale_at IS NOT NULL"),
    ),
)

score_history = Table(
    "score_history",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer", String, nullable=False),
    Column("at", Utc, nullable=False),
    Column("method", String, nullable=False),
    Column("figures", Json),
    Index(None, "customer", "at"),
)
