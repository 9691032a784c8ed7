"""Which of our fields are made where a CRM's edition has no room for all of them, and the messages about the others. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from connector.ports import FieldLimit, FieldSpec

_ROWS: Final[Sequence[tuple[int, Sequence[str]]]] = (
    (1, ["account.mood"]),
    (2, ["account.attention"]),
    (3, ["account.summary"]),
    (8, ["account.satisfaction"]),
    (11, ["account.low", "account.high"]),
    (9, ["account.people"]),
    (13, ["account.nps", "account.csat", "account.ces"]),
    (14, ["account.trend"]),
    (10, ["account.last_answer"]),
    (10, ["account.details"]),
    (11, ["contact.last_rating"]),
    (4, ["contact.last_asked"]),
    (5, ["contact.no_surveys"]),
    (6, ["task.key"]),
    (7, ["task.outcome"]),
    (15, ["task.cause"]),
)
"""The table of fields in docs/contract.md: 1 is made first; of equal numbers the upper row; what one row names goes together."""
ORDER: Final[Mapping[str, tuple[int, int]]] = {
    name: (number, row) for row, (number, names) in enumerate(_ROWS) for name in names
}
_LAST: Final = (len(_ROWS) * 100, 0)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Fields that a limit leaves no room for."""

    limit: FieldLimit
    fields: tuple[FieldSpec, ...]

    @property
    def what(self) -> str:
        """Say which limit it is, and what does not fit."""
        where, named = (
            ", ".join(self.limit.objects),
            ", ".join(f"{field.label} ({field.name})" for field in self.fields),
        )
        if not self.limit.most:
            return f"{where}: the CRM takes no more custom fields, so these do not fit: {named}."
        room = f"{self.limit.most} custom fields are the most, and {self.limit.used} are there"
        return f"{where}: {room}, so these do not fit: {named}."

    @property
    def remedy(self) -> str:
        """Say what to do, with the lines of the mapping."""
        lines = ", ".join(field.key or field.name for field in self.fields)
        return (
            "Delete custom fields that nobody uses, or take a larger edition, then run `afterword setup-crm` again; "
            f"or leave it so: everything else works without them. Their lines in the mapping: {lines}."
        )


def left_out(missing: Sequence[FieldSpec], limits: Sequence[FieldLimit]) -> list[LeftOut]:
    """Return which of the missing fields the limits leave no room for; the others fit together."""
    room = [max(0, limit.most - limit.used) for limit in limits]
    lost: dict[int, list[FieldSpec]] = {}
    for _, group in groupby(sorted(missing, key=_place), key=_place):
        fields = list(group)
        needs = [sum(spec.object in limit.objects for spec in fields) for limit in limits]
        short = [number for number, needed in enumerate(needs) if needed > room[number]]
        if short:
            lost.setdefault(short[0], []).extend(fields)
        else:
            room = [left - needed for left, needed in zip(room, needs, strict=True)]
    return [LeftOut(limits[number], tuple(fields)) for number, fields in sorted(lost.items())]


def in_order(fields: Sequence[FieldSpec]) -> list[FieldSpec]:
    """Return the fields of each object in the order in which they are made: a CRM without known limits refuses the last."""
    objects = list(dict.fromkeys(field.object for field in fields))
    return sorted(fields, key=lambda field: (objects.index(field.object), _place(field)))


def full(objects: Collection[str]) -> list[FieldLimit]:
    """Return limits that leave no room at all on some objects, one for each."""
    return [FieldLimit((name,), 0, 0) for name in sorted(objects)]


def _place(spec: FieldSpec) -> tuple[int, int]:
    return ORDER.get(spec.key.removeprefix("write."), _LAST)
