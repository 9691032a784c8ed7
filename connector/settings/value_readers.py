"""Values of config.toml that are more than a number or a text, each with the function that reads it.

Every reader raises `Wrong`, which says what is wrong and what would be right, and never holds the value itself.
"""

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from email.utils import getaddresses
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, available_timezones

from connector.domain.config.spelling import did_you_mean
from connector.domain.config.web_addresses import in_ascii, is_loopback, split_address, url
from connector.domain.config.wrong import Wrong
from connector.domain.durations import parse_duration
from connector.domain.follow_up_rules import Rule, parse_rule
from connector.domain.working_time import Window, WorkingTime
from connector.model import normalized_address
from connector.surveys.wording import DEFAULT as DEFAULT_LANGUAGE
from connector.surveys.wording import languages, resolve

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WINDOW: Final = re.compile(r"([a-z]{3})(?:-([a-z]{3}))? ([0-9]{1,2}:[0-9]{2})-([0-9]{1,2}:[0-9]{2})")
_CAP: Final = re.compile(r"([1-9][0-9]{0,5}) per (\S+)")
_SENDER: Final = re.compile(r"\s*([^<>]*?)\s*<\s*([^<>\s]+)\s*>\s*")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ADDRESS: Final = re.compile(r"[^@\s<>\",;]+@[^@\s<>\",;]+\.[^@\s<>\",;.]+")
_DOMAIN: Final = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]{2,}")
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_EVENT: Final = re.compile(r"[a-z][a-z0-9_-]*\.[a-z][a-z0-9_-]*")
_PATH = re.compile(r"(/([A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})+)*", re.ASCII)
_STORES: Final = ("sqlite:///", "sqlite+pysqlite:///", "postgresql+psycopg://")
_BARE_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")

WORKING_HOURS: Final = "working_hours"
"""What a sending window is called that is the company's working hours."""
NO_FADING: Final = timedelta(days=365_000)
"""A thousand years: short enough to be subtracted from a date, long enough for a year's answer to weigh 0.999."""


class Listen(NamedTuple):
    """Where the web application waits for requests."""

    host: str
    port: int


class Sender(NamedTuple):
    """The From line of a mail; `name` may be empty."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class AccountCap:
    """At most so many people of one account are asked within the window; a window of zero caps nothing."""

    people: int
    window: timedelta


@dataclass(frozen=True, slots=True)
class SendingWindow(Window):
    """The local times at which mail may go out: on the clocks of the person who gets it, or in the company's working hours."""

    company: WorkingTime | None = None
    """The working hours to keep to, instead of days and times."""

    @property
    def always(self) -> bool:
        """Whether the window never closes."""
        return not self.days and (self.company is None or self.company.window.always)

    def next_open(self, at: datetime, tz: ZoneInfo) -> datetime:
        """Return the first moment not before `at` (aware) that lies in the window, on the clocks of `tz` or the company's, in UTC."""
        return (self.company or WorkingTime(tz, self, frozenset())).next_open(at)


@dataclass(frozen=True, slots=True)
class WeeklyTime:
    """A moment of each week, on the company's clocks."""

    day: int
    """Monday is 0."""
    at: time


def duration(text: str) -> timedelta:
    """Read a duration such as ``24h``."""
    try:
        return parse_duration(text)
    except ValueError:
        raise Wrong(
            "is not a duration.", "Write a whole number and s, m, h or d, for example 90s, 24h or 7d."
        ) from None


def half_life(text: str) -> timedelta:
    """Read a half-life; `0s` switches fading off, which is a half-life that no answer lives to see."""
    return duration(text) or NO_FADING


def rule(text: str) -> Rule:
    """Read the `when` of a follow-up."""
    try:
        return parse_rule(text)
    except ValueError as error:
        raise Wrong(
            f"is not a rule: {error}.", 'Write for example "low", "csat <= 2", "mood = unhappy" or "silence >= 2".'
        ) from None


def account_cap(text: str) -> AccountCap:
    """Read ``3 per 30d``."""
    parts = _CAP.fullmatch(text.strip())
    try:
        if parts:
            return AccountCap(people=int(parts[1]), window=parse_duration(parts[2]))
    except ValueError:
        pass  # falls through to the one message for every way of getting it wrong
    raise Wrong("is not a number of people per duration.", 'Write for example "3 per 30d".')


def time_of_day(text: str) -> time:
    """Read ``02:30``."""
    try:
        return datetime.strptime(text.strip(), "%H:%M").time()  # noqa: DTZ007 - a time of day
    except ValueError:
        raise Wrong("is not a time of day.", 'Write hours and minutes, for example "02:30".') from None


def time_zone(text: str) -> ZoneInfo:
    """Read ``Europe/Helsinki``."""
    try:
        return ZoneInfo(text.strip())
    except (KeyError, ValueError, OSError):
        hint = did_you_mean(text.strip(), available_timezones())
        raise Wrong("is not a time zone.", f'Write an IANA name, for example "Europe/Paris" or "UTC".{hint}') from None


def language(text: str) -> str:
    """Read a language tag; it must be one that there is wording for, so that nothing falls back unnoticed."""
    tag = text.strip().replace("_", "-")
    known = resolve(tag)
    if known == DEFAULT_LANGUAGE and tag.lower().partition("-")[0] != DEFAULT_LANGUAGE:
        raise Wrong("is not a language that there is wording for.", f"Write one of: {', '.join(languages())}.")
    return known


def day(text: str) -> date:
    """Read ``2026-12-24``."""
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d").date()  # noqa: DTZ007 - a day
    except ValueError:
        raise Wrong("is not a date.", 'Write year, month and day, for example "2026-12-24".') from None


def weekly(text: str) -> WeeklyTime | None:
    """Read ``mon 08:00``; ``off`` is never."""
    if text.strip().lower() == "off":
        return None
    name, _, at = text.strip().lower().partition(" ")
    if name not in _DAYS:
        raise Wrong("is not a time of the week.", 'Write a day and a time, for example "mon 08:00", or "off".')
    return WeeklyTime(_DAYS.index(name), time_of_day(at))


def working_hours(text: str) -> Window:
    """Read ``mon-fri 08:00-17:00``, or ``any``; the days may run over the weekend (``sun-thu``)."""
    return _window(text, "are not working hours.")


def sending_window(text: str) -> SendingWindow:
    """Read what `working_hours` reads, or ``working_hours`` for those of the company, which `Settings` puts in."""
    if text.strip().lower() == WORKING_HOURS:
        return SendingWindow(company=WorkingTime(ZoneInfo("UTC"), Window(), frozenset()))
    window = _window(text, "is not a sending window.", f', or "{WORKING_HOURS}" for those of [company]')
    return SendingWindow(window.days, window.start, window.end)


def _window(text: str, what: str, also: str = "") -> Window:
    wrong = Wrong(what, f'Write "any", or days and times, for example "mon-fri 09:00-17:00"{also}.')
    if text.strip().lower() == "any":
        return Window()
    parts = _WINDOW.fullmatch(text.strip().lower())
    if parts is None or parts[1] not in _DAYS or (parts[2] or parts[1]) not in _DAYS:
        raise wrong
    first, last = _DAYS.index(parts[1]), _DAYS.index(parts[2] or parts[1])
    try:
        start, end = (datetime.strptime(parts[n], "%H:%M").time() for n in (3, 4))  # noqa: DTZ007 - a time of day
    except ValueError:
        raise wrong from None
    if start >= end:
        raise Wrong("closes before it opens.", "Write the earlier time first; a window cannot run over midnight.")
    return Window(frozenset((first + n) % 7 for n in range((last - first) % 7 + 1)), start, end)


def listen(text: str) -> Listen:
    """Read ``host:port``; an IPv6 host stands in brackets."""
    host, _, port = text.strip().rpartition(":")
    name = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not name or (":" in name and name == host) or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise Wrong("is not host:port.", 'Write for example "127.0.0.1:8080".')
    return Listen(name, int(port))


def sender(text: str) -> Sender:
    """Read ``Name <address>``, or an address alone. A name is what people call themselves, commas and colons included."""
    if named := _SENDER.fullmatch(text):
        name, address = _QUOTED.sub(lambda quoted: re.sub(r"\\(.)", r"\1", quoted[1]), named[1]), named[2]
    else:
        addresses = getaddresses([text])
        name, address = addresses[0] if len(addresses) == 1 else ("", "")
    if not _is_address(address) or any(mark in text for mark in "\r\n"):
        raise Wrong("is not a sender.", 'Write a name and an address, for example "Acme Care <care@acme.example>".')
    return Sender(name, address)


def address(text: str) -> str:
    """Read one e-mail address, in its one spelling."""
    if not _is_address(text.strip()):
        raise Wrong("is not an e-mail address.", 'Write for example "care@acme.example".')
    return normalized_address(text)


def _is_address(text: str) -> bool:
    """Tell whether it is an address to whose domain mail can go."""
    return _ADDRESS.fullmatch(text) is not None and text.isprintable() and in_ascii(text.rpartition("@")[2]) is not None


def domain(text: str) -> str:
    """Read a mail domain; neither case nor the way of writing letters outside ASCII matters."""
    name = in_ascii(text)
    if name is None or not _DOMAIN.fullmatch(name):
        raise Wrong("is not a domain.", 'Write what stands after the @, for example "acme.example".')
    return name


def host(text: str) -> str:
    """Read a host name or address; letters outside ASCII as the DNS has them."""
    name = in_ascii(text)
    if name is None or not _HOST.fullmatch(name):
        raise Wrong(
            "is not a host name.", 'Write the name alone, for example "smtp.acme.example"; the port has its own key.'
        )
    return text if text.isascii() else name


def network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """Read an IP address, or a network as ``10.0.0.0/8``."""
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        raise Wrong(
            "is neither an IP address nor a network.", 'Write for example "172.18.0.3" or "172.18.0.0/16"; no name.'
        ) from None


def full_host(text: str) -> str:
    """Read a host's full name, as it stands in the DNS, in ASCII."""
    name = in_ascii(text)
    if name is None or not is_full_name(name):
        raise Wrong(
            "is not the full name of a host.", 'Write it as it stands in the DNS, for example "mail.acme.example".'
        )
    return name


def is_full_name(name: str) -> bool:
    """Tell whether a host's name is a full one, and no number: what other mail servers want to be greeted with."""
    *_, last = name.split(".")
    return "." in name and not last.isdigit()


def event(text: str) -> str:
    """Read ``<kind>.<event>``."""
    if not _EVENT.fullmatch(text):
        raise Wrong(
            "is not <kind>.<event>.", 'Write a kind and an event that the mapping names, for example "case.closed".'
        )
    return text


_USUAL_PORTS: Final = {"http": 80, "https": 443}


def foreign_url(text: str) -> str:
    """Read an address that something secret is sent to; whether one without TLS may be is judged with ``[web] allow_hosts``."""
    parts = split_address(text)
    if parts is not None and parts.scheme == "http" and parts.hostname:
        return url(text.strip().replace("http", "https", 1)).replace("https", "http", 1)
    return url(text)


def is_unprotected(text: object, allowed: Collection[str]) -> bool:
    """Tell whether an address is one without TLS, of a host that is neither this machine nor allowed."""
    parts = split_address(text) if isinstance(text, str) else None
    host = (parts.hostname or "") if parts is not None and parts.scheme == "http" else ""
    return bool(host) and not is_loopback(host) and host.lower() not in {name.lower() for name in allowed}


def public_url(text: str) -> str:
    """Read the address that customers open; links are made by adding to it, so it ends with its path."""
    parts = split_address(text)
    if parts is not None and (parts.query or parts.fragment):
        raise Wrong("ends with ? or #.", 'Write the address alone, for example "https://feedback.acme.example".')
    address = url(text)
    path = urlsplit(address).path
    if path and (not _PATH.fullmatch(path) or {".", ".."} & {*unquote(path).split("/")}):
        # It stands in links, cookies and redirects, where ; ends a cookie's path, and // leads to another host.
        raise Wrong(
            "has a path that links cannot be added to.",
            "Write a path of letters of ASCII, digits and - . _ ~, or one with % for other signs, such as /feedback.",
        )
    return _as_browsers_name_it(address)


def _as_browsers_name_it(address: str) -> str:
    """Return an address as browsers spell it when they say which page a form was sent from."""
    parts = urlsplit(address)
    name = parts.hostname or ""
    host = f"[{name}]" if ":" in name else in_ascii(name) or name
    port = "" if parts.port in (None, _USUAL_PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}{parts.path}"


def store_url(text: str) -> str:
    """Read the database's address; it may hold a password, so it is treated as a secret: no piece of it stands in an error."""
    scheme = next((scheme for scheme in _STORES if text.startswith(scheme)), None)
    if scheme is None or text == scheme:
        raise Wrong(
            "is not a database that is supported.",
            "Write sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE.",
        )
    if not scheme.startswith("sqlite"):
        _judge_server(text.removeprefix(scheme))
    return text


def _judge_server(address: str) -> None:
    """Refuse an address that is read otherwise than it is meant: a piece of the password would be taken for the host."""
    if not address.isprintable() or " " in address:
        raise Wrong(
            "holds a blank, or a sign that cannot be seen.", "Write it in one line; a blank in the password is %20."
        )
    if address.count("@") > 1:
        raise Wrong(
            "holds more than one @, so it cannot be told where the password ends.",
            "Write an @ within the password as %40.",
        )
    if _BARE_PERCENT.search(address):
        raise Wrong("holds a % that no two hexadecimal digits follow.", "Write a % within the password as %25.")
    host = re.split(r"[/?]", address.rpartition("@")[2].rpartition("]")[2], maxsplit=1)[0]
    _, _, port = host.partition(":")
    if port and not re.fullmatch(r"[0-9]{1,5}", port):
        raise Wrong(
            "has no @ between the password and the host, or a port that is no number.",
            "Write postgresql+psycopg://USER:PASSWORD@HOST:5432/DATABASE.",
        )
