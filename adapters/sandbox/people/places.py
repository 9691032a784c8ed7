"""The places and lines of work that seeded records are made from, as the data files tell them."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_SPELLED = str.maketrans({"ä": "a", "ö": "o", "ü": "ue", "ß": "ss", "å": "a", "ø": "o", "ñ": "n", "ş": "s", "ı": "i"})


@dataclass(frozen=True)
class Country:
    """A country: how companies and people there are called. `hours` is the distance of office hours from UTC."""

    country: str
    weight: int
    hours: int
    zone: str
    language: tuple[str, ...]
    phone: str
    heads: tuple[str, ...]
    tails: tuple[str, ...]
    forms: tuple[str, ...]
    words: str
    cities: tuple[str, ...]
    streets: tuple[str, ...]
    first: tuple[str, ...]
    last: tuple[str, ...]


@dataclass(frozen=True)
class Industry:
    """A line of work: what a company in it is called in each language, and what its people ask for."""

    name: str
    weight: int
    cases: tuple[str, ...]
    trades: Mapping[str, tuple[str, ...]]


@cache
def places() -> tuple[Country, ...]:
    """All countries."""
    return tuple(Country(country, **_frozen(spec)) for country, spec in _read("places.toml").items())


@cache
def industries() -> dict[str, Industry]:
    """All lines of work by name."""
    by_name = {}
    for name, spec in work()["industries"].items():
        trades = {key: tuple(value) for key, value in spec.items() if key not in ("weight", "cases")}
        by_name[name] = Industry(name, spec["weight"], tuple(spec["cases"]), trades)
    return by_name


@cache
def work() -> dict[str, Any]:
    """The whole of work.toml: users, departments, and what is common to all industries."""
    return _read("work.toml")


def slug(text: str) -> str:
    """A text as it may stand in an address: plain lower-case letters, digits and hyphens."""
    spelled = unicodedata.normalize("NFKD", text.lower().translate(_SPELLED)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", spelled).strip("-")


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))


def _frozen(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in spec.items()}
