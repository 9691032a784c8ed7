"""What pydantic finds wrong with a file, as problems that an admin understands: where, what, and what to do."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from connector.domain.config.spelling import did_you_mean
from connector.domain.config.wrong import Loc, Missing, Wrong
from connector.domain.text_cutting import cut
from connector.errors import Problem

_LONGEST_SHOWN: Final = 80
_DECIMAL_COMMA: Final = re.compile(r"\s*[-+]?\d+,\d+\s*")
_WRONG_TYPES: Final[Mapping[str, tuple[str, str]]] = {
    "string_type": ("a text", "Write a text in quotes."),
    "bool_type": ("true or false", "Write true or false, without quotes."),
    "int_type": ("a whole number", "Write a whole number without quotes."),
    "float_type": ("a number", "Write a number without quotes."),
    "finite_number": ("a number", "Write a number."),
    "tuple_type": ("a list", 'Write a list, for example ["one", "two"].'),
    "dict_type": ("a table", "Write keys and values."),
    "model_type": ("a table", "Write it as a table, with its keys below."),
}
_OTHERS: Final[Mapping[str, Wrong]] = {
    "string_too_short": Wrong("is empty.", "Write the value, or remove the key."),
    "too_short": Wrong("is empty.", "Write the value, or remove the key."),
    "string_pattern_mismatch": Wrong(
        "is not a name that is allowed.", "Use small letters, digits and hyphens, beginning with a letter."
    ),
}


class FileProblems:
    """Says what is wrong with one file, given the values as they were written."""

    def __init__(self, file: str, values: Mapping[str, Any]) -> None:
        self.file = file
        self.values = values

    def of(self, error: ValidationError) -> list[Problem]:
        """Return everything that an error tells, each thing once."""
        problems: dict[tuple[str, str], Problem] = {}
        for detail in error.errors(include_url=False, include_input=False):
            problem = self._problem(detail)
            problems.setdefault((problem.where, problem.what), problem)
        return list(problems.values())

    def where(self, loc: Loc) -> str:
        """Return where a value stands, so that an admin finds it."""
        key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
        return f"{self.file}: {key.removeprefix('.')}"

    def addition(self, loc: Loc) -> str:
        """Return how a key is added that is missing."""
        return f"Add {loc[-1]}."

    def may_be_shown(self, loc: Loc, value: object) -> bool:
        """Tell whether a value at a place is for everybody to see."""
        del loc, value
        return True

    def _shown(self, loc: Loc) -> str:
        """Return the value at a place and a blank; nothing where it cannot or may not be shown."""
        value = _value_at(self.values, loc)
        if not isinstance(value, str | int | float) or not self.may_be_shown(loc, value):
            return ""
        if not isinstance(value, str):
            return f"{json.dumps(value)} "
        return f'"{cut(value, _LONGEST_SHOWN)}" ' if value.isprintable() else ""

    def _problem(self, detail: ErrorDetails) -> Problem:
        loc = self._place(detail["loc"])
        if detail["type"] == "missing":
            return Problem(self.where(loc), "is missing.", self.addition(loc))
        wrong = self._wrong(detail, loc)
        if isinstance(wrong, Missing):
            remedy = " ".join(filter(None, (wrong.remedy, self.addition(loc), wrong.also)))
            return Problem(self.where(loc), wrong.what, remedy)
        shown = self._shown(loc) if wrong.shown and detail["loc"][-1:] != ("[key]",) else ""
        return Problem(self.where(loc), f"{shown}{wrong.what}", wrong.remedy)

    def _place(self, loc: Loc) -> Loc:
        """Return the place as the file has it, where a value may stand for a list of one, and a name for a table."""
        value: Any = self.values
        place: list[str | int] = []
        for part in loc:
            if isinstance(value, Mapping) and isinstance(part, str) and (part in value or part[0] not in "(["):
                by_file = f"{part}_file"  # as a secret may be written too
                place.append(by_file if part not in value and by_file in value else part)
                value = value.get(part, {})
            elif isinstance(value, list) and isinstance(part, int):
                place.append(part)
                value = value[part]
        return tuple(place)

    def _wrong(self, detail: ErrorDetails, loc: Loc) -> Wrong:
        kind, context = detail["type"], detail.get("ctx", {})
        value = _value_at(self.values, loc)
        if isinstance(error := context.get("error"), Wrong):
            return error
        if kind in {"enum", "literal_error"}:
            options = tuple(re.findall(r"'([^']*)'", str(context["expected"])))
            hint = did_you_mean(str(value), options)
            return Wrong("is not one of the choices.", f"Write one of: {', '.join(options)}.{hint}")
        if kind in _WRONG_TYPES:
            if isinstance(value, str) and _DECIMAL_COMMA.fullmatch(value):
                remedy = f"Write a point: {value.strip().replace(',', '.')}, without quotes in a file."
                return Wrong("holds a decimal comma.", remedy)
            words, remedy = _WRONG_TYPES[kind]
            return Wrong(f"is not {words}.", remedy)
        if "ge" in context:
            return Wrong("is out of range.", f"Write a number of at least {context['ge']:g}.")
        return _OTHERS.get(kind, Wrong("is not valid.", "Correct it."))


def _value_at(values: Any, loc: Loc) -> object:
    for part in loc:
        if isinstance(values, Mapping):
            values = values.get(part)
        elif isinstance(values, list) and isinstance(part, int):
            values = values[part]
        else:
            return None
    return values
