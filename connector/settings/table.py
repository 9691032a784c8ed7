"""What every table of config.toml has in common."""

from pydantic import BaseModel, ConfigDict


class Table(BaseModel):
    """One table of config.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
