"""One call on its way through the pretend Salesforce: who asks, with which rights, and what the log will say of it."""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from adapters.sandbox.log import Kind
from adapters.sandbox.salesforce.errors import RequestError, SalesforceError
from adapters.sandbox.salesforce.org.permissions import UserAccess
from adapters.sandbox.salesforce.rows import OrgWriter
from adapters.sandbox.web import Request, Response, json_response

if TYPE_CHECKING:
    from adapters.sandbox.salesforce.app import Salesforce
    from adapters.sandbox.salesforce.oauth import OrgSession


@dataclass
class SalesforceCallNote:
    """What the log keeps of a call; filled in while it is answered."""

    kind: Kind = "read"
    sobject: str | None = None
    rows: int = 0


@dataclass
class SalesforceCall:
    """An authenticated call to the data API."""

    org: "Salesforce"
    request: Request
    session: "OrgSession"
    access: UserAccess
    version: str
    note: SalesforceCallNote = field(default_factory=SalesforceCallNote)

    @property
    def writer(self) -> OrgWriter:
        """The caller as a writer, with the present as stamp."""
        rule = self.request.headers.get("sforce-duplicate-rule-header", "").lower().replace(" ", "")
        return OrgWriter(self.session.user_id, self.org.now(), self.access, allows_duplicates="allowsave=true" in rule)

    def json(self) -> Any:
        """The body as JSON.

        Raises RequestError: 415 when it is not declared as JSON, JSON_PARSER_ERROR when it is none.
        """
        if self.request.content_type != "application/json":
            words = f"Content-Type header specified in HTTP request is not supported: {self.request.content_type}"
            raise RequestError("UNSUPPORTED_MEDIA_TYPE", words, status=415)
        try:
            return json.loads(self.request.body, parse_constant=_refuse_constant)
        except ValueError as error:
            raise RequestError("JSON_PARSER_ERROR", f"Unexpected character at [line:1, column:1]: {error}") from None

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object."""
        body = self.json()
        if not isinstance(body, dict):
            raise RequestError("JSON_PARSER_ERROR", "The HTTP entity body is required to be a JSON object")
        return body

    def wrote(self, sobject: str | None, rows: int = 1) -> None:
        """Notes that the call writes."""
        self.note.kind, self.note.sobject, self.note.rows = "write", sobject, rows

    def read(self, sobject: str | None, rows: int) -> None:
        """Notes what the call reads."""
        self.note.kind, self.note.sobject, self.note.rows = "read", sobject, rows


def refusal(error: SalesforceError) -> Response:
    """An error as the answer to a whole call."""
    return json_response(error.body(), error.status)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")
