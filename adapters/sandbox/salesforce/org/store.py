"""Records in memory: sparse dicts that are replaced, never changed in place, with indexes made when first asked for.

Values are kept in wire form (datetimes as `2026-01-01T09:00:00.000+0000`, which sorts as text), so that reading costs nothing.
A record that a reader holds stays as it was: a page of a query shows one moment.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Row = Mapping[str, Any]
Key = tuple[str, str]

_SORT_AT_ONCE = 64


class SortedIndex:
    """Record ids by the text of one field: answers ranges, in order of (value, id)."""

    def __init__(self, rows: Iterable[Row], name: str) -> None:
        self._name = name
        self._keys: list[Key] = sorted((row[name], row["Id"]) for row in rows if name in row)
        self._fresh: list[Key] = []

    def replace(self, old: Row | None, new: Row | None) -> None:
        """Keeps up with one changed record."""
        before, after = (row.get(self._name) if row else None for row in (old, new))
        if before == after:
            return
        if old is not None and before is not None:
            self._sort_new_keys()
            place = bisect_left(self._keys, (before, old["Id"]))
            del self._keys[place]
        if new is not None and after is not None:
            self._fresh.append((after, new["Id"]))

    def between(self, low: str | None, high: str | None) -> list[Key]:
        """The keys with low <= value <= high; None leaves that side open."""
        self._sort_new_keys()
        start = 0 if low is None else bisect_left(self._keys, (low, ""))
        end = len(self._keys) if high is None else bisect_right(self._keys, (high, "~"))
        return self._keys[start:end]

    def _sort_new_keys(self) -> None:
        if len(self._fresh) > _SORT_AT_ONCE:
            self._keys.extend(self._fresh)
            self._keys.sort()
        else:
            for key in self._fresh:
                insort(self._keys, key)
        self._fresh.clear()


class HashIndex:
    """Record ids by the value of one field; text is folded, as the vendor's comparison is."""

    def __init__(self, rows: Iterable[Row], name: str, *, exact: bool = False) -> None:
        self._name = name
        self._exact = exact
        self._ids: dict[Any, str | dict[str, None]] = {}
        for row in rows:
            self.replace(None, row)

    def replace(self, old: Row | None, new: Row | None) -> None:
        """Keeps up with one changed record."""
        before, after = (row.get(self._name) if row else None for row in (old, new))
        if before == after:
            return
        if old is not None and before is not None:
            self._drop(self._fold(before), old["Id"])
        if new is not None and after is not None:
            self._add(self._fold(after), new["Id"])

    def ids(self, value: object) -> list[str]:
        """The ids of the records that hold `value`, oldest entry first."""
        ids = self._ids.get(self._fold(value))
        if ids is None:
            return []
        return [ids] if isinstance(ids, str) else list(ids)

    def _fold(self, value: Any) -> Any:
        return value.lower() if isinstance(value, str) and not self._exact else value

    def _add(self, value: Any, record_id: str) -> None:
        present = self._ids.get(value)
        if present is None:
            self._ids[value] = record_id
        elif isinstance(present, str):
            self._ids[value] = {present: None, record_id: None}
        else:
            present[record_id] = None

    def _drop(self, value: Any, record_id: str) -> None:
        present = self._ids[value]
        if isinstance(present, str) or len(present) == 1:
            del self._ids[value]
        else:
            del present[record_id]


class OrgTable:
    """The records of one object, by id in the order in which they were made, deleted ones among them.

    `purged` lists (when, id) of those that were deleted for good.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows: dict[str, Row] = {}
        self.purged: list[Key] = []
        self.version = 0
        self._hashed: dict[str, HashIndex] = {}
        self._sorted: dict[str, SortedIndex] = {}

    def replace(self, record_id: str, new: Row | None) -> None:
        """Puts a new version of a record in place of the old one; None purges it."""
        old = self.rows.get(record_id)
        if new is None:
            self.rows.pop(record_id, None)
        else:
            self.rows[record_id] = new
        self.version += 1
        for by_value in self._hashed.values():
            by_value.replace(old, new)
        for by_range in self._sorted.values():
            by_range.replace(old, new)

    def load(self, rows: Iterable[Row]) -> None:
        """Takes many trusted records at once; indexes are made again when asked for."""
        self.rows.update((row["Id"], row) for row in rows)
        self.version += 1
        self._hashed.clear()
        self._sorted.clear()

    def hashed(self, name: str, *, exact: bool = False) -> HashIndex:
        """The index by equality on a field."""
        if name not in self._hashed:
            self._hashed[name] = HashIndex(self.rows.values(), name, exact=exact)
        return self._hashed[name]

    def sorted_by(self, name: str) -> SortedIndex:
        """The index by range on a field of text or time."""
        if name not in self._sorted:
            self._sorted[name] = SortedIndex(self.rows.values(), name)
        return self._sorted[name]

    def holding(self, name: str, value: object) -> list[Row]:
        """The records, deleted ones too, whose field holds `value`."""
        return [self.rows[record_id] for record_id in self.hashed(name).ids(value)]

    def live(self) -> Iterator[Row]:
        """The records that are not deleted."""
        return (row for row in self.rows.values() if not row["IsDeleted"])


@dataclass
class OrgChange:
    """One replaced record, as the journal of a transaction keeps it."""

    table: OrgTable
    record_id: str
    before: Row | None
    after: Row | None


@dataclass
class OrgStore:
    """All tables, with transactions that nest: an inner one can be undone alone."""

    tables: dict[str, OrgTable] = field(default_factory=dict)
    _journals: list[list[OrgChange]] = field(default_factory=list)

    def table(self, name: str) -> OrgTable:
        """The table of an object."""
        if name not in self.tables:
            self.tables[name] = OrgTable(name)
        return self.tables[name]

    def get(self, name: str, record_id: str | None) -> Row | None:
        """A record, deleted or not."""
        return self.table(name).rows.get(record_id) if record_id else None

    def put(self, name: str, new: Row) -> None:
        """Writes one version of a record."""
        self._replace(self.table(name), new["Id"], new)

    def purge(self, name: str, record_id: str) -> None:
        """Takes a record away for good."""
        self._replace(self.table(name), record_id, None)

    def _replace(self, table: OrgTable, record_id: str, new: Row | None) -> None:
        if self._journals:
            self._journals[-1].append(OrgChange(table, record_id, table.rows.get(record_id), new))
        table.replace(record_id, new)

    @contextmanager
    def transaction(self) -> Iterator[list[OrgChange]]:
        """Everything inside holds or nothing does; yields the journal, which is complete when the block ends."""
        journal: list[OrgChange] = []
        self._journals.append(journal)
        try:
            yield journal
        except BaseException:
            self._journals.pop()
            undo(journal)
            raise
        self._journals.pop()
        if self._journals:
            self._journals[-1].extend(journal)


def undo(journal: list[OrgChange]) -> None:
    """Puts every record back as it was before."""
    for change in reversed(journal):
        change.table.replace(change.record_id, change.before)


def redo(journal: list[OrgChange]) -> None:
    """Applies the changes again; on a record that was changed since, only the fields they changed, and no stamp goes back."""
    for change in journal:
        current = change.table.rows.get(change.record_id)
        after = change.after
        if change.before is not None and current is not None and after is not None and current is not change.before:
            after = _on_top(current, change.before, after)
        change.table.replace(change.record_id, after)


def _on_top(current: Row, before: Row, after: Row) -> Row:
    merged = {name: value for name, value in current.items() if name in after or name not in before}
    merged |= {name: value for name, value in after.items() if before.get(name) != value}
    return merged | {"SystemModstamp": max(current["SystemModstamp"], after["SystemModstamp"])}
