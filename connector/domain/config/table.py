"""The base of every table of config.toml and of the mapping files."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import ErrorDetails, InitErrorDetails

from connector.domain.config.spelling import near_or_all

Loc = tuple[str | int, ...]
"""The place of a value: names of tables and keys, and positions in lists."""


class Wrong(ValueError):
    """A value that cannot be meant. Its words stand behind the value, unless that is not to be `shown`, and hold no secret.

    `at`: the place below the table whose `rules` it breaks.
    """

    def __init__(self, what: str, remedy: str, *, at: Loc = (), shown: bool = True) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy
        self.at = at
        self.shown = shown


class Missing(Wrong):
    """A key that others need; how it is added is said behind the `because`."""

    def __init__(self, key: str, because: str) -> None:
        super().__init__("is missing.", because, at=(key,), shown=False)


class Table(BaseModel):
    """One table of a file. A field that is not written but filled in by us has an alias in round brackets."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    HOLDS: ClassVar[str] = "key"
    """What stands in it: ``key`` or ``table``."""

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the keys that can be written in it."""
        keys = (info.alias or name for name, info in cls.model_fields.items())
        return tuple(key for key in keys if not key.startswith("("))

    @classmethod
    def rules(cls, written: Mapping[str, Any]) -> Iterable[Wrong]:
        """Return what is wrong with keys together, as they were written: it is told beside whatever else is wrong."""
        del written
        return ()

    @model_validator(mode="wrap")
    @classmethod
    def _keep_rules(cls, written: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        errors: list[InitErrorDetails] = []
        try:
            table = validate(written)
        except ValidationError as error:
            errors = [cls._worded(detail) for detail in error.errors(include_url=False)]
        if isinstance(written, Mapping):
            errors += [wrong_detail(wrong) for wrong in cls.rules(written)]
        if errors:
            raise ValidationError.from_exception_data(cls.__name__, errors, hide_input=True)
        return table

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
        return InitErrorDetails(type=kind, loc=loc, input=detail["input"], ctx=detail.get("ctx", {}))


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
