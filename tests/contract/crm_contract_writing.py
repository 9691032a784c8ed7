"""What writing promises: only what was asked, once, and a fate of its own for every record."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from crm_world import World

from connector.errors import (
    BadOption,
    Bug,
    Conflict,
    CrmError,
    Gone,
    Locked,
    RuleRefused,
    SchemaChanged,
    TooLong,
    Unavailable,
)
from connector.ports import Write, WriteResult


def named(world: World, values: Mapping[str, Any]) -> dict[str, Any]:
    return {getattr(world.names, word): value for word, value in values.items()}


def change(world: World, record_id: str, **values: Any) -> Write:
    """Return the change of a company; keywords are the words of `Names`."""
    return Write(f"change {record_id}", world.names.company, named(world, values), id=record_id)


def once(world: World, key: str, **values: Any) -> Write:
    """Return the creation of a company, once for `key`."""
    return Write(key, world.names.company, named(world, values), external=(world.names.key, key))


def only(results: list[WriteResult]) -> WriteResult:
    (result,) = results
    return result


class WritingContract:
    """`write`."""

    def refused(self, world: World, write: Write) -> CrmError:
        """Write, and return the error of the one refusal."""
        result = only(world.adapter.write([write]))
        assert result.outcome == "refused"
        assert result.error is not None
        return result.error

    def test_a_change_touches_the_given_fields_alone(self, world: World) -> None:
        record_id = world.company("Acme", note="stays", score=7)
        result = only(world.adapter.write([change(world, record_id, score=8)]))
        assert (result.outcome, result.id, result.error) == ("updated", record_id, None)
        assert world.of(record_id, "note") == "stays"
        assert float(world.of(record_id, "score")) == 8
        assert world.of(record_id, "name") == "Acme"

    def test_none_clears_a_field(self, world: World) -> None:
        record_id = world.company(note="going", plan="Gold", score=0)
        only(world.adapter.write([change(world, record_id, note=None, plan=None, score=None)]))
        assert world.of(record_id, "note") in (None, "")
        assert world.of(record_id, "plan") in (None, "")
        assert world.of(record_id, "score") in (None, "")

    def test_zero_is_not_empty(self, world: World) -> None:
        record_id = world.company(score=5)
        only(world.adapter.write([change(world, record_id, score=0)]))
        assert float(world.of(record_id, "score")) == 0

    def test_what_was_written_is_read_back(self, world: World) -> None:
        text = "“Quoted” O'Dell \\ \U0001f600 <b>&amp;"
        record_id = world.company()
        only(world.adapter.write([change(world, record_id, note=text)]))
        names = world.names
        assert world.adapter.fetch(names.company, [record_id], [names.note])[record_id].fields[names.note] == text

    def test_a_change_moves_the_stamp_and_is_read_again(self, world: World) -> None:
        record_id = world.company()
        stamp = world.pass_time()
        world.adapter.write([change(world, record_id, score=1)])
        assert [record.id for record in world.read(since=stamp)] == [record_id]

    def test_the_same_key_makes_one_record(self, world: World) -> None:
        first = only(world.adapter.write([once(world, "k-1", name="First", note="kept")]))
        second = only(world.adapter.write([once(world, "k-1", name="Second")]))
        assert (first.outcome, second.outcome) == ("created", "updated")
        assert first.id == second.id
        assert world.living(world.names.company) == 1
        assert world.of(str(first.id), "name") == "Second"
        assert world.of(str(first.id), "note") == "kept"
        assert world.of(str(first.id), "key") == "k-1"

    @pytest.mark.parametrize("key", ["a/b?c=%20#d", "O'Dell", "ü 😀", "x.inc", "(1) & more"])
    def test_keys_may_hold_anything(self, world: World, key: str) -> None:
        results = [only(world.adapter.write([once(world, key, name="One")])) for _ in range(2)]
        assert [result.outcome for result in results] == ["created", "updated"]
        assert world.living(world.names.company) == 1

    def test_a_key_of_a_deleted_record_makes_a_new_one(self, world: World) -> None:
        first = only(world.adapter.write([once(world, "k-1", name="First")]))
        world.delete(world.names.company, str(first.id))
        second = only(world.adapter.write([once(world, "k-1", name="Second")]))
        assert second.outcome == "created"
        assert second.id != first.id

    def test_results_come_in_order_with_a_bad_record_among_many(self, world: World) -> None:
        size = min(150, world.adapter.write_batch)
        made = world.companies(size)
        writes = [change(world, record_id, score=number % 100) for number, record_id in enumerate(made)]
        bad = size // 2
        writes[bad] = change(world, made[bad], note="x" * (world.longest_note + 1))
        results = world.adapter.write(writes)
        assert [result.write for result in results] == writes
        assert [number for number, result in enumerate(results) if result.outcome == "refused"] == [bad]
        assert [result.id for result in results] == made
        assert all(float(world.of(each, "score")) == number % 100 for number, each in enumerate(made) if number != bad)

    def test_a_refused_value_names_its_field_and_nothing_of_the_record_is_written(self, world: World) -> None:
        """By the name the caller writes the others without it."""
        record_id = world.company("Acme")
        (result,) = world.adapter.write([change(world, record_id, plan="Platinum", score=7)])
        assert isinstance(result.error, BadOption)
        assert result.error.fields == (world.names.plan,)
        assert world.of(record_id, "score") is None

    def test_many_creations_keep_their_order_and_their_ids(self, world: World) -> None:
        size = min(150, world.adapter.write_batch)
        writes = [once(world, f"k-{number}", name=f"Company {number}") for number in range(size)]
        writes[size // 3] = replace(writes[size // 3], fields=named(world, {"name": None, "plan": "Platinum"}))
        results = world.adapter.write(writes)
        assert [result.write for result in results] == writes
        good = [result for result in results if result.outcome == "created"]
        assert len(good) == size - 1
        assert all(world.of(str(result.id), "key") == result.write.key for result in good)

    def test_creations_and_changes_may_come_together(self, world: World) -> None:
        record_id = world.company("Old")
        writes = [
            once(world, "k-1", name="New"),
            change(world, record_id, name="Changed"),
            once(world, "k-2", name="Newer"),
        ]
        results = world.adapter.write(writes)
        assert [result.outcome for result in results] == ["created", "updated", "created"]
        assert [result.write.key for result in results] == [write.key for write in writes]

    def test_nothing_to_write_asks_nothing(self, world: World) -> None:
        assert world.adapter.write([]) == []
        assert world.calls("write") == 0

    def test_an_unknown_field_does_not_sink_the_rest(self, world: World) -> None:
        made = world.companies(5)
        writes = [change(world, record_id, score=3) for record_id in made]
        writes[2] = replace(writes[2], fields={"Nothing_Like_It__c": "x"})
        results = world.adapter.write(writes)
        assert [result.outcome for result in results] == ["updated", "updated", "refused", "updated", "updated"]
        assert "Nothing_Like_It__c" in str(results[2].error)

    def test_a_hidden_field_does_not_sink_the_rest(self, world: World) -> None:
        made = world.companies(2)
        world.hide(world.names.company, world.names.note)
        results = world.adapter.write([change(world, made[0], note="x"), change(world, made[1], score=3)])
        assert [result.outcome for result in results] == ["refused", "updated"]

    def test_a_value_of_the_wrong_type_does_not_sink_the_rest(self, world: World) -> None:
        made = world.companies(3)
        writes = [change(world, record_id, score=3) for record_id in made]
        writes[1] = change(world, made[1], score="many")
        assert [result.outcome for result in world.adapter.write(writes)] == ["updated", "refused", "updated"]

    def test_text_that_is_too_long(self, world: World) -> None:
        error = self.refused(world, change(world, world.company(), note="x" * (world.longest_note + 1)))
        assert isinstance(error, TooLong)
        assert error.permanent
        assert error.code

    def test_an_option_that_is_not_one(self, world: World) -> None:
        error = self.refused(world, change(world, world.company(), plan="Platinum"))
        assert isinstance(error, BadOption)
        assert error.permanent

    def test_a_deleted_record_is_gone(self, world: World) -> None:
        record_id = world.company()
        world.delete(world.names.company, record_id)
        error = self.refused(world, change(world, record_id, score=1))
        assert isinstance(error, Gone)
        assert error.merged_into is None

    def test_a_merged_record_is_gone_and_the_survivor_is_named(self, world: World) -> None:
        survivor, loser = world.company("Survivor"), world.company("Loser")
        world.merge(world.names.company, survivor, loser)
        error = self.refused(world, change(world, loser, score=1))
        assert isinstance(error, Gone)
        assert error.merged_into == survivor

    def test_a_record_that_never_was_is_gone(self, world: World) -> None:
        assert isinstance(self.refused(world, change(world, world.unknown_id, score=1)), Gone)

    def test_a_lock_passes(self, world: World) -> None:
        record_id = world.company()
        world.lock(record_id)
        error = self.refused(world, change(world, record_id, score=1))
        assert isinstance(error, Locked)
        assert not error.permanent
        world.unlock(record_id)
        assert only(world.adapter.write([change(world, record_id, score=1)])).outcome == "updated"

    def test_a_lock_on_one_record_does_not_stop_the_others(self, world: World) -> None:
        made = world.companies(3)
        world.lock(made[1])
        results = world.adapter.write([change(world, record_id, score=1) for record_id in made])
        assert [result.outcome for result in results] == ["updated", "refused", "updated"]

    def test_a_unique_value_that_another_has(self, world: World) -> None:
        holder = only(world.adapter.write([once(world, "k-1", name="Holder")])).id
        error = self.refused(world, change(world, world.company("Other"), key="k-1"))
        assert isinstance(error, Conflict)
        assert error.existing_id == holder

    def test_an_automation_that_refuses_is_quoted(self, world: World) -> None:
        world.forbid("No notes on Fridays, says Ada.", "forbidden")
        made = world.companies(2)
        results = world.adapter.write([change(world, made[0], note="forbidden"), change(world, made[1], note="fine")])
        assert [result.outcome for result in results] == ["refused", "updated"]
        assert isinstance(results[0].error, RuleRefused)
        assert "No notes on Fridays, says Ada." in str(results[0].error)

    def test_a_record_named_twice_is_the_callers_mistake(self, world: World) -> None:
        record_id = world.company()
        with pytest.raises(Bug):
            world.adapter.write([change(world, record_id, score=1), change(world, record_id, score=2)])
        with pytest.raises(Bug):
            world.adapter.write([once(world, "k-1", name="One"), once(world, "k-1", name="Two")])

    def test_more_than_a_batch_is_the_callers_mistake(self, world: World) -> None:
        writes = [once(world, f"k-{number}", name="x") for number in range(world.adapter.write_batch + 1)]
        with pytest.raises(Bug):
            world.adapter.write(writes)
        assert world.living(world.names.company) == 0

    def test_a_lost_answer_is_unknown_and_repeating_makes_one_record(self, world: World) -> None:
        writes = [once(world, f"k-{number}", name=f"Company {number}") for number in range(3)]
        world.lose_next_answer()
        with pytest.raises(Unavailable) as caught:
            world.adapter.write(writes)
        assert not caught.value.not_sent
        assert world.living(world.names.company) == 3
        assert world.calls("write") == 1
        again = world.adapter.write(writes)
        assert [result.outcome for result in again] == ["updated"] * 3
        assert world.living(world.names.company) == 3

    # ── by key ──

    def test_a_record_is_found_by_its_key_as_it_is_now(self, world: World) -> None:
        names = world.names
        made = world.company("Acme", key="k-1", score=1)
        world.company("Other", key="k-2")
        world.update(names.company, made, {names.score: 2})
        found = world.adapter.find(names.company, names.key, "k-1", [names.name, names.score])
        assert found is not None
        assert (found.id, found.fields[names.name], float(found.fields[names.score])) == (made, "Acme", 2)

    def test_what_the_adapter_created_is_found_by_its_key_at_once(self, world: World) -> None:
        names = world.names
        (result,) = world.adapter.write([once(world, "k-9", name="One", note="One")])
        found = world.adapter.find(names.company, names.key, "k-9", [names.note])
        assert found is not None
        assert (found.id, found.fields[names.note]) == (result.id, "One")

    def test_a_key_that_nobody_has_finds_nothing(self, world: World) -> None:
        names = world.names
        world.delete(names.company, world.company("Gone", key="k-3"))
        for key in ("k-3", "k-4", "it's/no one's?"):
            assert world.adapter.find(names.company, names.key, key, [names.name]) is None

    def test_to_find_by_a_field_that_is_not_there_is_an_error(self, world: World) -> None:
        world.hide(world.names.company, world.names.key)
        with pytest.raises(SchemaChanged):
            world.adapter.find(world.names.company, world.names.key, "k-1", [world.names.name])

    def test_a_record_is_deleted_once(self, world: World) -> None:
        names = world.names
        made = world.company("Acme", key="k-1")
        for _ in range(2):
            world.adapter.delete(names.company, made)
            assert world.living(names.company) == 0
        assert world.adapter.find(names.company, names.key, "k-1", [names.name]) is None
