"""What the product remembers. The only place that knows SQL: tables, migrations, and queries by subject."""

from connector.store.db.engine import Store, Transaction, new_id

__all__ = ["Store", "Transaction", "new_id"]
