"""What conditions promise: exactly the records that were meant, whatever the text holds."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import pytest
from crm_world import World

from connector.ports import Condition, Query

AWKWARD = (
    "O'Dell",
    'The "Quoted" Ltd',
    "back\\slash",
    "100% Ltd_1",
    "\U0001f600 Ümläut & Søn",
    "Smith (North), Inc.; OR 1=1 --",
    "tab\tand more",
    "?#{curly}+plus",
)

Op = Literal["=", "!=", "<", "<=", ">", ">=", "in", "not in"]


class ConditionsContract:
    """`Query.where`."""

    def named(self, world: World, *where: Sequence[Condition]) -> set[Any]:
        """Return the names of the companies that the conditions pick."""
        return {record.fields[world.names.name] for record in world.read(world.query(*where))}

    def has(self, world: World, word: str, op: Op, *values: Any) -> Condition:
        return Condition(getattr(world.names, word), op, values)

    @pytest.mark.parametrize("name", AWKWARD)
    def test_text_is_text_whatever_it_holds(self, world: World, name: str) -> None:
        world.company(name)
        world.company("Other")
        assert self.named(world, [self.has(world, "name", "=", name)]) == {name}
        assert self.named(world, [self.has(world, "name", "!=", name)]) == {"Other"}

    def test_in_and_not_in_take_several_values(self, world: World) -> None:
        for name in (*AWKWARD, "Other"):
            world.company(name)
        assert self.named(world, [self.has(world, "name", "in", *AWKWARD)]) == set(AWKWARD)
        assert self.named(world, [self.has(world, "name", "not in", *AWKWARD)]) == {"Other"}

    def test_none_is_empty(self, world: World) -> None:
        world.company("With", note="x")
        world.company("Without")
        assert self.named(world, [self.has(world, "note", "=", None)]) == {"Without"}
        assert self.named(world, [self.has(world, "note", "!=", None)]) == {"With"}

    def test_empty_is_not_equal_to_a_value(self, world: World) -> None:
        world.company("Gold", plan="Gold")
        world.company("None")
        assert self.named(world, [self.has(world, "plan", "!=", "Gold")]) == {"None"}

    @pytest.mark.parametrize(
        ("op", "picked"),
        [("<", {"1"}), ("<=", {"1", "2"}), (">", {"3"}), (">=", {"2", "3"}), ("=", {"2"}), ("!=", {"1", "3"})],
    )
    def test_numbers_compare_as_numbers(self, world: World, op: Op, picked: set[str]) -> None:
        for name, score in (("1", 9), ("2", 10), ("3", 100)):
            world.company(name, score=score)
        assert self.named(world, [self.has(world, "score", op, 10)]) == picked

    def test_booleans(self, world: World) -> None:
        world.company("Yes", ticked=True)
        world.company("No", ticked=False)
        assert self.named(world, [self.has(world, "ticked", "=", True)]) == {"Yes"}
        assert self.named(world, [self.has(world, "ticked", "=", False)]) == {"No"}

    def test_moments_compare_as_moments(self, world: World) -> None:
        noon = datetime(2026, 11, 1, 12, tzinfo=UTC)
        world.company("Morning", seen=noon.replace(hour=9))
        world.company("Noon", seen=noon)
        world.company("Never")
        assert self.named(world, [self.has(world, "seen", ">=", noon)]) == {"Noon"}
        assert self.named(world, [self.has(world, "seen", "<", noon)]) == {"Morning"}

    def test_conditions_in_a_row_must_all_hold(self, world: World) -> None:
        world.company("Both", plan="Gold", score=5)
        world.company("Plan", plan="Gold", score=1)
        world.company("Score", plan="Basic", score=5)
        both = [self.has(world, "plan", "=", "Gold"), self.has(world, "score", ">", 2)]
        assert self.named(world, both) == {"Both"}

    def test_one_row_of_several_is_enough(self, world: World) -> None:
        world.company("Both", plan="Gold", score=5)
        world.company("Poor", plan="Gold", score=1)
        world.company("Named", plan="Basic")
        world.company("Neither", plan="Basic", score=1)
        rows = [
            [self.has(world, "plan", "=", "Gold"), self.has(world, "score", ">", 2)],
            [self.has(world, "name", "=", "Named")],
        ]
        assert self.named(world, *rows) == {"Both", "Named"}

    def test_a_condition_may_follow_a_lookup(self, world: World) -> None:
        names = world.names
        world.person("Inside", world.company("Acme"))
        world.person("Outside", world.company("Other"))
        where = ((Condition(names.employers_name, "=", ("Acme",)),),)
        records = world.read(Query(names.person, (names.surname,), where))
        assert [record.fields[names.surname] for record in records] == ["Inside"]

    def test_conditions_hold_on_every_page_and_with_a_place_to_go_on_from(self, world: World) -> None:
        size = world.small_pages()
        for number in range(2 * size + 2):
            world.company(f"{number:04}", plan=("Gold", "Basic")[number % 2])
        query = world.query([self.has(world, "plan", "=", "Gold")])
        first, *_ = list(world.adapter.changes(query, since=None, after=None))
        everything = [record.id for record in world.read(query)]
        assert len(everything) == size + 1
        assert [record.id for record in world.read(query, after=first.last)] == everything[len(first.records) :]
