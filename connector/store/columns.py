"""Values of the model as rows of their tables."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table

from connector.linking import link_key
from connector.model import Account, Contact, Interaction, Kind, Owner, Pulled, SeenTask
from connector.store import tables
from connector.store.tables import ref_text

TABLES: Mapping[Kind, Table] = {
    Kind.OWNER: tables.owner,
    Kind.ACCOUNT: tables.account,
    Kind.CONTACT: tables.contact,
    Kind.INTERACTION: tables.interaction,
}


def kind_of(value: Pulled) -> Kind:
    """Return which table a value belongs into."""
    match value:
        case Account():
            return Kind.ACCOUNT
        case Contact():
            return Kind.CONTACT
        case Owner():
            return Kind.OWNER
        case Interaction():
            return Kind.INTERACTION
        case SeenTask():
            return Kind.FOLLOW_UP


def columns_of(value: Pulled) -> dict[str, Any]:
    """Return what a record means to us, as its table keeps it; without what our own fields show."""
    match value:
        case Account():
            return _account_columns(value)
        case Contact():
            return _contact_columns(value)
        case Owner():
            return _owner_columns(value)
        case Interaction():
            return _interaction_columns(value)
        case SeenTask():
            return {"task": value}


def _account_columns(value: Account) -> dict[str, Any]:
    return {
        "name": value.name,
        "owner_ref": ref_text(value.owner),
        "parent_ref": ref_text(value.parent),
        "is_customer": value.is_customer,
        "link": link_key(value.link),
        "facts": value.facts,
    }


def _contact_columns(value: Contact) -> dict[str, Any]:
    return {
        "account_ref": ref_text(value.account),
        "name": value.name,
        "email": value.email,
        "role": value.role,
        "language": value.language,
        "owner_ref": ref_text(value.owner),
        "no_surveys": value.no_surveys,
        "facts": value.facts,
    }


def _interaction_columns(value: Interaction) -> dict[str, Any]:
    return {
        "kind": value.kind,
        "label": value.label,
        "account_ref": ref_text(value.account),
        "contact_refs": [ref_text(ref) for ref in value.contacts],
        "owner_ref": ref_text(value.owner),
        "ended": value.ended,
        "ended_at": value.ended_at,
        "updated_at": value.updated_at,
        "facts": value.facts,
    }


def _owner_columns(value: Owner) -> dict[str, Any]:
    return {"name": value.name, "email": value.email, "active": value.active, "timezone": value.timezone}
