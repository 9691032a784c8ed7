"""What the product remembers. The only place that knows SQL: tables, migrations, and one module of queries for each stage."""

from connector.store.db.engine import Store, Transaction, new_id

__all__ = ["Store", "Transaction", "new_id"]
