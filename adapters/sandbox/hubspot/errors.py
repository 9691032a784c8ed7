"""The errors of the wire, in the shapes and words the vendor uses."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SCOPES_PAGE = "https://developers.hubspot.com/scopes"
Context = Mapping[str, Sequence[str]]


class HubSpotError(Exception):
    """Anything that is refused: the whole call (`body`), or one row of a batch (`row`).

    `category` is the vendor's; some answers carry none.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        category: str | None = "VALIDATION_ERROR",
        context: Context | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
        sub_category: str | None = None,
        links: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.category = category
        self.context = dict(context or {})
        self.errors = list(errors)
        self.sub_category = sub_category
        self.links = dict(links or {})

    @property
    def code(self) -> str:
        """The category, in one word."""
        return self.category or "ERROR"

    def body(self) -> dict[str, Any]:
        """The answer to a whole call."""
        answer: dict[str, Any] = {"status": "error", "message": self.message, "correlationId": str(uuid.uuid4())}
        extras = {
            "context": self.context,
            "errors": self.errors,
            "links": self.links,
            "category": self.category,
            "subCategory": self.sub_category,
        }
        return answer | {name: value for name, value in extras.items() if value}

    def row(self, more: Context | None = None) -> dict[str, Any]:
        """The error as one entry of a batch's `errors`."""
        row: dict[str, Any] = {"status": "error", "category": self.code}
        if self.sub_category:
            row["subCategory"] = self.sub_category
        return row | {"message": self.message, "context": {**self.context, **(more or {})}}


@dataclass(frozen=True)
class Invalid:
    """One property value that is refused."""

    name: str
    code: str
    message: str


def invalid_values(invalid: Sequence[Invalid], portal_id: int) -> HubSpotError:
    """The answer when values of a record do not fit their properties."""
    listed = [
        {
            "isValid": False,
            "message": value.message,
            "error": value.code,
            "name": value.name,
            "localizedErrorMessage": value.message,
            "portalId": portal_id,
        }
        for value in invalid
    ]
    errors = [
        {"message": value.message, "code": value.code, "context": {"propertyName": [value.name]}} for value in invalid
    ]
    words = json.dumps(listed, ensure_ascii=False, separators=(",", ":"))
    return HubSpotError(f"Property values were not valid: {words}", errors=errors)


def not_found(words: str = "resource not found", *, sub_category: str | None = None) -> HubSpotError:
    """The answer for a record or definition that is not there."""
    return HubSpotError(words, status=404, category="OBJECT_NOT_FOUND", sub_category=sub_category)


def could_not_get(kind: str, ids: Sequence[str]) -> HubSpotError:
    """The row of a batch that tells which records are not there."""
    words = f"Could not get some {kind} objects, they may be deleted or not exist. Check that ids are valid."
    return HubSpotError(words, status=404, category="OBJECT_NOT_FOUND", context={"ids": list(ids)})


def unauthenticated() -> HubSpotError:
    """The answer without a token, or with one that nobody knows."""
    words = (
        "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details "
        "at https://developers.hubspot.com/docs/methods/auth/oauth-overview"
    )
    return HubSpotError(words, status=401, category="INVALID_AUTHENTICATION")


def expired(seconds: int) -> HubSpotError:
    """The answer to an access token past its time."""
    words = f"The OAuth token used to make this call expired {seconds} second(s) ago."
    return HubSpotError(words, status=401, category="EXPIRED_AUTHENTICATION")


def missing_scopes(scopes: Sequence[str]) -> HubSpotError:
    """The answer to a token that lacks the scopes of a call."""
    words = (
        "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: "
        f"{SCOPES_PAGE}."
    )
    detail = {
        "message": "One or more of the following scopes are required.",
        "context": {"requiredGranularScopes": list(scopes)},
    }
    return HubSpotError(words, status=403, category="MISSING_SCOPES", errors=[detail], links={"scopes": SCOPES_PAGE})


def bad_request(words: str = "There was a problem with the request.") -> HubSpotError:
    """A refusal in the vendor's most general words."""
    return HubSpotError(words)


def bad_json(words: str, *, line: int = 1, column: int = 1) -> HubSpotError:
    """The answer to a body that is no JSON, or not of the expected shape."""
    return HubSpotError(f"Invalid input JSON on line {line}, column {column}: {words}")


def required(names: Sequence[str], *, line: int = 1, column: int = 2) -> HubSpotError:
    """The answer to a body in which fields are missing."""
    words = f"Some required fields were not set: [{', '.join(names)}]"
    return HubSpotError(f"Invalid input JSON on line {line}, column {column}: {words}")


def too_many_inputs(most: int) -> HubSpotError:
    """The answer to a batch that is too long."""
    return HubSpotError(
        f"The maximum number of inputs supported in a batch is {most}. Please reduce the number of items and try again"
    )


def repeated_ids(ids: Sequence[str]) -> HubSpotError:
    """The answer to a batch that names a record twice."""
    words = f"Duplicate IDs found in batch input: [{', '.join(ids)}]. IDs must be unique"
    return HubSpotError(words, context={"ids": list(ids)})
