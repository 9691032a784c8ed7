"""Whose a field is that a mapping would write: ours, or somebody's who was never asked."""

from typing import Final

from connector.model import ForeignField, Ownership
from connector.ports import FieldSchema
from mappings.check import Section
from mappings.spec import WriteMap

_NAMED: Final = "afterword_"
"""How our built-in names begin, whatever the CRM thinks of capitals."""


def is_ours(line: WriteMap, field: FieldSchema, object_name: str, ours: Ownership) -> bool:
    """Tell if a field may be written: we made it, somebody has said so, or it carries a name of ours where we are known.

    Where the CRM is not known to be set up by us, the label that setup gives to this very field tells as much.
    """
    if line.own or (object_name, line.path) in ours.made | ours.kept:
        return True
    return line.path.lower().startswith(_NAMED) and (
        ours.marked or (line.label is not None and line.label == field.label)
    )


def is_shared(line: WriteMap, object_name: str, ours: Ownership) -> bool:
    """Tell if others are likely to write to a field too: it is not of our making, and does not carry our name."""
    return (object_name, line.path) not in ours.made and not line.path.lower().startswith(_NAMED)


def foreign(section: Section, target: str, line: WriteMap) -> ForeignField:
    """Return a field that is left alone, with what an admin can do about it."""
    place = f"{section.schema.name}.{line.path}"
    return ForeignField(
        target,
        line.name,
        section.schema.name,
        line.path,
        where=f"{section.file}: {line.key}",
        what=f"{place} is not a field of ours, so nothing is written to it.",
        remedy=f"Give {line.name} a field of its own, which `afterword setup-crm` makes where the line has a label; or, if everything "
        f'that stands in this one may be overwritten, write {line.name} = {{ field = "{line.path}", own = true }}.',
    )
