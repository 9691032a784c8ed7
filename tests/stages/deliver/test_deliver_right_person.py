"""A message goes to somebody whom it is still about: the CRM's users put right who had the case."""

import pytest
from asking import DAY, HOUR, World, lap, survey

from connector.errors import MailUnavailable
from tests.databases import BOTH_DATABASES


@pytest.fixture
def here(here: World) -> World:
    here.person("anna")
    return here


@pytest.mark.parametrize("recipients", ["primary", "all"])
def test_whoever_is_no_longer_the_contact_is_not_asked_and_the_right_one_is(here: World, recipients: str) -> None:
    here.surveys = {"after-case": survey(recipients=recipients)}
    here.case("c1")
    here.mailbox.failing = [MailUnavailable("down")]
    lap(here)
    here.clock.advance(HOUR)
    here.change("c1", contact_refs=["Contact/anna"])
    for _ in range(2):
        lap(here)
    assert here.mailbox.recipients == ["anna@oy.example"]


def test_whoever_is_no_longer_the_contact_is_not_reminded(here: World) -> None:
    here.surveys = {"after-case": survey(reminder_after="4d")}
    here.case("c1")
    lap(here)
    here.clock.advance(DAY)
    here.change("c1", contact_refs=["Contact/anna"])
    lap(here)
    here.clock.advance(4 * DAY)
    lap(here)
    assert here.mailbox.recipients == ["maria@oy.example"]


@BOTH_DATABASES
def test_a_merged_contact_still_has_the_case(here: World) -> None:
    here.case("c1")
    here.mailbox.failing = [MailUnavailable("down")]
    lap(here)
    here.clock.advance(HOUR)
    here.person("mia", email="maria@oy.example")
    here.merge("maria", "mia")
    lap(here)
    assert here.mailbox.recipients == ["maria@oy.example"]


def test_a_mailbox_that_several_contacts_share_is_asked_once_about_a_case(here: World) -> None:
    here.surveys = {"after-case": survey(recipients="all")}
    here.person("office", email="info@oy.example")
    here.case("c1", ["office", "maria"])
    lap(here)
    here.person("desk", email="info@oy.example")
    here.change("c1", contact_refs=["Contact/desk", "Contact/office", "Contact/maria"])
    lap(here)
    here.clock.advance(DAY)
    here.case("c2", ["desk", "office"])
    lap(here)
    assert here.mailbox.recipients == ["info@oy.example", "maria@oy.example", "info@oy.example"]
