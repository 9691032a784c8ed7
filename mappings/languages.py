"""Language tags, from whatever a CRM holds: a tag, a locale, or a language's name in English or in its own words."""

from functools import cache, lru_cache

from babel import Locale, UnknownLocaleError
from babel.core import parse_locale
from babel.localedata import locale_identifiers


@lru_cache(maxsize=4096)
def language_tag(text: str) -> str | None:
    """Return a BCP 47 tag (``fi``, ``pt-BR``, ``zh-Hant-TW``), or None when the text names no language that is known."""
    return _from_code(text) or _names().get(text.casefold().strip()) or _from_name_with_place(text)


def _from_code(text: str) -> str | None:
    code = text.strip().replace("-", "_").split(".")[0]
    try:
        language, territory, script, *_ = parse_locale(code)
    except ValueError:
        return None
    # A territory that is not two letters would have been read as a variant, or a name such as "English" as a language.
    if language not in _codes():
        return None
    return "-".join(part for part in (language, script, territory) if part)


def _from_name_with_place(text: str) -> str | None:
    name, bracket, _ = text.partition("(")
    return _names().get(name.casefold().strip()) if bracket else None


@cache
def _codes() -> frozenset[str]:
    return frozenset(code for code in map(str, Locale("en").languages) if "_" not in code)


@cache
def _names() -> dict[str, str]:
    """Return tags by name. A name in English wins over the same word in another language."""
    names: dict[str, str] = {}
    for code in locale_identifiers():
        if "_" not in code and code in _codes():
            names.setdefault(_own_name(code), code)
    names |= {name.casefold(): code.replace("_", "-") for code, name in Locale("en").languages.items()}
    names.pop("", None)
    return names


def _own_name(code: str) -> str:
    try:
        return (Locale(code).get_language_name(code) or "").casefold()
    except UnknownLocaleError:
        return ""
