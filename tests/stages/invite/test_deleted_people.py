"""Whom the CRM has deleted is named to nobody any more: not by mail, not in a chat, not on the customer's record."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from lap_world import CONFIG, CSAT, LapWorld

from connector.model import ChatPost
from connector.store import tables
from connector.store.views import exports

HELSINKI = ZoneInfo("Europe/Helsinki")
RULE = CSAT + '[follow_up.low]\nwhen = "low"\ndue = "24h"\nnotify = ["account_owner", "https://chat.example/hook"]\n'
COMPANY = """
[company]
timezone = "Europe/Helsinki"
working_hours = "mon-fri 08:00-17:00"
[reports]
weekly = "mon 08:00"
[web]
managers = ["cx@acme.example"]
"""


@pytest.fixture
def posts() -> list[ChatPost]:
    return []


@pytest.fixture
def office(world: LapWorld, posts: list[ChatPost]) -> Iterator[LapWorld]:
    """Tuesday evening, after working hours: Maria of Northwind was unhappy, and the chat takes nothing."""
    world.crm.update(world.rep, {"Email": "ritva@acme.example"})
    world.configure(RULE, config=CONFIG.replace("[web]\n", COMPANY, 1))
    world.lap()
    at(world, 17, 20)
    world.rated(world.account("Northwind"), 1, who="Maria Virtanen", comment="Nobody called back.")
    world.installation = replace(world.installation, webhook=lambda _url, post: posts.append(post) or True)
    (maria,) = (row.ref.partition("/")[2] for row in world.rows(tables.contact))
    world.crm.delete(maria)
    world.mailbox.messages.clear()
    yield world


def at(world: LapWorld, day: int, hour: int) -> None:
    """Run a lap in November, by Helsinki."""
    world.lap(after=datetime(2026, 11, day, hour, 5, tzinfo=HELSINKI).astimezone(UTC) - world.clock.now())


def test_alerts_and_digests_name_nobody_who_was_deleted(office: LapWorld) -> None:
    for day, hour in ((18, 9), (18, 16), (19, 9), (19, 16), (20, 16)):
        at(office, day, hour)
    mails = office.mailbox.messages
    assert {mail.to for mail in mails} == {"ritva@acme.example", "cx@acme.example"}
    assert all("Nobody called back." in mail.text for mail in mails), "what was said is still told"
    assert not any("Maria" in part for mail in mails for part in (mail.subject, mail.text, mail.html))


def test_the_weeks_report_names_nobody_who_was_deleted(office: LapWorld) -> None:
    at(office, 23, 9)
    (report,) = (mail for mail in office.mailbox.messages if mail.subject.startswith("Customer feedback"))
    assert "Nobody called back." in report.text
    assert "Maria" not in report.text + report.html


def test_a_chat_is_not_told_who_was_deleted(office: LapWorld, posts: list[ChatPost]) -> None:
    office.lap()
    (post,) = posts
    assert "Maria" not in post.title + post.step


def test_the_record_and_the_export_name_nobody_who_was_deleted(office: LapWorld) -> None:
    at(office, 18, 9)
    account = office.crm.all("Account")[0]["Id"]
    assert "Maria" not in " ".join(str(value) for value in office.shows(account).values())
    with office.store.read() as tx:
        rows = [*exports.responses(tx, None), *exports.follow_ups(tx, None)]
    assert {row.contact for row in rows} == {None}
