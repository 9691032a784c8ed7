"""Words of others in sentences of ours: without our secrets, on one line, and cut last, for a piece of a secret is not known as one."""

import base64
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar, cast
from urllib.parse import quote, quote_plus

from connector.domain.text_cutting import ELLIPSIS, cut

_Quotable = TypeVar("_Quotable")

LONGEST_WORDS: Final = 500
LONGEST_NAME: Final = 200
"""Of a code, a field or a scope as another system names it."""


def quoted(text: str, secrets: Iterable[str] = ()) -> str:
    """Return what another system says, as it may stand in an error: at most `LONGEST_WORDS` UTF-16 units."""
    return cut(" ".join(without(secrets, text).split()), LONGEST_WORDS)


def short_name(name: object) -> str:
    """Return the name that another system gives to something, at most `LONGEST_NAME` UTF-16 units of it."""
    return cut(str(name), LONGEST_NAME)


def without(secrets: Iterable[str], value: _Quotable) -> _Quotable:
    """Return text, or lists and mappings of it, with "…" for every secret, also where it is encoded as forms and headers are."""
    forms = sorted({form for secret in secrets if secret for form in _forms(secret)}, key=len, reverse=True)
    return cast(_Quotable, _replaced(forms, value)) if forms else value


def _forms(secret: str) -> Iterator[str]:
    yield from (secret, quote(secret, safe=""), quote_plus(secret), base64.b64encode(secret.encode()).decode())


def _replaced(forms: list[str], value: object) -> object:
    if isinstance(value, str):
        for form in forms:
            value = value.replace(form, ELLIPSIS)
        return value
    if isinstance(value, dict):
        return {_replaced(forms, key): _replaced(forms, text) for key, text in value.items()}
    return [_replaced(forms, text) for text in value] if isinstance(value, list) else value
