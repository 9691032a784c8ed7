"""Associations: which records belong to which. HubSpot keeps them apart from properties, and a search does not show them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import islice
from typing import Any, Final, TypeVar

from adapters.hubspot.errors import context_of, words
from adapters.hubspot.http.client import HubSpotAnswer, HubSpotClient, next_of
from adapters.hubspot.http.version import associations
from connector.errors import Unavailable

IDS_IN_A_READ: Final = 1000
_LINKS_IN_A_WRITE: Final = 1000
_NONE: Final = "NO_ASSOCIATIONS_FOUND"
_HUBSPOTS: Final = "HUBSPOT_DEFINED"
"""Types of HubSpot's own; an account's labels have numbers of their own, which may be the same."""
_PRIMARY: Final = frozenset({1, 5, 26})
"""HubSpot's types by which a contact, a deal and a ticket name their first company."""
_T = TypeVar("_T")
Pair = tuple[str, str]
"""The ids of two records that are associated, or are to be."""


class Links:
    """Reads and makes associations."""

    def __init__(self, client: HubSpotClient) -> None:
        self._client = client

    def read(self, start: str, ids: Iterable[str], end: str) -> dict[str, tuple[str, ...]]:
        """Return for each id the ids of what it belongs to, the primary one first. An id that could not be read is absent."""
        links: dict[str, list[tuple[bool, str]]] = {}
        failed: set[str] = set()
        for chunk in chunks(dict.fromkeys(ids), IDS_IN_A_READ):
            links |= {record_id: [] for record_id in chunk}
            inputs, seen = [{"id": record_id} for record_id in chunk], set[tuple[str, str]]()
            while inputs:
                answer = self._ask(start, end, inputs)
                failed |= _untold(answer, {request["id"] for request in inputs})
                inputs = _take(answer, links)
                places = {(request["id"], request["after"]) for request in inputs}
                if places & seen:
                    where = self._client.where(f"{end} of {start}")
                    raise Unavailable("the listing goes round: it leads to a page again.", where=where)
                seen |= places
        return {record_id: _ordered(ends) for record_id, ends in links.items() if record_id not in failed}

    def make(self, start: str, end: str, pairs: Sequence[Pair]) -> dict[Pair, str]:
        """Associate records in the plain way, without making anything primary. Made twice is made once.

        Returns the pairs that were refused, with HubSpot's words: a call that succeeds may hold refusals.
        """
        path = associations(start, end, "batch", "associate", "default")
        refused: dict[Pair, str] = {}
        for chunk in chunks(pairs, _LINKS_IN_A_WRITE):
            body = {"inputs": [{"from": {"id": start_id}, "to": {"id": other}} for start_id, other in chunk]}
            refused |= _refused(self._client.change("POST", path, body, call=f"associate {start} with {end}"), chunk)
        return refused

    def _ask(self, start: str, end: str, inputs: Sequence[Mapping[str, str]]) -> HubSpotAnswer:
        path = associations(start, end, "batch", "read")
        return self._client.ask_list(path, {"inputs": list(inputs)}, call=f"{end} of {start}")


def _untold(answer: HubSpotAnswer, asked: Set[str]) -> set[str]:
    """Return the ids of which an answer does not tell what they belong to."""
    rows = answer.errors
    # "There are none" comes as an error; anything else is no evidence of it.
    none = {record_id for row in rows if _NONE in str(row.get("subCategory")) for record_id in _starts(row)}
    others = [_starts(row) for row in rows if _NONE not in str(row.get("subCategory"))]
    if all(others):
        return {record_id for ids in others for record_id in ids}
    return set(asked) - none - {str(row["from"]["id"]) for row in answer.rows}


def _starts(row: Mapping[str, Any]) -> list[str]:
    return context_of(row, "fromObjectId", "id", "ids")


def _take(answer: HubSpotAnswer, links: dict[str, list[tuple[bool, str]]]) -> list[dict[str, str]]:
    """Take in what an answer holds; return what is to be asked for records that have more."""
    more = []
    for row in answer.rows:
        record_id = str(row["from"]["id"])
        links.setdefault(record_id, []).extend(_ends(row))
        if after := next_of(row):
            more.append({"id": record_id, "after": after})
    return more


def _ends(row: Mapping[str, Any]) -> Iterator[tuple[bool, str]]:
    for end in row.get("to") or ():
        types = [kind for kind in end.get("associationTypes") or () if kind.get("category") == _HUBSPOTS]
        first = any(kind.get("typeId") in _PRIMARY or kind.get("label") == "Primary" for kind in types)
        yield first, str(end["toObjectId"])


def _refused(answer: HubSpotAnswer, pairs: Sequence[Pair]) -> dict[Pair, str]:
    """Return the pairs that an answer with refusals does not name as made."""
    rows = answer.errors
    if not rows:
        return {}
    made = {(str(row["from"]["id"]), str(row["to"]["id"])) for row in answer.rows}
    return {pair: _words_on(pair, rows) for pair in pairs if pair not in made}


def _words_on(pair: Pair, rows: Sequence[Mapping[str, Any]]) -> str:
    naming = (row for row in rows if set(context_of(row, "fromObjectId", "toObjectId", "id", "ids")) & set(pair))
    return words(next(naming, rows[0]))


def _ordered(ends: Sequence[tuple[bool, str]]) -> tuple[str, ...]:
    """Return each id once, primary ones first, the others by their ids, in whatever order they were told.

    One record may be named under several types.
    """
    return tuple(dict.fromkeys(end_id for _, end_id in sorted(ends, key=lambda end: (not end[0], len(end[1]), end[1]))))


def chunks(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """Yield the items in lists of at most `size`."""
    left = iter(items)
    while chunk := list(islice(left, size)):
        yield chunk
