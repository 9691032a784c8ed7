"""The tables, one module for each part of the store; the queries on them lie beside this package, by subject.

`ref` columns hold ``Object/id`` as `ref_text` makes it; with the connection's name they address a CRM record. References between
records are kept as such refs and resolved through `binding`, so that a merge or a late arrival needs no rewriting.
"""

from connector.store.tables.alerts import alert, staff_mail
from connector.store.tables.answers import inbox, rating, response
from connector.store.tables.base import metadata, ref_of, ref_text
from connector.store.tables.crm import (
    account,
    binding,
    contact,
    cursor,
    interaction,
    owner,
    person,
    reconciled_record,
    reconciliation,
)
from connector.store.tables.follow_ups import follow_up, follow_up_response, follow_up_rule, owed_follow_up
from connector.store.tables.installation import (
    call_count,
    connection_state,
    crm_token,
    go_live,
    installation_mark,
    lap,
    lease,
    setting,
    setup_log,
)
from connector.store.tables.outbox import outbox_record, refused_record, write_claim, write_log, written_field
from connector.store.tables.scores import customer_score, prior, score_history
from connector.store.tables.surveys import attempt, decision, decision_log, invitation
from connector.store.tables.web import sign_in, web_session

__all__ = [
    "account",
    "alert",
    "attempt",
    "binding",
    "call_count",
    "connection_state",
    "contact",
    "crm_token",
    "cursor",
    "customer_score",
    "decision",
    "decision_log",
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
    "metadata",
    "outbox_record",
    "owed_follow_up",
    "owner",
    "person",
    "prior",
    "rating",
    "reconciled_record",
    "reconciliation",
    "ref_of",
    "ref_text",
    "refused_record",
    "response",
    "score_history",
    "setting",
    "setup_log",
    "sign_in",
    "staff_mail",
    "web_session",
    "write_claim",
    "write_log",
    "written_field",
]
