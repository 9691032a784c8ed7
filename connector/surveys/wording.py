"""The wording library: every sentence that a customer reads, in each language.

One TOML file holds one language whole. A language that is missing falls back as a whole, never sentence by sentence, so that no
survey mixes two languages.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, tzinfo
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from connector.model.documents import JsonObject

if TYPE_CHECKING:
    from babel import Locale

DEFAULT: Final = "en"

_FILES = "connector.surveys.languages"
_SAME: Final[Mapping[str, str]] = {
    "zh": "zh-cn",
    "zh-hans": "zh-cn",
    "zh-sg": "zh-cn",
    "zh-hant": "zh-tw",
    "zh-hk": "zh-tw",
    "zh-mo": "zh-tw",
}
"""Tags without a file of their own whose readers read one of ours; all in lower case."""


@dataclass(frozen=True, slots=True)
class Wording:
    """All texts of one language."""

    language: str
    """The tag of the file, e.g. ``zh-CN``: what a ``lang`` attribute says."""
    texts: JsonObject
    """Text or lists of text by dotted key, e.g. ``page.send``."""
    zone: tzinfo = UTC
    """Where a day begins for whoever reads it."""

    def text(self, key: str, /, **values: object) -> str:
        """Return a text with its placeholders filled, numbers as people of this language write them.

        Raises `KeyError` for a key or a placeholder that is not known.
        """
        shown = {name: self.number(value) if isinstance(value, int) else value for name, value in values.items()}
        return str(self.texts[key]).format(**shown)

    def labels(self, key: str) -> tuple[str, ...]:
        """Return a list of texts."""
        return tuple(self.texts[key])

    def date(self, at: datetime) -> str:
        """Return the day of a moment as people of this language write it, e.g. ``6 December 2026``."""
        return _date(self.language, at.astimezone(self.zone).date())

    def number(self, value: int) -> str:
        """Return a whole number as people of this language write it, e.g. ``10,000``."""
        return _number(self.language, value)


# The same few days and limits stand on every page, and to write one takes as long as all the rest of the page.
@lru_cache(maxsize=1024)
def _date(language: str, day: date) -> str:
    from babel.dates import format_date

    return format_date(day, "long", locale=_locale(language))


@lru_cache(maxsize=1024)
def _number(language: str, value: int) -> str:
    from babel.numbers import format_decimal

    return format_decimal(value, locale=_locale(language))


def _locale(language: str) -> "Locale":
    from babel import Locale

    return Locale.parse("en_GB" if language == "en" else language.replace("-", "_"))


@cache
def languages() -> tuple[str, ...]:
    """Return the tags of all languages that there is wording for."""
    names = (file.name for file in files(_FILES).iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def resolve(tag: str | None) -> str:
    """Return the language that a reader of `tag` (BCP 47, any case, ``_`` allowed) gets: ``pt-BR`` → ``pt`` → ``en``."""
    known = {language.lower(): language for language in languages()}
    wanted = (tag or "").strip().replace("_", "-").lower()
    while wanted:
        if supported := known.get(wanted) or known.get(_SAME.get(wanted, "")):
            return supported
        wanted = wanted.rpartition("-")[0]
    return DEFAULT


def known_or(tag: str | None, default: str) -> str:
    """Return the language that a reader of `tag` gets, or `default` where there is no wording for theirs, or none is known."""
    language = resolve(tag)
    return language if language != DEFAULT or (tag or "").lower().startswith(DEFAULT) else default


def preferred(accept_language: str) -> str:
    """Return the best language for an Accept-Language header; it is only used where no invitation names one."""
    offers = [_weighed(offer) for offer in accept_language[:200].split(",")]
    for _, tag in sorted(offers, key=lambda offer: -offer[0]):
        language = resolve(tag)
        if language != DEFAULT or tag.lower().startswith(DEFAULT):
            return language
    return DEFAULT


def _weighed(offer: str) -> tuple[float, str]:
    tag, _, weight = offer.partition(";q=")
    try:
        return float(weight or 1), tag.strip()
    except ValueError:
        return 0.0, tag.strip()


def wording(tag: str | None, zone: tzinfo = UTC) -> Wording:
    """Return the wording for a reader of this language; days in it are those of `zone`."""
    return replace(_load(resolve(tag)), zone=zone)


@cache
def _load(language: str) -> Wording:
    source = files(_FILES).joinpath(f"{language}.toml").read_text(encoding="utf-8")
    return Wording(language, _flat(tomllib.loads(source)))


def _flat(table: JsonObject, prefix: str = "") -> dict[str, object]:
    texts: dict[str, object] = {}
    for key, value in table.items():
        texts |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return texts
