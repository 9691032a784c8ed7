"""Indexes that are put aside while very many rows come into a store that holds next to none, and made again at the end.

Every page of new records would touch nearly each block of an index whose order is not theirs (accounts, persons), and each would be
written to the disk again and again. Without them everything is found all the same, only slower. On SQLite alone: there nobody is
kept waiting by it, and a process that dies leaves them out at worst, which the next one to open the store makes good. PostgreSQL would
keep all others from the tables meanwhile.
"""

from collections.abc import Iterator

from sqlalchemy import Connection, Index, literal, select

from connector.store.db.engine import Store
from connector.store.tables import account, binding, contact, interaction, owner

MANY = 1_000
"""Records that come at once: as many are no usual lap's."""
FEW = 10_000
"""Rows up to which a store counts as empty."""
_FILLED = (owner, account, contact, interaction, binding)


class FirstFill:
    """The indexes of a store while a connection is read for the first time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._has_looked = not store.is_sqlite
        self._are_aside = False

    def expect(self, tx: Connection, records: int) -> None:
        """Put the indexes aside, in the transaction that stores the first of many records, where the store is as good as empty."""
        if self._has_looked or records < MANY:
            return
        self._has_looked = True
        if tx.execute(select(literal(1)).select_from(binding).offset(FEW).limit(1)).first() is None:
            for index in _indexes():
                index.drop(tx, checkfirst=True)
            self._are_aside = True

    def end(self) -> None:
        """Make the indexes again that were put aside."""
        if self._are_aside:
            self._are_aside = False
            make_again(self._store)


def make_again(store: Store) -> None:
    """Make the indexes that are missing, each in a transaction of its own."""
    if not store.is_sqlite:
        return
    with store.read() as tx:
        known = {name for (name,) in tx.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'index'")}
    for index in _indexes():
        if index.name not in known:
            with store.write() as tx:
                # Another process may have been faster.
                index.create(tx, checkfirst=True)


def _indexes() -> Iterator[Index]:
    for table in _FILLED:
        # By their names: their order in a table's set changes from run to run.
        yield from sorted((index for index in table.indexes if not index.unique), key=lambda index: str(index.name))
