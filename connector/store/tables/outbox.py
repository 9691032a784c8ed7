"""What CRM records should show, each write to them, and what was refused."""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, text

from connector.store.db.types import Json, Utc
from connector.store.tables.base import metadata

outbox_record = Table(
    "outbox_record",
    metadata,
    Column("connection", String, primary_key=True),
    Column("ref", String, primary_key=True),
    Column("target", String, nullable=False, comment="account or contact"),
    Column("desired", Json, nullable=False, comment="What our fields should say, by our names, JSON values."),
    Column("actual", Json, nullable=False, comment="What they were last seen to say, in the CRM's form."),
    Column(
        "written", Json, nullable=False, comment="What we last wrote, and how often others overwrote it, by our names."
    ),
    Column("pending", Boolean, nullable=False),
    Column("bulk_order", String, comment="The bulk order that is under way with it."),
    Column(
        "read_back",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="Two writes may have crossed: what it holds is read in the CRM before it is compared.",
    ),
    Index("ix_outbox_record_pending", "connection", sqlite_where=text("pending"), postgresql_where=text("pending")),
    comment="A CRM record that shows something of ours.",
)

write_claim = Table(
    "write_claim",
    metadata,
    Column("connection", String, primary_key=True),
    Column("key", String, primary_key=True, comment="Our name for the write, as in the log."),
    Column("claim", String, nullable=False, comment="One run of write-back."),
    Column("owner", String, nullable=False, comment="The process that writes."),
    Column("until", Utc, nullable=False, comment="By the machine's own time; then another may take it."),
    comment="Who is writing which record at this moment: two writers never write one at once.",
)

write_log = Table(
    "write_log",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("connection", String, nullable=False),
    Column("key", String, nullable=False),
    Column("ref", String),
    Column("at", Utc, nullable=False),
    Column("outcome", String, nullable=False, comment="created, updated, refused, unknown"),
    Column("before", Json),
    Column("after", Json, nullable=False),
    Column("error", Text),
    Index(None, "connection", "ref"),
    comment="Every write to a CRM, with the values before: the last write-back can be taken back.",
)

written_field = Table(
    "written_field",
    metadata,
    Column("connection", String, primary_key=True),
    Column("target", String, primary_key=True, comment="account or contact"),
    Column("name", String, primary_key=True, comment="Our name for what is written."),
    Column("line", Integer, primary_key=True, autoincrement=False, comment="The log's last line before it was so."),
    Column("object", String, nullable=False),
    Column("path", String, nullable=False, comment="The CRM's name of the field."),
    comment="In which field of the CRM each thing of ours was written since when: the log of writes has our names alone.",
)

refused_record = Table(
    "refused_record",
    metadata,
    Column("connection", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("direction", String, nullable=False, comment="read or write"),
    Column("code", String),
    Column("what", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Column("fingerprint", String, nullable=False, comment="Of what was refused; taken up again when it differs."),
    Column("attempts", Integer, nullable=False),
    Column("at", Utc, nullable=False),
    Column(
        "fields", Json, comment="Our names of the fields that were refused, where the others are written; NULL: all."
    ),
    comment="Set aside with the reason and the remedy; nothing else waits for it.",
)
