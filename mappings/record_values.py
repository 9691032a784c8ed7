"""Taking one value out of a record's fields, with errors that name the field."""

from collections.abc import Callable, Mapping
from typing import Any

from connector.errors import MappingError
from mappings.converters import Read

Fields = Mapping[str, Any]
Types = Mapping[str, str]
"""The type of each field that is there, by path; what is not in it is left out."""
Get = Callable[[Fields], Any]


def named(error: MappingError, path: str) -> MappingError:
    """Return the error with the field that it is about."""
    remedy = "Correct the value in the CRM, or map the field with another `as`."
    return MappingError(f"{path}: {error.what}", field=path, value=error.value, remedy=remedy)


def _not_given(path: str) -> MappingError:
    return MappingError(
        f"{path} was asked for and not given.",
        field=path,
        value=None,
        remedy="Give the integration user the right to see this field.",
    )


def value(path: str, read: Read) -> Get:
    """Return a function that reads one field. It raises `MappingError` for a bad value, and where the field was not given."""

    def get(fields: Fields) -> Any:
        try:
            return read(fields[path])
        except KeyError:
            raise _not_given(path) from None
        except MappingError as error:
            raise named(error, path) from None

    return get
