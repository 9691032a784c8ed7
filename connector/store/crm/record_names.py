"""What people call the records that we write to."""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection

from connector.store.crm.refs import Address, rows_by_address, rows_by_id
from connector.store.ops.connections import stored_schema
from connector.store.tables import account, contact, follow_up


def record_names(tx: Connection, addresses: Collection[Address]) -> Mapping[Address, str]:
    """Return the names of the accounts and contacts that were read from these records, by address."""
    return {
        address: row.name
        for table in (account, contact)
        for address, row in rows_by_address(tx, table, addresses).items()
    }


def task_subjects(tx: Connection, follow_ups: Collection[str]) -> Mapping[str, str]:
    """Return the subjects of these follow-ups' tasks, by the follow-up's id."""
    return {id_: row.subject for id_, row in rows_by_id(tx, follow_up, follow_ups).items()}


def field_labels(tx: Connection, crm: str) -> Mapping[tuple[str, str], str]:
    """Return what a CRM itself calls its fields, by object and API name, as far as its schema was read."""
    schema = stored_schema(tx, crm)
    if schema is None:
        return {}
    return {
        (name, field.name): field.label
        for name, described in schema.objects.items()
        for field in described.fields.values()
    }
