"""Customers read what they know, our people read what they call it."""

from datetime import timedelta

import pytest
from lap_world import LapWorld

from connector.store import tables


@pytest.mark.parametrize(
    ("subject", "shown"), [("Printer offline", "Printer offline)"), (None, "request, 16 November")]
)
def test_a_mail_names_the_case_by_its_subject_and_the_record_by_its_number(
    world: LapWorld, subject: str | None, shown: str
) -> None:
    account = world.account("Northwind")
    contact = world.crm.contact(account, "Maria Virtanen", Email="maria@nw.example")
    case = world.crm.case(account, contact, Subject=subject)
    world.clock.advance(timedelta(minutes=1))
    world.crm.close(case)
    world.lap()
    [mail] = world.mailbox.messages
    number = world.crm.get(case)["CaseNumber"]
    assert mail.subject.startswith(f"How did it go? ({shown}")
    assert number not in mail.text + mail.html
    [invitation] = world.rows(tables.invitation)
    assert invitation.label == f"case {number}"
    world.answer(invitation.id, 2)
    world.lap()
    assert f"case {number}" in world.shows(contact)["Last_Rating"]
