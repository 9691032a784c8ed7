"""The types of single keys: how each text, number and list of config.toml is read and checked."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network
from math import isfinite
from typing import Annotated, Final

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    SecretStr,
    Strict,
    StringConstraints,
)
from pydantic_settings import PydanticBaseSettingsSource

from connector.domain.config.field_types import Filled, as_list, between
from connector.domain.config.secret_files import read_secret
from connector.domain.config.wrong import Wrong
from connector.errors import Bug
from connector.ports import AnyAdapterPackage
from connector.settings import value_readers
from connector.settings.choices import Role, Superior

SHORTEST_KEY: Final = 32


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What one reading of the settings takes values from, and what it checks them against."""

    sources: tuple[PydanticBaseSettingsSource, ...]
    """The first wins."""
    adapters: Mapping[str, AnyAdapterPackage]
    """Those that are installed, by their names."""


# Settings that are built from sources hand no context of validation on, so it stands beside them.
_SURROUNDINGS: Final[ContextVar[Surroundings]] = ContextVar("surroundings")


@contextmanager
def surrounded(by: Surroundings) -> Iterator[None]:
    """Let settings be read within the block, in these surroundings."""
    token = _SURROUNDINGS.set(by)
    try:
        yield
    finally:
        _SURROUNDINGS.reset(token)


def surroundings() -> Surroundings:
    """Return what `surrounded` laid down. `Bug`: settings are read without."""
    try:
        return _SURROUNDINGS.get()
    except LookupError:
        raise Bug("settings are read in their surroundings alone") from None


def reads(reader: Callable[[str], object], quoted: str = "Write it in quotes.") -> PlainValidator:
    """Read a text with one of the functions of `value_readers`; anything but a text is a wrong type."""

    def read(value: object) -> object:
        if not isinstance(value, str):
            raise Wrong("is not a text.", quoted)
        return reader(value)

    return PlainValidator(read)


def _secret_reads(reader: Callable[[str], str]) -> AfterValidator:
    return AfterValidator(lambda secret: SecretStr(reader(secret.get_secret_value())))


def _person(text: str) -> str:
    if text in set(Role):
        return text
    if "@" in text:
        return value_readers.address(text)
    raise Wrong(
        f"is neither of {', '.join(Role)} nor an e-mail address.",
        "Write one of these, or the e-mail address of a user of the CRM.",
    )


def _superior(text: str) -> str:
    if text in set(Superior):
        return text
    if "@" in text:
        return value_readers.address(text)
    raise Wrong(
        "is neither of the words for people nor an e-mail address.",
        f"Write one of: {', '.join(Superior)}, or the e-mail address of one of your own people.",
    )


def _day(value: object) -> date:
    """TOML has dates of its own, which need no quotes."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise Wrong("is not a date.", 'Write year, month and day, for example "2026-12-24".')
    return value_readers.day(value)


def _notified(text: str) -> str | SecretStr:
    return SecretStr(value_readers.foreign_url(text)) if "://" in text else _person(text)


def lines_in(text: str) -> tuple[str, ...]:
    """Return the lines that hold anything."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _signing_keys(text: str) -> str:
    keys = lines_in(text)
    if not keys or min(len(key) for key in keys) < SHORTEST_KEY:
        raise Wrong(
            f"is shorter than {SHORTEST_KEY} characters.",
            'Make one with: python3 -c "import secrets; print(secrets.token_urlsafe(48))"',
        )
    return text


def _adapter(value: str) -> str:
    known = sorted(surroundings().adapters)
    if value not in known:
        raise Wrong("is not an adapter that is installed.", f"Write one of: {', '.join(known)}.")
    return value


def _fact(value: object) -> str | bool | int | float:
    if isinstance(value, str | bool | int) or (isinstance(value, float) and isfinite(value)):
        return value
    raise Wrong("is not a value that a fact can have.", "Write a text, a number, true or false.")


def _share(value: float) -> float:
    if not 0 < value <= 1:
        raise Wrong("is out of range.", "Write a number above 0 and up to 1; 0.2 is a fifth.")
    return value


Fact = Annotated[str | bool | int | float, PlainValidator(_fact)]
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
Percent = Annotated[Number, between(0, 100)]
Text = Annotated[str, Field(min_length=1)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$")]
Address = Annotated[str, reads(value_readers.address)]
"""An e-mail address of one of our own people, in small letters."""
Day = Annotated[date, PlainValidator(_day)]
_SPAN: Final = 'Write it in quotes and with its unit, for example "90d".'
Duration = Annotated[timedelta, reads(value_readers.duration, _SPAN)]
HalfLife = Annotated[timedelta, reads(value_readers.half_life, _SPAN)]
ForeignUrl = Annotated[str, reads(value_readers.foreign_url)]
Host = Annotated[str, reads(value_readers.host)]
Network = Annotated[IPv4Network | IPv6Network, reads(value_readers.network)]
Secret = Annotated[SecretStr, Field(min_length=1), BeforeValidator(read_secret)]
Conditions = dict[Text, Annotated[tuple[Fact, ...], BeforeValidator(as_list), Filled]]
StoreUrl = Annotated[Secret, _secret_reads(value_readers.store_url)]
SigningKeys = Annotated[Secret, _secret_reads(_signing_keys)]
Adapter = Annotated[str, AfterValidator(_adapter)]
CallShare = Annotated[Number, AfterValidator(_share)]
People = Annotated[tuple[Annotated[str, reads(_person)], ...], Filled]
Notified = tuple[Annotated[str | SecretStr, reads(_notified)], ...]
Superiors = tuple[Annotated[str, reads(_superior)], ...]
