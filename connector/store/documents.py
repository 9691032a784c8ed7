"""JSON documents as text. Half a surrogate pair, cut off by some other program, has no form in UTF-8: it is kept as its escape."""

import json
from typing import Any

from pydantic_core import PydanticSerializationError, from_json, to_json


def encoded(value: Any) -> str:
    """Return a document as text."""
    try:
        return to_json(value).decode()
    except PydanticSerializationError:
        return json.dumps(value)


def decoded(text: str | bytes) -> Any:
    """Return what `encoded` wrote, or any other JSON."""
    try:
        return from_json(text)
    except ValueError:
        return json.loads(text)
