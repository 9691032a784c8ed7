"""Where a rep has changed a task's text, a further answer stands on the HubSpot records as a note, once."""

from pathlib import Path
from typing import Any

from environment import DAY, RULES, standing
from environment_hubspot import COMPANIES, CONTACTS, HubSpotEnvironment
from sqlalchemy import select, update

from connector.runtime.clock import SteppedClock
from connector.store import tables


def notes(env: HubSpotEnvironment) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = env.org.rows("notes")
    return [row for row in rows if "further answer" in str(row.get("hs_note_body"))]


def forget_notes(env: HubSpotEnvironment) -> None:
    """Make as if the process had died after the note was made and before that was written down."""
    store = env.installation.store
    with store.write() as tx:
        for row in tx.execute(select(tables.follow_up)):
            kept = {name: value for name, value in row.task_written.items() if name != "noted"}
            assert kept != row.task_written
            tx.execute(update(tables.follow_up).where(tables.follow_up.c.id == row.id).values(task_written=kept))


def test_a_further_answer_that_an_edited_task_cannot_tell_is_a_note_made_once(
    tmp_path: Path, store_address: str, clock: SteppedClock
) -> None:
    with standing(HubSpotEnvironment, tmp_path, store_address, clock) as env:
        env.configure(RULES)
        env.lap()
        company = env.account("Northwind", owner=env.rep("Anna Koski", "anna@acme.example"))
        contact = env.contact(company, "Maria Virtanen", "maria@nw.example")
        for number, comment in enumerate(("First words.", "Further <b>words</b>.")):
            if number:
                env.later(100 * DAY)  # the quiet period is over
            env.close_case(env.case(company, contact))
            env.later(DAY)
            asking = env.mailbox.to("maria@nw.example")[-1]
            env.answer(asking, 1, comment)
            if number:
                (task,) = env.tasks()
                env.org.update("tasks", task["id"], {"hs_task_body": "My own notes."})
            env.lap()
        (task,) = env.tasks()
        assert task["hs_task_body"] == "My own notes."
        (note,) = notes(env)
        assert "Further" in note["hs_note_body"]
        assert "First words." not in note["hs_note_body"]
        assert list(env.org.associated("notes", note["id"], COMPANIES)) == [company]
        assert list(env.org.associated("notes", note["id"], CONTACTS)) == [contact]
        forget_notes(env)
        for _ in range(2):
            assert env.later(DAY).exit_code == 0
        assert len(notes(env)) == 1
