"""Which CRM records show something of a customer."""

from collections.abc import Collection

from sqlalchemy import Connection, or_, select

from connector.model import Ref
from connector.store.crm.refs import chunks
from connector.store.tables import account, contact, ref_of, response


def records_of(tx: Connection, crm: str, target: str, customers: Collection[str]) -> list[Ref]:
    """Return the accounts of these customers in a connection, or the contacts of all who answered about them (`target`)."""
    return [ref for part in chunks(sorted(customers)) for ref in _records(tx, crm, target, part)]


def _records(tx: Connection, crm: str, target: str, customers: Collection[str]) -> list[Ref]:
    if target == "account":
        chosen = select(account.c.ref).where(account.c.connection == crm, account.c.customer.in_(customers))
    else:
        answered = (
            select(response.c.contact_id)
            .join(account, account.c.id == response.c.account_id)
            .where(account.c.customer.in_(customers))
        )
        # What a person said last stands on all contacts of theirs.
        persons = select(contact.c.person).where(contact.c.id.in_(answered), contact.c.person.is_not(None))
        theirs = or_(contact.c.id.in_(answered), contact.c.person.in_(persons))
        chosen = select(contact.c.ref).where(contact.c.connection == crm, theirs)
    return [ref_of(crm, ref) for ref in tx.execute(chosen).scalars()]


def connections_of(tx: Connection, customers: Collection[str]) -> set[str]:
    """Return the connections in which these customers have accounts that show something of ours."""
    chosen = select(account.c.connection).where(account.c.deleted_at.is_(None)).distinct()
    return {
        name
        for part in chunks(sorted(customers))
        for name in tx.execute(chosen.where(account.c.customer.in_(part))).scalars()
    }
