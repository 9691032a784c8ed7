"""The links in a follow-up's task: to all answers, to the customer's record, and to what was asked about."""

from collections.abc import Sequence

from connector.errors import CrmError
from connector.model import Outcome, Ref
from connector.model.stored import StoredAccount
from connector.sentences import tasks
from connector.sentences.content import Link
from connector.stages.context import Context
from connector.stages.write_back.desired_values import details_url, words_of
from connector.store import Transaction
from connector.store.results import follow_up_facts


def learn_addresses(context: Context, customers: Sequence[str]) -> None:
    """Let adapters that must ask for it learn under which address people open records, outside of any transaction.

    One that is out of reach is heard of where it is written to: its links are left out.
    """
    with context.store.read() as tx:
        accounts = follow_up_facts.accounts_of(tx, customers)
    of_crm = {account.ref.connection: account.ref for theirs in accounts.values() for account in theirs}
    for ref in of_crm.values():
        address_of(context, ref)


def links(context: Context, tx: Transaction, account: StoredAccount, interaction_id: str | None) -> list[Link]:
    """Return the links of a task, ours first. Some CRMs let a task hang on one record only: what was asked about stands here."""
    details, record, about = tasks.link_names(words_of(context))
    addresses = [(details, details_url(context, account.id)), (record, address_of(context, account.ref))]
    interaction = follow_up_facts.interaction_of(tx, interaction_id)
    if interaction is not None and interaction.deleted_at is None:
        addresses.append((about, address_of(context, interaction.ref)))
    return [Link(name, url) for name, url in addresses if url]


def address_of(context: Context, ref: Ref) -> str:
    """Return where people open a record; empty where its CRM is out of reach."""
    crm = context.connected.get(ref.connection)
    try:
        return crm.writer.record_url(ref) if crm is not None else ""
    except CrmError:
        return ""


def outcome_links(context: Context, follow_up_id: str) -> tuple[Link, ...]:
    """Return a link for each outcome of a follow-up: it opens a page with a button, since mail scanners follow links.

    There are none while there is no secret to sign them with.
    """
    if context.tokens is None:
        return ()
    words = words_of(context)
    url = f"{context.settings.web.public_url}/f/{context.tokens.outcome(follow_up_id)}"
    names = (outcome.name.lower() for outcome in Outcome)
    return tuple(Link(words.text(f"outcome.{name}"), f"{url}?outcome={name}") for name in names)
