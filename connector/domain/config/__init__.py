"""What config.toml and the mapping files have in common: how they are read, and how what is wrong with them is said."""
