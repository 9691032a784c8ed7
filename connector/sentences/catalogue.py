"""The message catalogue: every sentence on a record or in a task, by key, with plural forms, numbers and dates by CLDR.

One TOML file holds one language whole. A language without a file falls back to English as a whole, so that no record mixes two.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from connector.model.documents import JsonObject

if TYPE_CHECKING:
    from babel import Locale

DEFAULT: Final = "en"
PLURALS: Final = frozenset({"zero", "one", "two", "few", "many", "other"})
"""CLDR's plural categories: a table of nothing else is one message with several forms."""

_FILES: Final = "connector.sentences.languages"
_DAYS_NAMED_BY_WEEKDAY: Final = 6
_KEPT: Final = 4_096
"""How many numbers, and how many dates, are kept as they are written."""

Message = str | Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The messages of one language."""

    language: str
    messages: Mapping[str, Message]
    """By dotted key; one with plural forms is a table of them."""

    def text(self, key: str, /, **values: object) -> str:
        """Return a message with its placeholders filled. Raises `KeyError` for a key or a placeholder that is not known."""
        message = self.messages[key]
        if not isinstance(message, str):
            raise KeyError(f"{key} has plural forms: it needs a number")
        return message.format(**values)

    def count(self, key: str, n: int, /, **values: object) -> str:
        """Return the form of a message that goes with `n`, which fills the placeholder ``{n}``."""
        forms = self.messages[key]
        if isinstance(forms, str):
            raise KeyError(f"{key} has no plural forms")
        form = forms.get(_locale(self.language).plural_form(n), forms["other"])
        return form.format(n=self.number(n), **values)

    def number(self, value: float) -> str:
        """Return a number as people write it, without zeros at its end: 4.5, in Finnish 4,5."""
        return _number(self.language, value)

    def day(self, at: datetime, tz: tzinfo) -> str:
        """Return the date in this zone: 12 Nov 2026."""
        return self._date("format.day", at.astimezone(tz).date())

    def month(self, at: datetime, tz: tzinfo) -> str:
        """Return the month in this zone: November 2026."""
        return self._date("format.month", at.astimezone(tz).date())

    def by(self, at: datetime, tz: tzinfo) -> str:
        """Return a time that stays on a record: 13 Nov 15:00."""
        return self._date("format.far", _local(at, tz))

    def deadline(self, at: datetime, tz: tzinfo, *, now: datetime) -> str:
        """Return a near deadline by its weekday (Fri 15:00), a farther or a past one by its date (24 Nov 15:00)."""
        days = (at.astimezone(tz).date() - now.astimezone(tz).date()).days
        return self._date("format.near" if 0 <= days <= _DAYS_NAMED_BY_WEEKDAY else "format.far", _local(at, tz))

    def _date(self, key: str, at: date) -> str:
        return _date(self.language, self.text(key), at)


def _local(at: datetime, tz: tzinfo) -> datetime:
    """Return what a clock shows there. Without its zone: two moments that are equal can be shown differently."""
    return at.astimezone(tz).replace(tzinfo=None)


# Records of a whole book say the same few numbers and days again and again, and CLDR's forms take long to work out.


@cache
def _locale(language: str) -> "Locale":
    from babel import Locale

    return Locale.parse(language)


@lru_cache(maxsize=_KEPT)
def _number(language: str, value: float) -> str:
    from babel.numbers import format_decimal

    return str(format_decimal(value, format="#,##0.##", locale=_locale(language)))


@lru_cache(maxsize=_KEPT)
def _date(language: str, pattern: str, at: date) -> str:
    """Return a day, or a moment of one (`datetime`), as a pattern writes it."""
    from babel.dates import format_datetime

    return str(format_datetime(at, pattern, locale=_locale(language)))


@cache
def languages() -> tuple[str, ...]:
    """Return the tags of all languages that there is a catalogue for."""
    names = (file.name for file in files(_FILES).iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def catalogue(tag: str | None) -> Catalogue:
    """Return the catalogue for a language (BCP 47: ``fi``, ``fi-FI``); English where there is none."""
    language = (tag or "").strip().replace("_", "-").partition("-")[0].lower()
    return _load(language if language in languages() else DEFAULT)


@cache
def _load(language: str) -> Catalogue:
    source = files(_FILES).joinpath(f"{language}.toml").read_text(encoding="utf-8")
    return Catalogue(language, flat(tomllib.loads(source)))


def flat(table: JsonObject, prefix: str = "") -> dict[str, Message]:
    """Return the messages of nested tables by dotted key."""
    messages: dict[str, Message] = {}
    for key, value in table.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and not set(value) <= PLURALS:
            messages |= flat(value, f"{name}.")
        else:
            messages[name] = value
    return messages
