"""A page layout with or without our fields: values in, values out."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Layout = Mapping[str, Any]
SECTION = "Afterword"


def fields_on(layout: Layout) -> set[str]:
    """Return the names of all fields that a layout shows."""
    return {item["field"] for item in _items(layout) if item.get("field")}


def with_fields(layout: Layout, fields: Sequence[str]) -> dict[str, Any]:
    """Return the layout with these fields in a section of their own, in two columns, below what is there."""
    half = (len(fields) + 1) // 2
    section = {
        "label": SECTION,
        "customLabel": True,
        "detailHeading": True,
        "editHeading": True,
        "style": "TwoColumnsTopToBottom",
        "layoutColumns": [_column(fields[:half]), _column(fields[half:])],
    }
    return {**layout, "layoutSections": [*_sections(layout), section]}


def without_fields(layout: Layout, fields: Sequence[str]) -> dict[str, Any]:
    """Return the layout without these fields; a section of our name that they leave empty goes too."""
    trimmed = [_trimmed(section, set(fields)) for section in _sections(layout)]
    kept = [section for section in trimmed if section.get("label") != SECTION or list(_items_of(section))]
    return {**layout, "layoutSections": kept}


def _column(fields: Sequence[str]) -> dict[str, Any]:
    return {"layoutItems": [{"behavior": "Edit", "field": field} for field in fields]}


def _trimmed(section: Mapping[str, Any], fields: set[str]) -> dict[str, Any]:
    columns = [
        {**column, "layoutItems": [item for item in column.get("layoutItems") or () if item.get("field") not in fields]}
        for column in section.get("layoutColumns") or ()
    ]
    return {**section, "layoutColumns": columns}


def _sections(layout: Layout) -> Sequence[Mapping[str, Any]]:
    return layout.get("layoutSections") or ()


def _items(layout: Layout) -> Iterator[Mapping[str, Any]]:
    for section in _sections(layout):
        yield from _items_of(section)


def _items_of(section: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for column in section.get("layoutColumns") or ():
        yield from column.get("layoutItems") or ()
