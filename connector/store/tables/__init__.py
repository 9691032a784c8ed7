"""The tables. What is kept, one module for each part of it; the queries stand in one module for each stage.

`ref` columns hold ``Object/id`` as `ref_text` makes it; with the connection's name they address a CRM record. References between
records are kept as such refs and resolved through `binding`, so that a merge or a late arrival needs no rewriting.
"""

from connector.store.tables.answers import inbox, rating, response
from connector.store.tables.base import metadata, ref_of, ref_text
from connector.store.tables.crm import account, binding, comparison, contact, cursor, interaction, listed, owner, person
from connector.store.tables.installation import (
    call_count,
    connection_state,
    go_live,
    installation_mark,
    lap,
    lease,
    setting,
    setup_made,
    token,
)
from connector.store.tables.outbox import (
    display,
    follow_up,
    follow_up_response,
    follow_up_rule,
    notice,
    owed_follow_up,
    refused,
    staff_mail,
    write_log,
)
from connector.store.tables.scores import prior, score_history, standing
from connector.store.tables.surveys import attempt, decision, decision_log, invitation
from connector.store.tables.undo import written_field
from connector.store.tables.visitors import sign_in, web_session

__all__ = [
    "account",
    "attempt",
    "binding",
    "call_count",
    "comparison",
    "connection_state",
    "contact",
    "cursor",
    "decision",
    "decision_log",
    "display",
    "follow_up",
    "follow_up_response",
    "follow_up_rule",
    "go_live",
    "inbox",
    "installation_mark",
    "interaction",
    "invitation",
    "lap",
    "lease",
    "listed",
    "metadata",
    "notice",
    "owed_follow_up",
    "owner",
    "person",
    "prior",
    "rating",
    "ref_of",
    "ref_text",
    "refused",
    "response",
    "score_history",
    "setting",
    "setup_made",
    "sign_in",
    "staff_mail",
    "standing",
    "token",
    "web_session",
    "write_log",
    "written_field",
]
