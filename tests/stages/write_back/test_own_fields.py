"""Only fields that are ours are written: one of somebody else's is set aside alone, until an admin says that it may be overwritten."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from lap_world import LapWorld
from own_fields import line, use
from sqlalchemy import delete, select

from connector.commands import plan, setup_crm
from connector.commands.check import checks
from connector.ports import Record
from connector.stages import lap
from connector.stages.lap import Report
from connector.stages.order import AFTER_AN_ANSWER
from connector.store import tables
from connector.store.ops import connections, setup_log
from mappings.loading import load

NOTES = "Knows the CFO. Never call before ten."


def found_problems(world: LapWorld) -> list[str]:
    return [str(problem) for problem in checks.check(world.installation).problems if "write." in problem.where]


def set_aside(world: LapWorld) -> Mapping[str, Mapping[str, Any]]:
    return {one["record"]: one for one in world.refused()}


def laps(world: LapWorld, number: int) -> list[Report]:
    return [world.lap() for _ in range(number)]


def test_notes_of_others_are_not_overwritten_and_everything_else_is_written(world: LapWorld) -> None:
    account = world.account(Description=NOTES)
    use(world, line("account", "summary", '"Description"'))
    world.rated(account, 1)
    assert world.crm.get(account)["Description"] == NOTES
    assert world.shows(account)["Mood"] == "Last answer bad"
    assert world.shows(account)["Attention"]
    assert len(world.tasks()) == 1


def test_check_names_the_line_the_field_and_how_many_records_hold_values(world: LapWorld) -> None:
    for number in range(12):
        world.account(f"Account {number}", **({"Description": NOTES} if number < 3 else {}))
    use(world, line("account", "summary", '"Description"'))
    (problem,) = found_problems(world)
    assert "mappings/acme.toml: write.account.summary" in problem
    assert "Account.Description" in problem
    assert "3 of 12" in problem
    assert "own = true" in problem


def test_status_names_it_until_it_is_ours(world: LapWorld) -> None:
    use(world, line("account", "summary", '"Description"'))
    first, second = laps(world, 2)
    assert (first.exit_code, second.exit_code) == (1, 0)  # told when it is new
    report = set_aside(world)["field:Account.Description"]
    assert "own = true" in report["remedy"]
    use(world, line("account", "summary", '{ field = "Description", own = true }'))
    assert world.lap().exit_code == 0
    assert set_aside(world) == {}


def test_a_plan_shows_what_is_refused_and_writes_nothing_there(world: LapWorld) -> None:
    account = world.account(Description=NOTES)
    world.rated(account, 1)
    use(world, line("account", "summary", '"Description"'))
    planned = plan.next_lap(world.installation)
    (refused,) = planned.as_json()["refused"]
    assert (refused["object"], refused["field"], refused["holds"], refused["of"]) == ("Account", "Description", 1, 1)
    assert "own = true" in refused["remedy"]
    assert all("Description" not in write.fields for _, write in planned.noted.writes if write.object == "Account")


def test_own_lets_it_be_written_and_what_stood_there_is_known(world: LapWorld) -> None:
    account = world.account(Description=NOTES)
    use(world, line("account", "summary", '{ field = "Description", own = true }'))
    assert found_problems(world) == []
    world.rated(account, 1)
    assert "1 of 5" in world.crm.get(account)["Description"]
    with world.store.read() as tx:
        lines = tx.execute(select(tables.write_log).order_by(tables.write_log.c.id)).all()
    first = next(one for one in lines if "summary" in one.after)
    assert first.before["summary"] == NOTES


def test_what_stood_there_is_asked_for_in_the_moment_of_writing(world: LapWorld) -> None:
    """People go on editing a field that they share with us: what we read minutes ago may be old."""
    account = world.account(Description="old notes")
    use(world, line("account", "summary", '{ field = "Description", own = true }'))
    contact = world.crm.contact(account, "Maria Virtanen")
    invitation = world.ask(account, contact)
    world.answer(invitation, 1)
    with world.store.write() as tx:
        tx.execute(tables.outbox_record.update().values(actual={"summary": "what was read before the edit"}))
    world.crm.update(account, {"Description": NOTES})
    write_back_alone(world)
    with world.store.read() as tx:
        lines = tx.execute(select(tables.write_log)).all()
    assert [one.before["summary"] for one in lines if "summary" in one.after] == [NOTES]


def test_over_what_cannot_be_understood_nothing_is_written_until_it_can(
    world: LapWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = world.account(Description=NOTES)
    use(world, line("account", "summary", '{ field = "Description", own = true }'))
    contact = world.crm.contact(account, "Maria Virtanen")
    invitation = world.ask(account, contact)
    world.answer(invitation, 1)
    honest = world.adapter.fetch

    def fetch(object_name: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Record]:
        found = honest(object_name, ids, fields)
        return {id_: replace(one, fields={}, fault="no time of change.") for id_, one in found.items()}

    with monkeypatch.context() as odd:
        odd.setattr(world.adapter, "fetch", fetch)
        write_back_alone(world)
        assert world.crm.get(account)["Description"] == NOTES
    write_back_alone(world)
    assert "1 of 5" in world.crm.get(account)["Description"]
    with world.store.read() as tx:
        lines = tx.execute(select(tables.write_log)).all()
    assert [one.before["summary"] for one in lines if "summary" in one.after] == [NOTES]


def write_back_alone(world: LapWorld) -> None:
    """What an answer sets off: nothing is read before it is written."""
    world.clock.advance(timedelta(minutes=1))
    lap.run(world.installation, stages=AFTER_AN_ANSWER)


@pytest.mark.parametrize(("target", "name"), [("contact", "no_surveys"), ("contact", "last_rating")])
def test_every_write_target_is_guarded(world: LapWorld, target: str, name: str) -> None:
    field = {"no_surveys": "HasOptedOutOfEmail", "last_rating": "Title"}[name]
    text = line(target, name, f'"{field}"').replace('role = { field = "Title", optional = true }\n', "")
    use(world, text)
    (problem,) = found_problems(world)
    assert f"write.{target}.{name}" in problem
    account = world.account()
    contact = world.crm.contact(account, "Maria Virtanen", Title="CFO")
    world.answer(world.ask(account, contact), 1)
    with world.store.write() as tx:
        tx.execute(tables.outbox_record.update().values(desired={"no_surveys": True, "last_rating": "x"}, pending=True))
    world.lap()
    assert world.crm.get(contact)["Title"] == "CFO"
    assert not world.crm.get(contact).get("HasOptedOutOfEmail")
    use(world, text.replace(f'{name} = "{field}"', f'{name} = {{ field = "{field}", own = true }}'))
    assert found_problems(world) == []


def test_an_opt_out_of_others_is_still_read_where_we_may_not_write_it(world: LapWorld) -> None:
    use(world, line("contact", "no_surveys", '"HasOptedOutOfEmail"'))
    account = world.account()
    contact = world.crm.contact(account, "Maria Virtanen", HasOptedOutOfEmail=True)
    world.crm.close(world.crm.case(account, contact))
    assert world.lap().invited == 0


# ── whose a field is ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_setup_made_is_ours_whatever_it_is_called(world: LapWorld) -> None:
    use(
        world,
        line("account", "summary", '{ field = "Kundenstimme__c", label = "Stimme", type = "text", length = 255 }'),
    )
    endpoint = world.installation.endpoints[0]
    steps = setup_crm.plan(endpoint, world.adapter)
    assert all(step.done for step in setup_crm.apply(world.store, endpoint, world.adapter, steps, clock=world.clock))
    assert found_problems(world) == []
    account = world.account()
    world.rated(account, 1)
    assert "1 of 5" in world.crm.get(account)["Kundenstimme__c"]


def test_a_field_that_was_there_before_setup_is_not_ours_because_it_has_our_label(world: LapWorld) -> None:
    use(world, line("account", "summary", '{ field = "Description", label = "Account Description", type = "text" }'))
    endpoint = world.installation.endpoints[0]
    list(
        setup_crm.apply(
            world.store, endpoint, world.adapter, setup_crm.plan(endpoint, world.adapter), clock=world.clock
        )
    )
    assert ["Account.Description" in one for one in found_problems(world)] == [True]


def test_a_new_store_on_an_org_whose_fields_we_made_earlier_goes_on(world: LapWorld) -> None:
    with world.store.write() as tx:
        assert setup_log.results(tx, "acme") == []  # the fields of this world were made by somebody else's store
    assert found_problems(world) == []
    account = world.account()
    world.rated(account, 1)
    assert world.shows(account)["Summary"]


def test_a_field_with_a_name_like_ours_that_others_made_is_not_ours(world: LapWorld) -> None:
    fields = world.crm.objects["Account"].fields
    fields["Afterword_Summary__c"] = replace(fields["Afterword_Summary__c"], label="Epilogue of the novel")  # type: ignore[index]
    with world.store.write() as tx:
        connections.forget_schema(tx, "acme")
    account = world.account(Afterword_Summary__c="They lived happily ever after.")
    world.rated(account, 1)
    assert world.crm.get(account)["Afterword_Summary__c"] == "They lived happily ever after."
    assert world.shows(account)["Mood"]


def as_before_the_upgrade(world: LapWorld) -> None:
    """Leave the store as a version left it that asked nobody whose a field is."""
    with world.store.write() as tx:
        tx.execute(delete(tables.setting).where(tables.setting.c.name.startswith("kept:")))


def test_an_installation_that_has_written_a_field_before_goes_on_without_a_word_after_the_upgrade(
    world: LapWorld,
) -> None:
    account = world.account()
    use(world, line("account", "summary", '{ field = "Description", own = true }'))
    world.rated(account, 1)
    as_before_the_upgrade(world)
    spec = load(line("account", "summary", '"Description"'), "mappings/acme.toml")
    use(world, line("account", "summary", '"Description"'))
    assert spec.identity == world.installation.endpoints[0].mapping.identity
    assert [one.exit_code for one in laps(world, 2)] == [0, 0]
    assert (found_problems(world), world.refused()) == ([], [])
    world.rated(account, 2)
    assert "2 of 5" in world.crm.get(account)["Description"]


def test_an_upgrade_gives_nothing_away_that_was_not_written_before(world: LapWorld) -> None:
    account = world.account(Description=NOTES)
    world.rated(account, 1)
    as_before_the_upgrade(world)
    use(world, line("account", "summary", '"Description"'))
    world.lap()
    assert world.crm.get(account)["Description"] == NOTES
    assert "field:Account.Description" in set_aside(world)
