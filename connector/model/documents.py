"""JSON documents as they were parsed, by others or by ourselves."""

from collections.abc import Mapping
from typing import Any

JsonObject = Mapping[str, Any]
"""A JSON object. What it holds has no type before whoever knows its form has read it."""
JsonDict = dict[str, Any]
"""The same while it is put together."""
