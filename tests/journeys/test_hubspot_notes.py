"""Where a rep has changed a task's text, a further answer stands on the HubSpot records as a note, once."""

from pathlib import Path
from typing import Any

from house import DAY, RULES, standing
from house_hubspot import COMPANIES, CONTACTS, HubSpotHouse
from sqlalchemy import select

from connector.clock import SteppedClock
from connector.stages.task_plan import NOTED
from connector.store import tables, task_rows


def notes(house: HubSpotHouse) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = house.org.rows("notes")
    return [row for row in found if "further answer" in str(row.get("hs_note_body"))]


def forget_notes(house: HubSpotHouse) -> None:
    """Make as if the process had died after the note was made and before that was written down."""
    store = house.installation.store
    with store.write() as tx:
        for row in tx.execute(select(tables.follow_up)):
            kept = {name: value for name, value in row.task_written.items() if name != NOTED}
            task_rows.change(tx, row.id, {"task_written": kept})


def test_a_further_answer_that_an_edited_task_cannot_tell_is_a_note_made_once(
    tmp_path: Path, store_address: str, clock: SteppedClock
) -> None:
    with standing(HubSpotHouse, tmp_path, store_address, clock) as house:
        house.configure(RULES)
        house.lap()
        company = house.account("Northwind", owner=house.rep("Anna Koski", "anna@acme.example"))
        contact = house.contact(company, "Maria Virtanen", "maria@nw.example")
        for number, comment in enumerate(("First words.", "Further <b>words</b>.")):
            if number:
                house.later(100 * DAY)  # the quiet period is over
            house.close_case(house.case(company, contact))
            house.later(DAY)
            asking = house.mailbox.to("maria@nw.example")[-1]
            house.answer(asking, 1, comment)
            if number:
                (task,) = house.tasks()
                house.org.update("tasks", task["id"], {"hs_task_body": "My own notes."})
            house.lap()
        (task,) = house.tasks()
        assert task["hs_task_body"] == "My own notes."
        (note,) = notes(house)
        assert "Further" in note["hs_note_body"]
        assert "First words." not in note["hs_note_body"]
        assert list(house.org.associated("notes", note["id"], COMPANIES)) == [company]
        assert list(house.org.associated("notes", note["id"], CONTACTS)) == [contact]
        forget_notes(house)
        for _ in range(2):
            assert house.later(DAY).exit_code == 0
        assert len(notes(house)) == 1
