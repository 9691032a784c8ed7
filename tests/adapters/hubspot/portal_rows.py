"""A few records behind a search that behaves as HubSpot's: sorted, filtered, cut into pages, and sometimes behind the times."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from written_hubspot import Reply, Request, Wire

MOST = 10_000


def at(milliseconds: int) -> str:
    moment = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def millis(stamp: str) -> int:
    return round(datetime.fromisoformat(stamp).timestamp() * 1000)


@dataclass
class Rows:
    """Records of one object by id, and what the search knows of their stamps."""

    wire: Wire
    name: str = "companies"
    stamp: str = "hs_lastmodifieddate"
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    indexed: dict[str, str] = field(default_factory=dict)
    searches: list[dict[str, Any]] = field(default_factory=list)
    lists: list[dict[str, str]] = field(default_factory=list)
    archived: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.wire.properties(self.name, "name", "industry", numberofemployees="number")
        self.wire.handle("POST", f"/crm/objects/2026-03/{self.name}/search", self.search)
        self.wire.handle("GET", f"/crm/objects/2026-03/{self.name}", self.listed)

    def listed(self, request: Request) -> Reply:
        """Answer as a list: by id, each page leading to the next by a word that means nothing else."""
        if request.query.get("archived") == "true":
            return Reply({"results": self.archived})
        self.lists.append(request.query)
        in_order = sorted(self.rows, key=int)
        start = int(request.query.get("after", "p0").removeprefix("p"))
        end = start + int(request.query["limit"])
        page: dict[str, Any] = {
            "results": [self.row(one, request.query["properties"].split(",")) for one in in_order[start:end]]
        }
        if end < len(in_order):
            page["paging"] = {"next": {"after": f"p{end}", "link": "https://api.hubapi.com/"}}
        return Reply(page)

    def put(self, record_id: int | str, milliseconds: int, *, indexed: bool = True, **values: Any) -> None:
        """Make or change a record; the index may not have noticed yet."""
        stamp = at(milliseconds)
        self.rows[str(record_id)] = {"name": f"Company {record_id}", **values, self.stamp: stamp}
        if indexed:
            self.indexed[str(record_id)] = stamp

    def search(self, request: Request) -> Reply:
        body = request.body
        self.searches.append(body)
        assert len(str(request.body)) < 3_400
        groups = [group["filters"] for group in body["filterGroups"]]
        assert all(filters for filters in groups)
        found = [one for one in self.indexed if not groups or any(self._fits(one, filters) for filters in groups)]
        if body["sorts"][0]["propertyName"] == "hs_object_id":
            found.sort(key=int)
        else:  # within one stamp the order is nobody's promise
            found.sort(key=lambda one: (self.indexed[one], one[::-1]))
        start = int(body.get("after", 0))
        assert start + body["limit"] <= MOST
        some = found[start : start + body["limit"]]
        page: dict[str, Any] = {"total": len(found), "results": [self.row(one, body["properties"]) for one in some]}
        if start + len(some) < len(found):
            page["paging"] = {"next": {"after": str(start + len(some))}}
        return Reply(page)

    def row(self, record_id: str, names: list[str]) -> dict[str, Any]:
        held = self.rows[record_id] | {"hs_object_id": record_id}
        properties = {name: held.get(name) for name in {*names, self.stamp, "hs_object_id"}}
        return {"id": record_id, "properties": properties, "updatedAt": held[self.stamp], "archived": False}

    def _fits(self, record_id: str, filters: list[dict[str, Any]]) -> bool:
        return all(self._meets(record_id, one) for one in filters)

    def _meets(self, record_id: str, one: dict[str, Any]) -> bool:
        name, how = one["propertyName"], one["operator"]
        if name == "hs_object_id":
            return how == "GT" and int(record_id) > int(one["value"])
        if name == self.stamp:
            held = millis(self.indexed[record_id])
            match how:
                case "GTE":
                    return held >= int(one["value"])
                case "EQ":
                    return held == int(one["value"])
                case "BETWEEN":
                    return int(one["value"]) <= held <= int(one["highValue"])
        value = str(self.rows[record_id].get(name) or "")
        return {"EQ": value.lower() == str(one.get("value", "")).lower(), "HAS_PROPERTY": bool(value)}[how]
