"""TinyCRM itself: lists of records by their ids, each a dictionary."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from connector.ports import FieldSchema

Values = dict[str, Any]


def _fields(**types: str) -> dict[str, FieldSchema]:
    kinds = {"id": "id", "changed": "datetime", **types}
    return {
        name: FieldSchema(name, name, kind, length=4000 if kind == "text" else None) for name, kind in kinds.items()
    }


class TinyCrm:
    """One workspace: what kinds of records there are, and the records."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.fields = {
            "clerks": _fields(name="text", mail="email"),
            "firms": _fields(name="text", clerk="reference"),
            "people": _fields(name="text", mail="email", firm="reference"),
            "tickets": _fields(
                number="text", firm="reference", person="reference", clerk="reference", state="text", ended="datetime"
            ),
            "todos": _fields(title="text", text="text", state="text", due="date", clerk="reference", firm="reference"),
        }
        self.records: dict[str, dict[str, Values]] = {name: {} for name in self.fields}
        self._made = 0

    def insert(self, kind: str, **values: Any) -> str:
        """Make a record, and return its id."""
        self._made += 1
        record_id = f"{kind[0].upper()}{self._made}"
        self.records[kind][record_id] = dict.fromkeys(self.fields[kind])
        self.update(kind, record_id, values)
        return record_id

    def update(self, kind: str, record_id: str, values: Mapping[str, Any]) -> None:
        """Change a record."""
        self.records[kind][record_id] |= {**values, "id": record_id, "changed": self.now().isoformat()}


servers: dict[str, TinyCrm] = {}
"""The workspaces that are reached, by their addresses."""
