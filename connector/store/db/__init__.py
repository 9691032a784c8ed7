"""The database itself: opening it, its schema, and writing many rows at once."""
