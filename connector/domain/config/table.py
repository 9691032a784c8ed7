"""The base of every table of config.toml and of the mapping files."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, ClassVar, Self, get_origin

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails, InitErrorDetails

from connector.domain.config.secret_files import SecretFile
from connector.domain.config.spelling import near_or_all
from connector.domain.config.wrong import Loc, Missing, Wrong


class Table(BaseModel):
    """One table of a file. A field that is not written but filled in by us has an alias in round brackets."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    HOLDS: ClassVar[str] = "key"
    """What stands in it: ``key`` or ``table``."""

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the keys that can be written in it, and for each secret the key that names a file."""
        keys = (info.alias or name for name, info in cls.model_fields.items())
        return (*(key for key in keys if not key.startswith("(")), *(f"{key}_file" for key in cls.secrets()))

    @classmethod
    def secrets(cls) -> tuple[str, ...]:
        """Return the keys that hold secrets."""
        return _secrets_of(cls)

    @classmethod
    def rules(cls, written: Mapping[str, Any]) -> Iterable[Wrong]:
        """Return what is wrong with keys together, as they were written; it is reported beside whatever else is wrong."""
        del written
        return ()

    @model_validator(mode="wrap")
    @classmethod
    def _keep_rules(cls, written: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        errors: list[InitErrorDetails] = []
        broken: list[Wrong] = []
        if isinstance(written, Mapping):
            written, broken = cls._with_secret_files(written)
            broken += cls.rules(written)
        try:
            table = validate(written)
        except ValidationError as error:
            reported = {wrong.at for wrong in broken if isinstance(wrong, Missing)}
            details = (cls._worded(detail) for detail in error.errors(include_url=False))
            errors = [detail for detail in details if detail["type"] != "missing" or detail["loc"] not in reported]
        if errors or broken:
            errors += [wrong_detail(wrong) for wrong in broken]
            raise ValidationError.from_exception_data(cls.__name__, errors, hide_input=True)
        return table

    @classmethod
    def _with_secret_files(cls, written: Mapping[str, Any]) -> tuple[dict[str, Any], list[Wrong]]:
        """Return the table with the files of secrets in the secrets' places."""
        files = {key: f"{key}_file" for key in cls.secrets() if f"{key}_file" in written}
        twice = [key for key in files if key in written]
        result = {key: value for key, value in written.items() if key not in files.values()}
        result |= {key: SecretFile(written[file]) for key, file in files.items() if key not in twice}
        wrong = [Wrong(f"stands beside {key}.", "Keep one of the two.", at=(files[key],), shown=False) for key in twice]
        return result, wrong

    @classmethod
    def _worded(cls, detail: ErrorDetails) -> InitErrorDetails:
        """Return what pydantic found, in words that only this table has: which keys there are, what is to be written."""
        loc, kind = detail["loc"], detail["type"]
        if len(loc) == 1 and kind == "extra_forbidden":
            return wrong_detail(unknown_name(str(loc[0]), cls.names(), kind=cls.HOLDS, at=loc))
        if len(loc) == 1 and kind == "missing":
            expected = [info.description for name, info in cls.model_fields.items() if loc[0] in (name, info.alias)]
            if expected[0]:
                return wrong_detail(Wrong("is missing.", f"Add it: {expected[0]}.", at=loc))
        return again(detail)


def table_in(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a table as it was written, empty where there is none: that something else stands there is told by its model."""
    table = values.get(key)
    return table if isinstance(table, Mapping) else {}


@cache
def _secrets_of(table: type[Table]) -> tuple[str, ...]:
    """Asked of every line of a mapping, and the types of a table do not change."""
    return tuple(info.alias or name for name, info in table.model_fields.items() if is_secret(info.annotation))


def is_secret(annotation: Any) -> bool:
    """Tell whether values of a type are secrets. Lists that hold some are shown but for those."""
    return annotation is SecretStr or (get_origin(annotation) is not tuple and "SecretStr" in str(annotation))


def again(detail: ErrorDetails) -> InitErrorDetails:
    """Return what pydantic found, to be raised once more."""
    loc, context = detail["loc"], detail.get("ctx", {})
    return InitErrorDetails(type=detail["type"], loc=loc, input=detail["input"], ctx=context)


def unknown_name(name: str, known: Iterable[str], *, kind: str = "key", at: Loc = ()) -> Wrong:
    """Return what to say of a name that is none of those that there are."""
    remedy = f"Remove it or correct its name. {near_or_all(name, known)}"
    return Wrong(f"is not a {kind} of this file.", remedy, at=at, shown=False)


def wrong_detail(wrong: Wrong) -> InitErrorDetails:
    """Return it as pydantic has errors."""
    return InitErrorDetails(type="value_error", loc=wrong.at, input=None, ctx={"error": wrong})


def refuse(title: str, wrongs: Iterable[Wrong]) -> None:
    """Raise a `ValidationError` if anything is wrong with the value that is being validated, each thing at its place below it."""
    if errors := [wrong_detail(wrong) for wrong in wrongs]:
        raise ValidationError.from_exception_data(title, errors, hide_input=True)
