"""What setting up promises: what is missing is made, a second run has nothing to do, undo takes away ours alone."""

import json
from dataclasses import replace

from crm_contract_writing import change, once, only
from crm_world import World

from connector.errors import NoRoom
from connector.ports import FieldSpec, SetupResult, SetupStep

MOOD = "afterword_mood__c"
PEOPLE = "afterword_people__c"
TASK_KEY = "afterword_key__c"


def wanted(world: World) -> list[FieldSpec]:
    company = world.names.company
    return [
        FieldSpec(company, MOOD, "Customer mood", "picklist", options=("Happy", "Unhappy"), help="In a word."),
        FieldSpec(company, PEOPLE, "People", "number", precision=9, scale=0),
        FieldSpec(company, "afterword_summary__c", "Summary", "text", length=255),
        FieldSpec(company, "afterword_last__c", "Last answer", "datetime"),
        FieldSpec(company, "afterword_details__c", "Details", "url"),
        FieldSpec(company, "afterword_silent__c", "Silent", "boolean"),
        FieldSpec(company, TASK_KEY, "Key", "text", length=80, unique=True),
    ]


def automatic(steps: list[SetupStep]) -> list[SetupStep]:
    return [step for step in steps if not step.manual]


class SetupContract:
    """`plan_setup`, `apply_setup`, `plan_undo`."""

    def set_up(self, world: World) -> list[SetupResult]:
        """Make everything; return what was done."""
        steps = automatic(world.adapter.plan_setup(wanted(world)))
        results = list(world.adapter.apply_setup(steps))
        assert [result.step for result in results] == steps
        assert [result.error for result in results if not result.done] == []
        return results

    def test_planning_changes_nothing(self, world: World) -> None:
        steps = world.adapter.plan_setup(wanted(world))
        assert any(step.key == f"field:{world.names.company}.{MOOD}" for step in steps)
        assert all(step.sentence for step in steps)
        assert len({step.key for step in steps}) == len(steps)
        assert not world.has_field(world.names.company, MOOD)

    def test_fields_that_were_made_can_be_described_and_written(self, world: World) -> None:
        self.set_up(world)
        company = world.names.company
        fields = world.adapter.describe(company).fields
        for spec in wanted(world):
            assert fields[spec.name].type in (spec.type, *(("text",) if spec.type == "url" else ()))
            assert fields[spec.name].label == spec.label
            assert fields[spec.name].updateable
        assert fields[MOOD].options == ("Happy", "Unhappy")
        assert (fields["afterword_summary__c"].length or 0) >= 255
        assert fields[TASK_KEY].unique
        record_id = world.company()
        values = {MOOD: "Happy", PEOPLE: 3, "afterword_silent__c": True}
        result = only(world.adapter.write([replace(change(world, record_id), fields=values)]))
        assert result.outcome == "updated"
        assert world.value(company, record_id, MOOD) == "Happy"

    def test_a_key_that_was_made_makes_one_record(self, world: World) -> None:
        self.set_up(world)
        write = replace(once(world, "k", name="One"), external=(TASK_KEY, "k"))
        outcomes = [only(world.adapter.write([write])).outcome for _ in range(2)]
        assert outcomes == ["created", "updated"]

    def test_a_second_run_has_nothing_to_do(self, world: World) -> None:
        self.set_up(world)
        assert automatic(world.adapter.plan_setup(wanted(world))) == []

    def test_what_is_there_is_left_alone(self, world: World) -> None:
        names = world.names
        spec = FieldSpec(names.company, names.note, "Another label", "text", length=10)
        steps = automatic(world.adapter.plan_setup([spec]))
        assert not any(step.key.startswith("field:") for step in steps)

    def test_a_set_up_that_broke_off_is_finished_by_the_next(self, world: World) -> None:
        steps = automatic(world.adapter.plan_setup(wanted(world)))
        half = world.adapter.apply_setup(steps)
        for _ in range(2):
            assert next(half).done
        self.set_up(world)
        assert automatic(world.adapter.plan_setup(wanted(world))) == []

    def test_a_hidden_field_is_permitted_again(self, world: World) -> None:
        self.set_up(world)
        world.hide(world.names.company, MOOD)
        assert automatic(world.adapter.plan_setup(wanted(world))) != []
        self.set_up(world)
        assert MOOD in world.adapter.describe(world.names.company).fields

    def test_options_that_a_list_lacks_are_added_and_nothing_else_is_touched(self, world: World) -> None:
        company = world.names.company
        made = self.set_up(world)
        before = world.adapter.describe(company)
        record_id = world.company()
        only(world.adapter.write([replace(change(world, record_id), fields={MOOD: "Unhappy"})]))
        more = replace(
            wanted(world)[0], label="Another label", options=("Happy", "So so", "Last answer ok"), help="Other"
        )
        (step,) = automatic(world.adapter.plan_setup([more, *wanted(world)[1:]]))
        assert step.key == f"options:{company}.{MOOD}"
        assert "So so" in step.sentence
        (result,) = world.adapter.apply_setup([step])
        assert result.done
        after = world.adapter.describe(company)
        options = ("Happy", "Unhappy", "So so", "Last answer ok")
        assert after.fields[MOOD] == replace(before.fields[MOOD], options=options)
        assert {name: field for name, field in after.fields.items() if name != MOOD} == {
            name: field for name, field in before.fields.items() if name != MOOD
        }
        assert world.value(company, record_id, MOOD) == "Unhappy"
        written = only(world.adapter.write([replace(change(world, record_id), fields={MOOD: "So so"})]))
        assert written.outcome == "updated"
        # A second run has nothing to do, and a second carrying out does nothing; undo leaves what records may hold to the field's own.
        assert automatic(world.adapter.plan_setup([more, *wanted(world)[1:]])) == []
        (again,) = world.adapter.apply_setup([step])
        assert again.done
        assert world.adapter.describe(company).fields[MOOD].options == options
        assert world.adapter.plan_undo([result]) == []
        assert all(one.done for one in world.adapter.apply_setup(world.adapter.plan_undo(made)))

    def test_a_label_that_we_gave_is_changed_and_an_admins_stays(self, world: World) -> None:
        company = world.names.company
        made = self.set_up(world)
        before = world.adapter.describe(company)
        keys = {
            spec.name: next(one.step.key for one in made if one.step.makes == (company, spec.name))
            for spec in wanted(world)[:3]
        }
        newer = [replace(spec, label=f"New {spec.label}") for spec in wanted(world)[:3]]
        # We know of no label that we gave, or gave another than stands there: an admin's.
        assert automatic(world.adapter.plan_setup(newer)) == []
        labels = {keys[MOOD]: "Customer mood", keys[PEOPLE]: "What an earlier version said"}
        (step,) = automatic(world.adapter.plan_setup(newer, (), labels))
        assert ("New Customer mood" in step.sentence, "Customer mood" in step.sentence) == (True, True)
        (result,) = world.adapter.apply_setup([step])
        assert (result.done, result.detail["label"]) == (True, "New Customer mood")
        after = world.adapter.describe(company)
        assert after.fields[MOOD] == replace(before.fields[MOOD], label="New Customer mood")
        assert {**after.fields, MOOD: None} == {**before.fields, MOOD: None}
        # A second run has nothing to do; a step that comes too late leaves what stands there by then.
        assert automatic(world.adapter.plan_setup(newer, (), {**labels, keys[MOOD]: "New Customer mood"})) == []
        (late,) = world.adapter.apply_setup([step])
        assert (late.done, late.detail) == (True, {"existed": True})
        assert world.adapter.plan_undo([result]) == []

    def test_a_list_with_more_options_than_ours_lacks_nothing(self, world: World) -> None:
        self.set_up(world)
        fewer = replace(wanted(world)[0], options=("Unhappy",))
        assert automatic(world.adapter.plan_setup([fewer])) == []

    def test_undo_takes_away_ours_alone(self, world: World) -> None:
        names = world.names
        record_id = world.company(note="theirs")
        made = self.set_up(world)
        undone = list(world.adapter.apply_setup(world.adapter.plan_undo(made)))
        assert [result.error for result in undone if not result.done] == []
        assert not any(world.has_field(names.company, spec.name) for spec in wanted(world))
        assert world.has_field(names.company, names.note)
        assert world.of(record_id, "note") == "theirs"
        again = world.adapter.plan_setup(wanted(world))
        if world.keeps_names:
            assert automatic(again) == []
            assert any("Restore" in step.sentence and "Customer mood" in step.sentence for step in again)
        else:
            assert {step.key for step in automatic(again)} == {result.step.key for result in made}

    def test_undo_says_whose_values_go(self, world: World) -> None:
        made = self.set_up(world)
        held = {step.holds for step in world.adapter.plan_undo(made) if step.holds is not None}
        assert held == {(spec.object, spec.name) for spec in wanted(world)}

    def test_undo_goes_backwards(self, world: World) -> None:
        made = self.set_up(world)
        one_by_one = [step for result in reversed(made) for step in world.adapter.plan_undo([result])]
        assert len(one_by_one) > 2
        assert world.adapter.plan_undo(made) == one_by_one

    def test_undo_passes_over_what_was_not_done(self, world: World) -> None:
        made = self.set_up(world)
        failed = replace(made[0], done=False)
        assert world.adapter.plan_undo([failed]) == []
        assert world.adapter.plan_undo([failed, *made[1:]]) == world.adapter.plan_undo(made[1:])

    def test_undoing_twice_is_fine(self, world: World) -> None:
        made = self.set_up(world)
        steps = world.adapter.plan_undo(made)
        assert all(result.done for result in world.adapter.apply_setup(steps))
        list(world.adapter.apply_setup(steps))
        assert not world.has_field(world.names.company, MOOD)

    def test_results_can_be_stored_as_json_and_undone_later(self, world: World) -> None:
        made = self.set_up(world)
        stored = [replace(result, detail=json.loads(json.dumps(dict(result.detail)))) for result in made]
        assert all(result.done for result in world.adapter.apply_setup(world.adapter.plan_undo(stored)))
        assert not world.has_field(world.names.company, MOOD)

    def test_how_many_fields_an_edition_allows_is_told_and_one_too_many_is_refused_alone(self, world: World) -> None:
        company = world.names.company
        world.limit_fields(2, company)
        before = [one for one in world.adapter.field_limits([company]) if one.most - one.used == 2]
        assert [one.objects for one in before] == [(company,)]
        steps = automatic(world.adapter.plan_setup(wanted(world)))
        made = [step for step in steps if step.makes]
        assert [step.makes for step in made] == [(spec.object, spec.name) for spec in wanted(world)]
        results = list(world.adapter.apply_setup([step for step in steps if step.key.startswith(("group:", "field:"))]))
        outcomes = [result for result in results if result.step.makes]
        assert [result.done for result in outcomes] == [True] * 2 + [False] * (len(made) - 2)
        assert {type(result.error) for result in outcomes[2:]} == {NoRoom}
        assert min(one.most - one.used for one in world.adapter.field_limits([company])) == 0
