"""One call on its way through the pretend HubSpot: who asks, with which scopes, and what the log will say of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from adapters.sandbox.hubspot.body_shapes import shaped
from adapters.sandbox.hubspot.errors import HubSpotError, bad_json, missing_scopes, required
from adapters.sandbox.hubspot.portal.property_values import iso
from adapters.sandbox.hubspot.portal.schema import PortalObjectType
from adapters.sandbox.hubspot.records import PortalWriter
from adapters.sandbox.log import Kind
from adapters.sandbox.web import Request, Response, json_response

if TYPE_CHECKING:
    from adapters.sandbox.hubspot.app import HubSpot
    from adapters.sandbox.hubspot.oauth import Token


@dataclass
class HubSpotCallNote:
    """What the log keeps of a call; filled in while it is answered."""

    kind: Kind = "read"
    sobject: str | None = None
    rows: int = 0
    searches: bool = False


@dataclass
class HubSpotCall:
    """An authenticated call. `version` is `v3`, `v4` or a date as in `2026-03`."""

    portal: "HubSpot"
    request: Request
    token: "Token"
    version: str
    note: HubSpotCallNote = field(default_factory=HubSpotCallNote)

    @property
    def writer(self) -> PortalWriter:
        """The caller as a writer, with the present as stamp."""
        return PortalWriter(self.token.user_id, self.portal.now(), "INTEGRATION", called=True)

    @property
    def dated(self) -> bool:
        """Whether the call goes to a version that is a date."""
        return not self.version.startswith("v")

    @property
    def query(self) -> Mapping[str, str]:
        """The parameters; of a repeated one the last."""
        return self.request.query

    def flag(self, name: str) -> bool:
        """A parameter that is true or false."""
        return self.query.get(name, "").lower() == "true"

    def listed(self, name: str) -> list[str]:
        """A parameter that lists values, by commas or by being repeated."""
        sent = parse_qs(self.request.target.partition("?")[2]).get(name, [])
        return [part.strip() for text in sent for part in text.split(",") if part.strip()]

    def number(self, name: str, otherwise: int, *, most: int) -> int:
        """A parameter that is a whole number from 1 to `most`; raises HubSpotError."""
        text = self.query.get(name) or str(otherwise)
        if not (text.isascii() and text.isdecimal()) or not 1 <= int(text) <= most:
            raise HubSpotError(f"{name} must be a whole number from 1 to {most}, was {text}")
        return int(text)

    def after(self) -> int:
        """Where the page begins, 0 without the parameter; raises HubSpotError."""
        text = self.query.get("after") or "0"
        if not (text.isascii() and text.isdecimal()):
            raise HubSpotError(f"after is not a valid paging cursor: {text}")
        return int(text)

    def object(self, name: str, *, write: bool = False) -> PortalObjectType:
        """The object in the address, if the token's scopes allow it; raises HubSpotError."""
        object_type = self.portal.object(name)
        self.note.sobject = object_type.name
        verb = "write" if write else "read"
        self.scoped(
            *(scope if scope in {"tickets", "sales-email-read"} else f"{scope}.{verb}" for scope in object_type.scopes)
        )
        return object_type

    def scoped(self, *scopes: str) -> None:
        """Raises HubSpotError unless the token has one of the scopes."""
        if not self.token.may(scopes):
            raise missing_scopes(scopes)

    def json(self) -> Any:
        """The body as JSON; raises HubSpotError: 415 when it is not declared as JSON, 400 when it is none."""
        if self.request.content_type != "application/json":
            raise HubSpotError("Unsupported Media Type", status=415, category=None)
        try:
            return json.loads(self.request.body)
        except json.JSONDecodeError as error:
            raise bad_json(error.msg, line=error.lineno, column=error.colno) from None
        except UnicodeDecodeError:
            raise bad_json("Invalid UTF-8") from None

    def body(self, shape: Any, *needed: str) -> dict[str, Any]:
        """The body as a JSON object of a shape, with some fields at least; raises HubSpotError."""
        body: dict[str, Any] = shaped(self.json(), shape)
        missing = [name for name in needed if name not in body]
        if missing:
            raise required(missing)
        return body

    def wrote(self, rows: int = 1) -> None:
        """Notes that the call writes."""
        self.note.kind, self.note.rows = "write", rows

    def read(self, rows: int) -> None:
        """Notes what the call reads."""
        self.note.kind, self.note.rows = "read", rows

    def next_page(self, after: str) -> dict[str, Any]:
        """The `paging` of an answer that goes on."""
        kept = [part for part in self.request.target.partition("?")[2].split("&") if part and part[:6] != "after="]
        base = f"https://{self.request.headers.get('host', 'localhost')}{self.request.path}"
        return {"next": {"after": after, "link": f"{base}?{'&'.join([*kept, f'after={after}'])}"}}

    def batch(self, results: list[Any], errors: list[dict[str, Any]], *, status: int = 200) -> Response:
        """The answer to a batch: 207 with rows of errors when some failed; its status says COMPLETE even then."""
        now = iso(self.portal.now())
        answer: dict[str, Any] = {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
        if errors:
            answer |= {"numErrors": len(errors), "errors": errors}
        return json_response(answer, 207 if errors else status)


def properties_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The `properties` of a written record; raises HubSpotError."""
    if "properties" not in body:
        raise required(["properties"])
    properties: dict[str, Any] = body["properties"]
    return properties
