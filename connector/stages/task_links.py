"""The links in a follow-up's task: to all answers, to the customer's record, and to what was asked about."""

from typing import Any

from connector.errors import CrmError
from connector.model import Ref
from connector.sentences import tasks
from connector.sentences.values import Link
from connector.stages.context import Context
from connector.stages.present import details_url, words_of
from connector.store import Row, Transaction, following
from connector.store.tables import ref_of


def learn_addresses(context: Context, customer: str) -> None:
    """Let adapters that must ask for it learn under which address people open records, outside of any transaction.

    One that is out of reach is heard of where it is written to: its links are left out.
    """
    with context.store.read() as tx:
        refs = [ref_of(account.connection, account.ref) for account in following.accounts_of(tx, customer)]
    for ref in refs:
        _url(context, ref)


def links(context: Context, tx: Transaction, account: Row[Any], interaction_id: str | None) -> list[Link]:
    """Return the links of a task, ours first. Some CRMs let a task hang on one record only: what was asked about stands here."""
    details, record, about = tasks.link_names(words_of(context))
    found = [(details, details_url(context, account.id))]
    found.append((record, _url(context, ref_of(account.connection, account.ref))))
    row = following.interaction_of(tx, interaction_id)
    if row is not None and row.deleted_at is None:
        found.append((about, _url(context, ref_of(row.connection, row.ref))))
    return [Link(name, url) for name, url in found if url]


def _url(context: Context, ref: Ref) -> str:
    crm = context.connected.get(ref.connection)
    try:
        return crm.adapter.record_url(ref) if crm is not None else ""
    except CrmError:
        return ""
