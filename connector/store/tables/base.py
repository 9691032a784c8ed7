"""What all tables share: the metadata with its naming rule, and how a CRM record is written into a column."""

from typing import overload

from sqlalchemy import MetaData

from connector.model import Ref

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)


@overload
def ref_text(ref: Ref) -> str: ...
@overload
def ref_text(ref: None) -> None: ...
@overload
def ref_text(ref: Ref | None) -> str | None: ...
def ref_text(ref: Ref | None) -> str | None:
    """Return the ref without its connection, as the columns named ``ref`` or ``*_ref`` hold it."""
    return None if ref is None else f"{ref.object}/{ref.id}"


def ref_of(connection: str, ref: str) -> Ref:
    """Read back what `ref_text` wrote."""
    object_name, _, crm_id = ref.partition("/")
    return Ref(connection, object_name, crm_id)


def optional_ref(connection: str, ref: str | None) -> Ref | None:
    """Read back what `ref_text` wrote of a ref that may be absent."""
    return None if ref is None else ref_of(connection, ref)
