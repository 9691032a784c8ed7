"""`score`: ratings become the figures of a customer."""
