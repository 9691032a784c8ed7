"""Records in memory, replaced and never changed in place, with columns of numbers so that searching a million stays quick."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
_ROOM = 1_024


@dataclass(frozen=True, slots=True)
class Revision:
    """Values that were written at one moment (milliseconds since 1970)."""

    at: int
    values: Mapping[str, str]
    source: str
    user: int | None


@dataclass(frozen=True, slots=True)
class PortalRecord:
    """One version of a record; times are milliseconds since 1970, empty properties are absent."""

    id: int
    properties: Mapping[str, str]
    created: int
    modified: int
    archived: int | None = None
    history: tuple[Revision, ...] = ()


Reader = Callable[[PortalRecord], float]
Texts = Callable[[PortalRecord], Iterable[str]]


class TextIndex:
    """Record ids by the texts that stand for a property; an id that is alone at its text needs no set."""

    def __init__(self, texts: Texts, records: Iterable[PortalRecord]) -> None:
        self._texts = texts
        self._found: dict[str, int | set[int]] = {}
        for record in records:
            self.replace(None, record)

    def ids(self, text: str) -> set[int]:
        """The records, archived ones too, that a text stands for."""
        ids = self._found.get(text)
        if ids is None:
            return set()
        return {ids} if isinstance(ids, int) else ids

    def replace(self, old: PortalRecord | None, new: PortalRecord | None) -> None:
        """Keeps up with one changed record."""
        before = dict.fromkeys(self._texts(old), old.id) if old else {}
        after = dict.fromkeys(self._texts(new), new.id) if new else {}
        for text in before.keys() - after.keys():
            self._drop(text, before[text])
        for text in after.keys() - before.keys():
            self._add(text, after[text])

    def _add(self, text: str, record_id: int) -> None:
        present = self._found.get(text)
        if present is None:
            self._found[text] = record_id
        elif isinstance(present, int):
            self._found[text] = {present, record_id}
        else:
            present.add(record_id)

    def _drop(self, text: str, record_id: int) -> None:
        present = self._found[text]
        if isinstance(present, int) or len(present) == 1:
            del self._found[text]
        else:
            present.discard(record_id)


class PortalTable:
    """The records of one object by id. `aliases` leads from merged-away ids to the surviving one.

    Rows keep their place in the columns, ids ascending; a place without a live record is masked out.
    """

    def __init__(self) -> None:
        self.rows: dict[int, PortalRecord] = {}
        self.aliases: dict[int, int] = {}
        self.archived: list[int] = []
        self._size = 0
        self._ids = np.zeros(_ROOM, dtype=np.int64)
        self._live = np.zeros(_ROOM, dtype=np.bool_)
        self._columns: dict[str, tuple[Reader, Floats]] = {}
        self._hashed: dict[str, TextIndex] = {}

    @property
    def ids(self) -> npt.NDArray[np.int64]:
        """The ids of all places, ascending."""
        return self._ids[: self._size]

    @property
    def live(self) -> Mask:
        """Which places hold a record that is not archived."""
        return self._live[: self._size]

    def replace(self, record_id: int, new: PortalRecord | None) -> None:
        """Puts a new version of a record in place of the old one; None takes it away for good."""
        old = self.rows.get(record_id)
        if new is None:
            self.rows.pop(record_id, None)
        else:
            self.rows[record_id] = new
        self._keep_archive(old, new)
        place = self._place(record_id)
        if place is None:
            self._rebuild()
        else:
            self._write(place, new)
        for index in self._hashed.values():
            index.replace(old, new)

    def load(self, records: Iterable[PortalRecord]) -> None:
        """Takes many trusted records at once; indexes are made again when asked for."""
        taken = sorted(records, key=lambda record: record.id)
        follows = not self._size or not taken or taken[0].id > self._ids[self._size - 1]
        self.rows.update((record.id, record) for record in taken)
        self._columns.clear()
        self._hashed.clear()
        if follows:
            self._append(taken)
        else:
            self.archived = sorted(record.id for record in self.rows.values() if record.archived is not None)
            self._rebuild()

    def alive(self, record_id: int) -> PortalRecord | None:
        """The record, unless it is archived or gone."""
        record = self.rows.get(record_id)
        return record if record and record.archived is None else None

    def survivor(self, record_id: int) -> int:
        """Where merges have led an id; itself when it was never merged away."""
        while record_id in self.aliases:
            record_id = self.aliases[record_id]
        return record_id

    def column(self, name: str, reader: Reader) -> Floats:
        """A number for each place, NaN where the record has none; made when first asked for, then kept up."""
        if name not in self._columns:
            values = np.full(len(self._ids), np.nan)
            rows = self.rows
            values[: self._size] = [
                reader(rows[record_id]) if record_id in rows else np.nan for record_id in self.ids.tolist()
            ]
            self._columns[name] = (reader, values)
        return self._columns[name][1][: self._size]

    def hashed(self, name: str, texts: Texts) -> TextIndex:
        """The index of a property by text; made when first asked for, then kept up."""
        if name not in self._hashed:
            self._hashed[name] = TextIndex(texts, self.rows.values())
        return self._hashed[name]

    def forget(self, name: str) -> None:
        """Drops the indexes of a property whose meaning has changed."""
        self._columns.pop(name, None)
        self._hashed.pop(name, None)

    def mask(self, ids: Iterable[int]) -> Mask:
        """The places of some records."""
        mask = np.zeros(self._size, dtype=np.bool_)
        wanted = np.fromiter(ids, dtype=np.int64)
        places = np.searchsorted(self.ids, wanted)
        inside = places < self._size
        places = places[inside]
        mask[places[self.ids[places] == wanted[inside]]] = True
        return mask

    def after(self, last: int, limit: int, *, archived: bool = False) -> list[PortalRecord]:
        """The next records by id after `last`, at most `limit`: the live ones, or the archived ones."""
        if archived:
            start = bisect_right(self.archived, last)
            return [self.rows[record_id] for record_id in self.archived[start : start + limit]]
        records: list[PortalRecord] = []
        start = int(np.searchsorted(self.ids, last, side="right"))
        while start < self._size and len(records) < limit:
            stop = start + limit
            records += [self.rows[record_id] for record_id in self.ids[start:stop][self.live[start:stop]].tolist()]
            start = stop
        return records[:limit]

    def _keep_archive(self, old: PortalRecord | None, new: PortalRecord | None) -> None:
        before = old is not None and old.archived is not None
        after = new is not None and new.archived is not None
        if before and not after and old:
            del self.archived[bisect_left(self.archived, old.id)]
        if after and not before and new:
            insort(self.archived, new.id)

    def _place(self, record_id: int) -> int | None:
        """The place of an id, a new one at the end; None when it would have to go between others."""
        if self._size and record_id <= self._ids[self._size - 1]:
            place = int(np.searchsorted(self.ids, record_id))
            return place if self._ids[place] == record_id else None
        if self._size == len(self._ids):
            self._grow(2 * self._size)
        self._ids[self._size] = record_id
        self._size += 1
        return self._size - 1

    def _append(self, records: Sequence[PortalRecord]) -> None:
        start, self._size = self._size, self._size + len(records)
        if self._size > len(self._ids):
            self._grow(2 * self._size)
        self._ids[start : self._size] = [record.id for record in records]
        self._live[start : self._size] = [record.archived is None for record in records]
        self.archived += [record.id for record in records if record.archived is not None]

    def _grow(self, room: int) -> None:
        more = room - len(self._ids)
        self._ids = np.concatenate([self._ids, np.zeros(more, dtype=np.int64)])
        self._live = np.concatenate([self._live, np.zeros(more, dtype=np.bool_)])
        grown = np.full(more, np.nan)
        self._columns = {
            name: (reader, np.concatenate([values, grown])) for name, (reader, values) in self._columns.items()
        }

    def _write(self, place: int, new: PortalRecord | None) -> None:
        self._live[place] = new is not None and new.archived is None
        for reader, values in self._columns.values():
            values[place] = np.nan if new is None else reader(new)

    def _rebuild(self) -> None:
        ids = np.array(sorted(self.rows), dtype=np.int64)
        self._size = len(ids)
        room = max(_ROOM, self._size)
        self._ids, self._live = np.zeros(room, dtype=np.int64), np.zeros(room, dtype=np.bool_)
        self._ids[: self._size] = ids
        self._live[: self._size] = [self.rows[record_id].archived is None for record_id in ids.tolist()]
        self._columns.clear()
        self._hashed.clear()


@dataclass
class PortalChange:
    """One replaced record, as the journal of a transaction keeps it."""

    table: PortalTable
    record_id: int
    before: PortalRecord | None


@dataclass
class PortalStore:
    """All tables, with transactions: everything in one holds or nothing does."""

    tables: dict[str, PortalTable] = field(default_factory=dict)
    _journals: list[list[PortalChange]] = field(default_factory=list)

    def table(self, name: str) -> PortalTable:
        """The table of an object."""
        if name not in self.tables:
            self.tables[name] = PortalTable()
        return self.tables[name]

    def put(self, name: str, new: PortalRecord) -> None:
        """Writes one version of a record."""
        self._replace(name, new.id, new)

    def purge(self, name: str, record_id: int) -> None:
        """Takes a record away for good."""
        self._replace(name, record_id, None)

    def _replace(self, name: str, record_id: int, new: PortalRecord | None) -> None:
        table = self.table(name)
        if self._journals:
            self._journals[-1].append(PortalChange(table, record_id, table.rows.get(record_id)))
        table.replace(record_id, new)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Undoes the record changes of the block when it raises."""
        journal: list[PortalChange] = []
        self._journals.append(journal)
        try:
            yield
        except BaseException:
            self._journals.pop()
            for change in reversed(journal):
                change.table.replace(change.record_id, change.before)
            raise
        self._journals.pop()
        if self._journals:
            self._journals[-1].extend(journal)
