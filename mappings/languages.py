"""Language tags, from whatever a CRM holds: a tag, a locale, or a language's name in English or in its own words."""

from functools import cache, lru_cache
from typing import Final

# Languages that are recognised by their own names too. Babel reads a file for each, so all 200 would take seconds.
_OWN_NAMES: Final = (
    "ar bg bn bs ca cs cy da de el en es et eu fa fi fr ga gl he hi hr hu hy id is it ja ka kk ko lt lv mk ms mt nb nl nn no "
    "pl pt ro ru sk sl sq sr sv sw ta te th tr uk ur vi zh"
)


@lru_cache(maxsize=4096)
def language_tag(text: str) -> str | None:
    """Return a BCP 47 tag (``fi``, ``pt-BR``, ``zh-Hant-TW``), or None when the text names no language that is known."""
    return _from_code(text) or _from_name(text) or _from_name(text.partition("(")[0])


def _from_code(text: str) -> str | None:
    from babel.core import parse_locale

    code = text.strip().replace("-", "_").split(".")[0]
    try:
        language, territory, script, *_ = parse_locale(code)
    except ValueError:
        return None
    # A territory that is not two letters would have been read as a variant, or a name such as "English" as a language.
    if language not in _codes():
        return None
    return "-".join(part for part in (language, script, territory) if part)


def _from_name(text: str) -> str | None:
    """Return the tag for a name. A name in English wins over the same word in another language."""
    name = text.casefold().strip()
    return _english().get(name) or _native().get(name)


@cache
def _codes() -> frozenset[str]:
    from babel import Locale

    return frozenset(code for code in map(str, Locale("en").languages) if "_" not in code)


@cache
def _english() -> dict[str, str]:
    from babel import Locale

    return {str(name).casefold(): str(code).replace("_", "-") for code, name in Locale("en").languages.items()}


@cache
def _native() -> dict[str, str]:
    from babel import Locale

    return {(Locale(code).get_language_name(code) or code).casefold(): code for code in _OWN_NAMES.split()}
