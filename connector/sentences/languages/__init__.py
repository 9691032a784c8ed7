"""The sentences on records and in tasks: one TOML file for each language."""
