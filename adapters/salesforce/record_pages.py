"""The pages that show a record: page layouts, which may be changed, and Lightning pages with fields of their own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote as percent

from adapters.salesforce import layouts
from adapters.salesforce.http.client import SalesforceClient, expect_object
from adapters.salesforce.records import soql
from connector.errors import NotPermitted, RecordRejected, SchemaChanged
from connector.model import Unseen
from connector.ports import Condition, FieldSpec

REFUSALS = (RecordRejected, SchemaChanged, NotPermitted)
_RECORD = "Record."


@dataclass(frozen=True, slots=True)
class RecordPage:
    """A page, and the fields that it shows."""

    id: str
    name: str
    fields: frozenset[str]


class RecordPages:
    """Reads pages, as far as we may look at set-up data."""

    def __init__(self, client: SalesforceClient) -> None:
        self._client = client

    def rows(self, text: str, *, call: str) -> list[dict[str, Any]]:
        """Return rows of set-up data; none where we may not look, which whoever changes them then meets with."""
        try:
            answer = self._client.read(f"tooling/query?q={percent(text)}", call=call)
        except REFUSALS:
            return []
        rows = expect_object(answer, self._client.where(call)).get("records")
        return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []

    def layouts(self, object_name: str) -> list[RecordPage]:
        """Return the page layouts of an object; those that we are not shown whole are left out."""
        where = soql.condition(held_by(object_name, "TableEnumOrId"))
        rows = self.rows(soql.select(("Id", "Name"), "Layout", where), call=f"layouts of {object_name}")
        pairs = ((row, self.layout(row["Id"])) for row in rows if soql.known_id(row.get("Id")))
        return [_page(row, layouts.fields_on(layout)) for row, layout in pairs if layout is not None]

    def layout(self, layout_id: str) -> dict[str, Any] | None:
        """Return a layout, or None if we are not shown all that is on it."""
        layout = self._metadata("Layout", layout_id)
        return layout if isinstance(layout, dict) and "layoutSections" in layout else None

    def dynamic(self, object_name: str) -> list[RecordPage]:
        """Return the Lightning pages that show fields of their own (Dynamic Forms) instead of the page layout's."""
        both = [held_by(object_name, "EntityDefinitionId"), Condition("Type", "=", ("RecordPage",))]
        text = soql.select(("Id", "MasterLabel"), "FlexiPage", *map(soql.condition, both))
        rows = self.rows(text, call=f"Lightning pages of {object_name}")
        known = [row for row in rows if soql.known_id(row.get("Id"))]
        pages = [_page(row, _own_fields(self._metadata("FlexiPage", row["Id"]))) for row in known]
        return [page for page in pages if page.fields]

    def unseen(self, object_name: str, fields: Sequence[FieldSpec]) -> Iterator[Unseen]:
        """Yield which of an object's fields are on no layout, and which are missing on each page with fields of its own."""
        shown = self.layouts(object_name)
        everywhere = frozenset[str]().union(*(page.fields for page in shown))
        if shown and (absent := _absent(fields, everywhere)):
            yield Unseen(object_name, "page layouts", absent, layout_path(object_name))
        for page in self.dynamic(object_name):
            if absent := _absent(fields, page.fields):
                yield Unseen(
                    object_name, f"Lightning page “{page.name}” (Dynamic Forms)", absent, dynamic_path(page.name)
                )

    def _metadata(self, kind: str, record_id: str) -> Any:
        call = kind.lower()
        answer = self._client.read(f"tooling/sobjects/{kind}/{soql.id18(record_id)}", call=call)
        return expect_object(answer, self._client.where(call)).get("Metadata")


def held_by(object_name: str, place: str) -> Condition:
    """Return what finds an object's set-up data. The usual `place` holds the name of a standard object, and the id of a custom one."""
    return Condition("EntityDefinition.QualifiedApiName" if "__" in object_name else place, "=", (object_name,))


def layout_path(object_name: str) -> str:
    """Return the clicks that lead to an object's page layouts."""
    return f"Setup > Object Manager > {object_name} > Page Layouts > (your layout)"


def dynamic_path(page: str) -> str:
    """Return the clicks that lead to the fields of a Lightning page."""
    return f"Setup > Lightning App Builder > {page} > Edit > Fields"


def _page(row: Mapping[str, Any], fields: set[str]) -> RecordPage:
    return RecordPage(row["Id"], str(row.get("Name") or row.get("MasterLabel") or row["Id"]), frozenset(fields))


def _absent(fields: Sequence[FieldSpec], shown: frozenset[str]) -> tuple[str, ...]:
    return tuple(spec.label for spec in fields if spec.name not in shown)


def _own_fields(metadata: Any) -> set[str]:
    """Return the fields that a Lightning page places itself: ``Record.Name`` in its regions."""
    regions = metadata.get("flexiPageRegions") if isinstance(metadata, dict) else None
    placed = (
        (item.get("fieldInstance") or {}).get("fieldItem") or ""
        for region in regions or ()
        for item in region.get("itemInstances") or ()
    )
    return {name.removeprefix(_RECORD) for name in placed if name.startswith(_RECORD)}
