"""Which fields are made where not all have room: in the contract's order, what one row names together."""

from itertools import pairwise

import pytest
from default_mappings import packaged

from connector.domain import field_room
from connector.domain.field_room import ORDER
from connector.ports import FieldLimit, FieldSpec
from mappings.loading import load


def spec(name: str, object_name: str = "Account") -> FieldSpec:
    return FieldSpec(object_name, name, name, "text", key=f"write.account.{name}")


def names(left: list[field_room.LeftOut]) -> set[str]:
    return {one.name for entry in left for one in entry.fields}


@pytest.mark.parametrize("crm", ["salesforce", "hubspot"])
def test_every_field_that_is_made_has_its_place_in_the_order(crm: str) -> None:
    spec = load(packaged(crm)).spec
    made = {f"{target}.{one.name}" for target, fields in spec.write.items() for one in fields if one.label}
    assert made <= set(ORDER)


def test_what_one_row_names_goes_together() -> None:
    both = [spec("low"), spec("high"), spec("mood")]
    assert names(field_room.left_out(both, [FieldLimit(("Account",), 2, 0)])) == {"low", "high"}
    assert names(field_room.left_out(both, [FieldLimit(("Account",), 3, 0)])) == set()


def test_more_room_never_makes_less_of_what_comes_first() -> None:
    account = [spec(name.removeprefix("account.")) for name in ORDER if name.startswith("account.")]
    left = [names(field_room.left_out(account, [FieldLimit(("Account",), most, 0)])) for most in range(14)]
    assert "mood" not in left[1]
    assert left[-1] == set()
    assert all(len(more) <= len(fewer) for fewer, more in pairwise(left))


def test_a_limit_over_several_objects_counts_for_all_of_them() -> None:
    fields = [spec("mood"), spec("attention"), spec("trend", "Contact")]
    limits = [FieldLimit(("Account",), 10, 0), FieldLimit(("Account", "Contact"), 2, 0)]
    assert names(field_room.left_out(fields, limits)) == {"trend"}
    assert field_room.left_out(fields, []) == []
