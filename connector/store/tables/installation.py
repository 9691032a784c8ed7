"""What the installation knows of itself: its leases, its laps, its connections, and what it made in a CRM."""

from sqlalchemy import Boolean, Column, Integer, String, Table, Text, UniqueConstraint, text

from connector.store.db.types import Json, Utc
from connector.store.tables.base import metadata

setting = Table(
    "setting",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", Json),
    comment="What the installation remembers about itself, e.g. the whole product being paused.",
)

lease = Table(
    "lease",
    metadata,
    Column("name", String, primary_key=True),
    Column("owner", String),
    Column("fence", Integer, nullable=False),
    Column("beat_at", Utc),
    comment="Who does which work now. The fence rises with every new owner, so that an old one's late write is noticed.",
)

lap = Table(
    "lap",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("started_at", Utc, nullable=False),
    Column("ended_at", Utc),
    Column("exit_code", Integer),
    Column("owner", String, comment="The process that runs it."),
    Column("report", Json),
    Column("job", String, nullable=False, server_default=text("'sync'"), comment="Which work it was."),
)

connection_state = Table(
    "connection_state",
    metadata,
    Column("connection", String, primary_key=True),
    Column("paused_at", Utc),
    Column("pause_reason", Text),
    Column("mapping_fingerprint", String),
    Column(
        "mapping_since", Utc, comment="The CRM's clock when this mapping was first used; nothing older is asked about."
    ),
    Column("schema", Json, comment="The live schema as last described."),
    Column("schema_at", Utc),
    Column("org", Json),
    Column("calls_allowed", Integer, comment="How many calls a day the CRM allows to everybody, as it last said."),
    Column("calls_used", Integer, comment="How many everybody had used, as it last said."),
    Column("no_calls_until", Utc, comment="The org has few calls left, or none: until then we make no more."),
    Column("no_calls_why", Text),
    Column("refused_at", Utc, comment="When the CRM refused our credentials: no call is made with them any more."),
    Column("refused_why", Text),
    Column("refused_remedy", Text),
    Column("refused_with", String, comment="Keyed hash of the refused credentials, to see that they were changed."),
    Column("last_error", Text),
    Column("last_error_at", Utc),
    Column("last_ok_at", Utc),
)

installation_mark = Table(
    "installation_mark",
    metadata,
    Column("connection", String, primary_key=True),
    Column("run_id", String, nullable=False, comment="Our newest run id: kept here before it is written to the CRM."),
    Column("previous_run_id", String, comment="The run id that the CRM showed before."),
    Column("run_at", Utc, nullable=False),
    Column("confirmed", Boolean, nullable=False, comment="The CRM still showed the newest one after its lag."),
    Column(
        "was_ours",
        Boolean,
        nullable=False,
        comment="The mark was ours before, too: only mail waits until it is confirmed.",
    ),
    Column(
        "adopted", Boolean, nullable=False, comment="It was made by setup-crm, or taken over: the CRM carries our mark."
    ),
    Column("store_positions", Json, nullable=False, comment="Where the store was at its renewals, the newest last."),
    Column("read_at", Utc, comment="When the mark was last seen to be ours."),
    comment="Our side of the task in each CRM that says which installation works on it.",
)

call_count = Table(
    "call_count",
    metadata,
    Column("connection", String, primary_key=True),
    Column("at", Utc, primary_key=True, comment="The quarter of an hour that is counted, by its beginning."),
    Column("calls", Integer, nullable=False),
    comment="Calls to each CRM, by all processes; those about to be made are counted before.",
)

crm_token = Table(
    "crm_token",
    metadata,
    Column("connection", String, primary_key=True),
    Column("encrypted", Text, nullable=False, comment="Encrypted with a key made from [web] secret."),
    Column(
        "refresh_token_hash",
        String,
        nullable=False,
        comment="Keyed hash of the refresh token in config.toml that these descend from.",
    ),
    Column("at", Utc, nullable=False),
    comment="Tokens that a CRM has given in exchange for others: the newest alone is good.",
)

go_live = Table(
    "go_live",
    metadata,
    Column("subject", String, primary_key=True, comment="survey:NAME or follow_up:NAME"),
    Column("connection", String, primary_key=True),
    Column("at", Utc, nullable=False, comment="On the CRM's clock."),
)

setup_log = Table(
    "setup_log",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("connection", String, nullable=False),
    Column("key", String, nullable=False),
    Column("detail", Json),
    Column("at", Utc, nullable=False),
    UniqueConstraint("connection", "key"),
    comment="What setup-crm made in the CRM, so that undo takes away that and nothing else.",
)
