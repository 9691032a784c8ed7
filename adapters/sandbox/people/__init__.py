"""Invented companies, their people, and what happened between them and the org: the same for the same seed."""
