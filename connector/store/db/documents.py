"""JSON documents as text, which both databases keep.

Half a surrogate pair, cut off by some other program, has no form in UTF-8, and PostgreSQL keeps no NUL: both are left out.
"""

import json
from typing import Any

from pydantic_core import PydanticSerializationError, from_json, to_json

from connector.model import storable_text


def encoded(value: Any) -> str:
    """Return a document as text."""
    try:
        text = to_json(value).decode()
    except PydanticSerializationError:
        text = json.dumps(value)
    else:
        if "\\u0000" not in text:
            return text
    return to_json(_storable(json.loads(text))).decode()


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, dict):
        return {_storable(name): _storable(item) for name, item in value.items()}
    return [_storable(item) for item in value] if isinstance(value, list) else value


def decoded(text: str | bytes) -> Any:
    """Return what `encoded` wrote, or any other JSON."""
    try:
        return from_json(text)
    except ValueError:
        return json.loads(text)
