"""Whoever asks by mail or by telephone not to be asked any more is opted out by a command, as by the link in a mail."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from click.testing import Result
from lap_world import DAY, HOUR, LapWorld
from typer.testing import CliRunner

from connector.cli import app, installation
from connector.store import tables
from connector.store.db.engine import Store
from connector.store.surveys import answers, people

REMINDED = '[surveys.after-case]\non = "case.closed"\ndelay = "0s"\nreminder_after = "4d"\n'
Command = Callable[..., Result]


@pytest.fixture
def command(world: LapWorld, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """`afterword opt-outs` on this installation."""
    world.configure(REMINDED)
    monkeypatch.setattr(installation, "build_for_store", lambda _config, **_named: world.installation)
    monkeypatch.setattr(world.adapter, "close", lambda: None)
    monkeypatch.setattr(Store, "close", lambda _self: None)  # one store serves all calls of a test
    configured = structlog.get_config()
    yield lambda *words: CliRunner().invoke(app.app, ["opt-outs", *words])
    structlog.configure(**configured)


def asked_maria(world: LapWorld, **values: Any) -> tuple[str, str]:
    """Ask Maria about a case; returns her account and her contact."""
    account = world.account()
    maria = world.crm.contact(account, "Maria Virtanen", **{"Email": "maria@nw.example"} | values)
    world.ask(account, maria)
    return account, maria


def test_who_asks_by_mail_not_to_be_asked_is_neither_asked_nor_reminded(world: LapWorld, command: Command) -> None:
    account, maria = asked_maria(world)
    case = world.crm.case(account, maria)
    world.lap()
    world.crm.close(case)
    done = command("add", " Maria@NW.example")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == "maria@nw.example is not asked any more: Maria Virtanen (acme).\n"
    for step in (HOUR, 5 * DAY):
        world.lap(step)
    assert len(world.mailbox.messages) == 1
    assert world.crm.get(maria)["Afterword_No_Surveys__c"] is True


def test_an_opt_out_by_the_address_of_an_earlier_mail_holds_for_the_record(world: LapWorld, command: Command) -> None:
    account, maria = asked_maria(world)
    has_a_new_address(world, maria)
    assert "Maria Virtanen" in command("add", "maria@nw.example").stdout
    world.crm.close(world.crm.case(account, maria))
    for step in (HOUR, 5 * DAY):
        world.lap(step)
    assert len(world.mailbox.messages) == 1


def test_an_address_that_nobody_has_yet_is_not_asked_later(world: LapWorld, command: Command) -> None:
    done = command("add", "maria@nw.example")
    assert done.exit_code == 0
    assert done.stdout == (
        "maria@nw.example is not asked any more. No contact that was read has this address; look at its spelling.\n"
    )
    account = world.account()
    maria = world.crm.contact(account, "Maria Virtanen", Email="maria@nw.example")
    case = world.crm.case(account, maria)
    world.lap()
    world.crm.close(case)
    world.lap(HOUR)
    assert world.mailbox.messages == []


def is_asked_again(world: LapWorld, account: str, contact: str) -> bool:
    """Close another case of hers, and tell whether she is asked about it."""
    before = len(world.mailbox.messages)
    case = world.crm.case(account, contact)
    world.lap()
    world.crm.close(case)
    world.lap()
    world.lap(HOUR)
    return len(world.mailbox.messages) > before


def opt_out_by_link(world: LapWorld) -> None:
    with world.store.write() as tx:
        assert answers.stop_surveys(tx, world.rows(tables.invitation)[0].id, now=world.clock.now())
    world.lap()


def test_who_clicked_by_mistake_is_asked_again_once_the_box_is_cleared(world: LapWorld, command: Command) -> None:
    account, maria = asked_maria(world)
    opt_out_by_link(world)
    assert not is_asked_again(world, account, maria)
    done = command("lift", "Maria@nw.example")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == (
        "maria@nw.example may be asked again. Clear No surveys, where it is ticked, on: Maria Virtanen (acme).\n"
    )
    world.lap()
    world.crm.update(maria, {"Afterword_No_Surveys__c": False})
    world.lap()
    assert world.crm.get(maria)["Afterword_No_Surveys__c"] is False
    assert is_asked_again(world, account, maria)
    assert world.crm.get(maria)["Afterword_No_Surveys__c"] is False


def has_a_new_address(world: LapWorld, contact: str) -> None:
    world.crm.update(contact, {"Email": "maria@new.example"})
    world.lap()


def test_an_opt_out_is_lifted_by_the_address_of_an_earlier_mail(world: LapWorld, command: Command) -> None:
    account, maria = asked_maria(world)
    has_a_new_address(world, maria)
    opt_out_by_link(world)
    world.lap()
    assert command("lift", "maria@nw.example").exit_code == 0
    world.crm.update(maria, {"Afterword_No_Surveys__c": False})
    assert is_asked_again(world, account, maria)


def test_whose_data_were_erased_is_not_asked_again_for_an_earlier_address(world: LapWorld, command: Command) -> None:
    account, maria = asked_maria(world)
    has_a_new_address(world, maria)
    with world.store.write() as tx:
        people.opt_out(tx, world.rows(tables.contact)[0].person, world.clock.now(), "erased")
        people.opt_out(tx, world.rows(tables.invitation)[0].person, world.clock.now(), "link")
    assert command("lift", "maria@nw.example").exit_code == 0
    assert not is_asked_again(world, account, maria)


@pytest.mark.parametrize("box", ["Afterword_No_Surveys__c", "HasOptedOutOfEmail"])
@pytest.mark.parametrize("is_read_before", [True, False])
def test_who_has_no_surveys_ticked_in_the_crm_is_not_asked(
    world: LapWorld, command: Command, box: str, *, is_read_before: bool
) -> None:
    account, maria = asked_maria(world)
    opt_out_by_link(world)
    world.crm.update(maria, {box: True})
    if is_read_before:
        world.lap()
    assert command("lift", "maria@nw.example").exit_code == 0
    assert not is_asked_again(world, account, maria)
    assert not is_asked_again(world, account, maria)


def test_whose_data_were_erased_or_who_never_opted_out_cannot_be_taken_back(world: LapWorld, command: Command) -> None:
    account, maria = asked_maria(world)
    done = command("lift", "maria@nw.example")
    assert (done.exit_code, "has not opted out" in done.stderr) == (2, True)
    with world.store.write() as tx:
        people.opt_out(tx, world.rows(tables.invitation)[0].person, world.clock.now(), "erased")
    done = command("lift", "maria@nw.example")
    assert (done.exit_code, "erased" in done.stderr) == (2, True)
    assert not is_asked_again(world, account, maria)


def test_what_is_no_address_opts_nobody_out(command: Command) -> None:
    done = command("add", "Maria Virtanen")
    assert done.exit_code == 2
    assert "is not an e-mail address" in done.stderr
