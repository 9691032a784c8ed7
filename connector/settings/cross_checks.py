"""What no table of config.toml can know alone. It is said of the values as they were written, beside whatever else is wrong."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from connector.domain.config.table import table_in
from connector.domain.config.wrong import Missing, Wrong
from connector.ports import AnyAdapterPackage
from connector.settings.choices import Mode
from connector.settings.value_readers import is_unprotected

Values = Mapping[str, Any]
_NOT_HTTPS: Final = (
    "is not https.",
    "Write https://; http is accepted only for an address of this machine, or of a host that [web] allow_hosts names.",
)


def broken_rules(written: Values, adapters: Mapping[str, AnyAdapterPackage]) -> Iterator[Wrong]:
    """Yield what is wrong between tables."""
    connections = table_in(written, "crm")
    if "crm" not in written or written["crm"] == {}:
        remedy = "Add a table [crm.NAME] with an adapter and its credentials."
        yield Wrong("names no CRM.", remedy, at=("crm",))
    live = [name for name in connections if table_in(connections, name).get("mode") == Mode.LIVE]
    if live:
        yield from _needs_of_live(written, f"[crm.{live[0]}] is live.")
    else:
        yield from _needs_of_tokens(written, adapters)
    yield from _unprotected(written)
    for section in ("deputies", "away"):
        yield from _people_twice(section, table_in(written, section))
    yield from _circles(table_in(written, "deputies"))


def _needs_of_live(written: Values, because: str) -> Iterator[Wrong]:
    for section, keys in (("web", ("public_url", "secret")), ("email", ("host", "from"))):
        if isinstance(written.get(section, {}), dict):
            table = table_in(written, section)
            yield from (Missing(key, because, below=(section,)) for key in keys if not _is_given(table, key))
    if not written.get("surveys"):
        remedy = f'{because} Add a table [surveys.NAME] with on = "case.closed", or set it back to mode = "observe".'
        yield Wrong("has no survey.", remedy, at=("surveys",))


def _is_given(table: Values, key: str) -> bool:
    return key in table or f"{key}_file" in table


def _needs_of_tokens(written: Values, adapters: Mapping[str, AnyAdapterPackage]) -> Iterator[Wrong]:
    if not isinstance(written.get("web", {}), dict) or _is_given(table_in(written, "web"), "secret"):
        return
    connections = table_in(written, "crm")
    for name in connections:
        table = table_in(connections, name)
        adapter = table.get("adapter")
        if isinstance(adapter, str) and adapter in adapters and adapters[adapter].config.exchanges_token(table):
            yield Missing("secret", f"It encrypts the tokens of [crm.{name}], which change.", below=("web",))


def _unprotected(written: Values) -> Iterator[Wrong]:
    """Yield addresses that something secret is sent to without TLS."""
    hosts = table_in(written, "web").get("allow_hosts")
    allowed = [host for host in hosts if isinstance(host, str)] if isinstance(hosts, list) else []
    oauth = table_in(table_in(written, "email"), "oauth")
    if is_unprotected(oauth.get("token_url"), allowed):
        yield Wrong(*_NOT_HTTPS, at=("email", "oauth", "token_url"), shown=False)
    rules = table_in(written, "follow_up")
    for name in rules:
        targets = table_in(rules, name).get("notify")
        if isinstance(targets, list) and any(is_unprotected(target, allowed) for target in targets):
            yield Wrong(*_NOT_HTTPS, at=("follow_up", name, "notify"), shown=False)


def _people_twice(section: str, table: Values) -> Iterator[Wrong]:
    """Yield people who stand in a table twice: capitals make no difference in addresses."""
    seen: set[str] = set()
    for key in table:
        if _spelling(key) in seen:
            yield Wrong("stands there twice.", "Keep one of the two.", at=(section, key), shown=False)
        seen.add(_spelling(key))


def _circles(table: Values) -> Iterator[Wrong]:
    """Yield those who stand in for themselves, or do so by way of others: there would be nobody left."""
    deputies = {_spelling(key): _spelling(deputy) for key, deputy in table.items() if isinstance(deputy, str)}
    written = {_spelling(key): key for key in table}
    seen: set[str] = set()
    for person in deputies:
        way = _way_back(deputies, person)
        if not way or person in seen:
            continue
        seen |= set(way)
        what = "is their own deputy." if len(way) == 1 else f"stands in a circle: {' → '.join([*way, way[0]])}."
        yield Wrong(what, "Name somebody else, or remove the line.", at=("deputies", written[way[0]]), shown=False)


def _spelling(address: str) -> str:
    return address.strip().lower()


def _way_back(deputies: Mapping[str, str], person: str) -> tuple[str, ...]:
    """Return the people from a person over their deputies to themselves; none when the way does not lead back."""
    way = [person]
    while (deputy := deputies.get(way[-1])) is not None and deputy not in way:
        way.append(deputy)
    return tuple(way) if deputy == person else ()
