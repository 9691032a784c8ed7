"""What was read from the CRMs, and which human is who."""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, text

from connector.store.db.types import Json, Utc
from connector.store.tables.base import metadata

cursor = Table(
    "cursor",
    metadata,
    Column("connection", String, primary_key=True),
    Column("object", String, primary_key=True),
    Column("pass", String, primary_key=True),
    Column("fingerprint", String, nullable=False),
    Column("position", Text, nullable=False),
    Column("moved_at", Utc, nullable=False),
)

binding = Table(
    "binding",
    metadata,
    Column("connection", String, primary_key=True),
    Column("ref", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("id", String, nullable=False, comment="Our id. A merged record's binding points to the survivor's."),
    Column(
        "content_hash", String, nullable=False, comment="Hash of the record as understood: an echo looks unchanged."
    ),
    Column("alias", Boolean, nullable=False, server_default=text("false")),
    Index(None, "id"),
)

owner = Table(
    "owner",
    metadata,
    Column("id", String, primary_key=True),
    Column("connection", String, nullable=False),
    Column("ref", String, nullable=False),
    Column("name", String, nullable=False),
    Column("email", String),
    Column("active", Boolean, nullable=False),
    Column("timezone", String),
    Column("manager_ref", String),
    Column(
        "standard", Boolean, comment="Whether it is one of the firm's own people; NULL: not read since that is asked."
    ),
    Column("deleted_at", Utc),
    Index(None, "email"),
)

account = Table(
    "account",
    metadata,
    Column("id", String, primary_key=True),
    Column("connection", String, nullable=False),
    Column("ref", String, nullable=False),
    Column(
        "customer", String, nullable=False, comment="Linked accounts of several CRMs share one; else the account's id."
    ),
    Column("name", String, nullable=False),
    Column("owner_ref", String),
    Column("parent_ref", String),
    Column("is_customer", Boolean, nullable=False),
    Column("link", String),
    Column("facts", Json, nullable=False),
    Column("deleted_at", Utc),
    Index(None, "customer"),
    Index(None, "link"),
)

contact = Table(
    "contact",
    metadata,
    Column("id", String, primary_key=True),
    Column("connection", String, nullable=False),
    Column("ref", String, nullable=False),
    Column("account_ref", String),
    Column("name", String, nullable=False),
    Column("email", String),
    Column("person", String, comment="Keyed hash of the normalised e-mail: the same human over all connections."),
    Column("role", String),
    Column("language", String),
    Column("owner_ref", String),
    Column("no_surveys", Boolean, nullable=False),
    Column("facts", Json, nullable=False),
    Column("deleted_at", Utc),
    Index(None, "person"),
    Index(None, "connection", "account_ref"),
)

interaction = Table(
    "interaction",
    metadata,
    Column("id", String, primary_key=True),
    Column("connection", String, nullable=False),
    Column("ref", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("label", String, nullable=False),
    Column("account_ref", String),
    Column("contact_refs", Json, nullable=False),
    Column("owner_ref", String),
    Column("ended", String),
    Column("ended_at", Utc),
    Column("updated_at", Utc),
    Column(
        "updated_by", String, comment="The CRM's id of who did it; of our own user only where nothing else is known."
    ),
    Column("facts", Json, nullable=False),
    Column("deleted_at", Utc),
    Column("decide_at", Utc, comment="When `invite` is to look at it; NULL when there is nothing to decide."),
    Index(
        "ix_interaction_decide_at",
        "decide_at",
        sqlite_where=text("decide_at IS NOT NULL"),
        postgresql_where=text("decide_at IS NOT NULL"),
    ),
    Index(None, "connection", "account_ref"),
)

reconciliation = Table(
    "reconciliation",
    metadata,
    Column("connection", String, primary_key=True),
    Column("object", String, primary_key=True),
    Column("position", Text, comment="Where the comparison under way stands; NULL: none is."),
    Column("compared", Integer, nullable=False, comment="Records compared by the one under way, or by the last one."),
    Column("drift", Integer, nullable=False, comment="How many of them differed, and were put right."),
    Column("measured_at", Utc, comment="When the last complete one ended."),
    Column("measured", Integer, comment="Its drift."),
    Column("problem", Text, comment="Why the last one came to no end."),
    comment="Everything that a CRM has of an object against everything that we have of it, once a night.",
)

reconciled_record = Table(
    "reconciled_record",
    metadata,
    Column("connection", String, primary_key=True),
    Column("ref", String, primary_key=True),
    comment="Which records a comparison under way has met: those that we know and it has not met may be gone.",
)

person = Table(
    "person",
    metadata,
    Column("person", String, primary_key=True),
    Column("opted_out_at", Utc),
    # See `OptOutWay`; the comment is what databases of every version carry.
    Column("opted_out_by", String, comment="link, crm, erased"),
    Column("bounced_at", Utc),
    Column("bounce", Text),
    comment="What must survive re-imports and merges: nobody in here is asked again.",
)
