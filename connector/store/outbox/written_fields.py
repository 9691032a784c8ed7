"""In which field of the CRM each thing of ours was written, and in which form.

Since when is told by the lines of the log: two moments may be one.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from connector.store.db.upsert import insert_or_update
from connector.store.outbox.fields import compare_again
from connector.store.outbox.refusals import try_all_again
from connector.store.tables import setting, write_log
from connector.store.tables import written_field as table


@dataclass(frozen=True, slots=True)
class WrittenField:
    """One of our fields as it stands in a CRM."""

    target: str
    name: str
    object: str
    path: str


@dataclass(frozen=True, slots=True)
class History:
    """Every field of a connection that something of ours was written to."""

    fields: Mapping[tuple[str, str], tuple[tuple[int, WrittenField], ...]]
    """By (target, our name), the oldest first."""

    def at(self, target: str, name: str, line: int) -> WrittenField | None:
        """Return the field that a line of the log is about; before the first that is known, that one."""
        known = self.fields.get((target, name), ())
        before = [field for last, field in known if last < line]
        return before[-1] if before else known[0][1] if known else None

    def now(self, target: str, name: str) -> WrittenField | None:
        """Return the field in which a thing of ours stood last."""
        known = self.fields.get((target, name), ())
        return known[-1][1] if known else None

    def stale(self, mapped: Collection[tuple[str, str]]) -> list[WrittenField]:
        """Return the fields in which things of ours stood that are none of those (object, path) which are mapped now."""
        known = {(field.object, field.path): field for fields in self.fields.values() for _, field in fields}
        return [field for place, field in known.items() if place not in mapped]


def history(tx: Connection, crm: str) -> History:
    """Return every field that something of ours was written to."""
    rows = tx.execute(select(table).where(table.c.connection == crm).order_by(table.c.line))
    by_name: dict[tuple[str, str], list[tuple[int, WrittenField]]] = {}
    for row in rows:
        field = WrittenField(row.target, row.name, row.object, row.path)
        by_name.setdefault((row.target, row.name), []).append((row.line, field))
    return History({key: tuple(fields) for key, fields in by_name.items()})


def note(tx: Connection, crm: str, fields: Iterable[WrittenField]) -> None:
    """Note in which fields things of ours are written from now on."""
    known = history(tx, crm)
    new = [field for field in fields if known.now(field.target, field.name) != field]
    if new:
        line = tx.execute(select(func.coalesce(func.max(write_log.c.id), 0))).scalar_one()
        rows = [
            {
                "connection": crm,
                "target": new_field.target,
                "name": new_field.name,
                "object": new_field.object,
                "path": new_field.path,
            }
            for new_field in new
        ]
        insert_or_update(tx, table, [row | {"line": line} for row in rows])


def form(tx: Connection, crm: str) -> str | None:
    """Return in which form a connection was last written."""
    return tx.execute(select(setting.c.value).where(setting.c.name == _form_name(crm))).scalar_one_or_none()


def set_form(tx: Connection, crm: str, new: str) -> None:
    """Note in which form a connection is written; if it has changed, compare everything and try again what was refused."""
    if form(tx, crm) == new:
        return
    insert_or_update(tx, setting, [{"name": _form_name(crm), "value": new}])
    compare_again(tx, crm)
    try_all_again(tx, crm)


def _form_name(crm: str) -> str:
    return f"form:{crm}"
