"""A month's report goes out whatever size its workbook has, without it if need be."""

import pytest
from lap_world import LapWorld
from test_reports import CEO, CX, at, mails, rated, set_up

from connector.commands import status
from connector.errors import MessageTooLarge
from connector.stages.reports import stage as reports


@pytest.fixture
def office(world: LapWorld) -> LapWorld:
    """Live since Monday 16 November."""
    set_up(world)
    world.lap()
    return world


def test_a_workbook_too_large_for_a_mail_is_left_out_and_the_mail_says_how_to_get_it(
    office: LapWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "LARGEST", 100)
    at(office, "2026-11-20T10:00")
    rated(office, 5)
    at(office, "2026-12-02T08:05")
    mail = next(report for report in mails(office) if "November" in report.subject)
    assert mail.attachments == ()
    assert "(afterword export, period 2026-11)." in mail.text


def test_a_workbook_too_large_for_this_mail_server_is_left_out(office: LapWorld) -> None:
    at(office, "2026-11-20T10:00")
    rated(office, 5)
    office.mailbox.failing = [None, None, MessageTooLarge("552 5.3.4 message file too big"), None]
    at(office, "2026-11-30T08:05")  # the week's reports
    at(office, "2026-12-02T08:05")
    first, second = ([report for report in mails(office, to) if "November" in report.subject] for to in (CX, CEO))
    assert [len(report.attachments) for report in (*first, *second)] == [0, 1]
    assert "(afterword export, period 2026-11)." in first[0].text
    assert status.status(office.installation)["untold"] == []
