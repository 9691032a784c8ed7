"""A CRM that takes no notes from us loses nothing by it: the lap goes on, and the owner hears of the answer by mail."""

from dataclasses import dataclass, field

import pytest
from lap_world import DAY, HOUR, LapWorld
from own_fields import PACKAGED, use

from connector.errors import NotPermitted, RecordRejected, Unavailable
from connector.model import MARK_KEY
from connector.ports import Note


@dataclass
class Taker:
    """Takes notes, or refuses them."""

    refusal: Exception | None = None
    asked: list[Note] = field(default_factory=list)

    def put(self, note: Note) -> None:
        self.asked.append(note)
        if self.refusal is not None:
            raise self.refusal


def edited_then_answered(world: LapWorld, taker: Taker) -> None:
    """Let a rep change a task's text, and whom it is about answer once more."""
    world.adapter.notes = taker
    account = world.account()
    maria = world.crm.contact(account, "Maria Virtanen")
    world.answer(world.ask(account, maria), 1, "First words.")
    world.lap()
    (task,) = world.tasks()
    world.crm.update(task["Id"], {"Description": "My own notes."})
    world.lap(DAY)
    world.answer(world.ask(account, maria), 2, "Further words.")
    world.lap()


def test_what_the_task_cannot_say_is_noted_once_and_nothing_else(world: LapWorld) -> None:
    taker = Taker()
    edited_then_answered(world, taker)
    for _ in range(2):
        world.lap(HOUR)
    (note,) = taker.asked
    assert "> Further words." in note.text
    assert note.key in note.text
    assert "First words." not in note.text
    assert [ref.object for ref in (note.about, *note.related)] == ["Account", "Contact"]


@pytest.mark.parametrize("refusal", [NotPermitted("no notes for us"), RecordRejected("no", code="X")])
def test_a_refusal_for_good_is_not_tried_again_and_stops_nothing(world: LapWorld, refusal: Exception) -> None:
    taker = Taker(refusal)
    edited_then_answered(world, taker)
    assert world.lap(HOUR).exit_code == 0
    assert len(taker.asked) == 1


def test_a_crm_that_does_not_answer_gets_it_in_the_next_lap(world: LapWorld) -> None:
    taker = Taker(Unavailable("no answer"))
    edited_then_answered(world, taker)
    taker.refusal = None
    for _ in range(2):
        world.lap(HOUR)
    assert len(taker.asked) == 2


def test_while_nobody_has_changed_the_task_there_is_no_note(world: LapWorld) -> None:
    taker = Taker()
    world.adapter.notes = taker
    account = world.account()
    maria = world.crm.contact(account, "Maria Virtanen")
    for words in ("First words.", "Further words."):
        world.answer(world.ask(account, maria), 1, words)
        world.lap()
    assert taker.asked == []


def test_a_mapping_without_the_text_of_tasks_any_more_stops_no_lap(world: LapWorld) -> None:
    taker = Taker(Unavailable("no answer"))
    edited_then_answered(world, taker)
    taker.refusal = None
    body = next(one for one in PACKAGED.partition("[write.task]\n")[2].split("\n") if one.startswith("body = "))
    use(world, PACKAGED.replace(f"{body}\n", ""))
    (mark,) = (row for row in world.crm.all("Task") if row.get("Afterword_Key__c") == MARK_KEY)
    world.crm.update(mark["Id"], {"Subject": mark["Description"]})  # as after `setup-crm --take-over`
    assert world.lap(HOUR).exit_code == 0
    assert "> Further words." in taker.asked[-1].text
