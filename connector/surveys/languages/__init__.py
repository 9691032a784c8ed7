"""The wording library: one TOML file for each language."""
