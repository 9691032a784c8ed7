"""The errors of the wire, in the shapes and words the vendor uses.

SalesforceError
├─ RequestError   the whole call fails: HTTP status and a list of {message, errorCode}
└─ RowError       one record fails: HTTP 400 when it came alone, one entry of `errors` in a collection
"""

from collections.abc import Sequence

_ROW_STATUS = {"NOT_FOUND": 404, "ENTITY_IS_DELETED": 404, "METHOD_NOT_ALLOWED": 405}


class SalesforceError(Exception):
    """Anything that is refused; `code` is the vendor's, `fields` are the field names it is about."""

    def __init__(self, code: str, message: str, fields: Sequence[str] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.fields = list(fields)

    @property
    def status(self) -> int:
        """The HTTP status when the error answers a whole call."""
        return _ROW_STATUS.get(self.code, 400)

    def body(self) -> list[dict[str, object]]:
        """The answer to a whole call."""
        entry: dict[str, object] = {"message": self.message, "errorCode": self.code}
        return [entry | {"fields": self.fields}] if self.fields or isinstance(self, RowError) else [entry]


class RequestError(SalesforceError):
    """The call as a whole is refused."""

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(code, message)
        self._status = status

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._status


class RowError(SalesforceError):
    """One record is refused."""

    def row(self) -> dict[str, object]:
        """The error as an entry of a collection's result."""
        return {"statusCode": self.code, "message": self.message, "fields": self.fields}


def not_found() -> RequestError:
    """The answer for an address behind which nothing is."""
    return RequestError("NOT_FOUND", "The requested resource does not exist", status=404)


def no_such_column(name: str, object_name: str) -> RequestError:
    """The answer for an unknown or hidden field in a written record."""
    return RequestError("INVALID_FIELD", f"No such column '{name}' on sobject of type {object_name}")


def not_writable(names: Sequence[str]) -> RowError:
    """The answer for a field that may be read but not written."""
    return RowError(
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        f"Unable to create/update fields: {', '.join(names)}. Please check the security settings of this field and "
        "verify that it is read/write for your profile or permission set.",
        names,
    )


def unparsable(kind: str, shape: str, value: object) -> RequestError:
    """The answer for a JSON value of the wrong type."""
    return RequestError(
        "JSON_PARSER_ERROR",
        f"Cannot deserialize instance of {kind} from {shape} value {value} or request may be missing a required field "
        "at [line:1, column:1]",
    )
