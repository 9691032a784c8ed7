"""`check` names conditions of surveys that can never hold, and a live connection in whose CRM nothing of ours is there."""

from dataclasses import replace

import pytest
from lap_world import CONFIG, CSAT, LapWorld
from own_fields import PACKAGED

from connector.commands.check.crm import CrmCheck
from connector.errors import Problem
from connector.ports import FieldSchema


def problems(world: LapWorld) -> list[Problem]:
    return CrmCheck(world.installation, world.installation.endpoints[0]).problems()


def asked(world: LapWorld, condition: str) -> None:
    """Ask about cases on one condition, where cases have a number, a box, a day and a time."""
    for name, kind in (("Score__c", "number"), ("Vip__c", "boolean"), ("Day__c", "date"), ("At__c", "datetime")):
        world.crm.add_field("Case", FieldSchema(name, name, kind))
    facts = '\nscore = "Score__c"\nvip = "Vip__c"\nday = "Day__c"\nat = "At__c"\n'
    text = PACKAGED.replace("[interaction.case.facts]\n", f"[interaction.case.facts]{facts}")
    (world.folder / "acme.toml").write_text(text, encoding="utf-8")
    config = CONFIG.replace("[crm.acme]\n", '[crm.acme]\nmapping = "acme.toml"\n')
    world.configure(CSAT + f"where = {{ {condition} }}\n", config=config)


@pytest.mark.parametrize(
    ("condition", "fact", "kind"),
    [
        ('score = ["high"]', "score", "a number"),
        ('score = ["5"]', "score", "a number"),
        ("score = [true]", "score", "a number"),
        ('vip = ["yes"]', "vip", "true or false"),
        ("vip = [1]", "vip", "true or false"),
        ('day = ["12.11.2026"]', "day", "a day"),
        ('day = ["2026-11-12T10:00:00Z"]', "day", "a day"),
        ('at = ["2026-11-12"]', "at", "a moment"),
        ("subject = [5]", "subject", "text"),
    ],
)
def test_a_value_that_the_facts_type_cannot_have_is_named(
    world: LapWorld, condition: str, fact: str, kind: str
) -> None:
    asked(world, condition)
    (problem,) = problems(world)
    assert (problem.where, problem.severity) == (f"config.toml: surveys.after-case.where.{fact}", "warning")
    assert kind in problem.what
    assert "nobody is asked" in problem.what


@pytest.mark.parametrize(
    "condition",
    [
        "score = [5, 4.5]",
        "vip = [true]",
        'day = ["2026-11-12"]',
        'at = ["2026-11-12T10:00:00+00:00"]',
        'subject = ["5"]',
    ],
)
def test_a_value_that_can_be_is_no_news(world: LapWorld, condition: str) -> None:
    asked(world, condition)
    assert problems(world) == []


def test_one_value_among_others_is_named_without_saying_that_nobody_is_asked(world: LapWorld) -> None:
    asked(world, 'score = [5, "high"]')
    (problem,) = problems(world)
    assert "'high'" in problem.what
    assert "nobody" not in problem.what


# ── none of our fields ───────────────────────────────────────────────────────────────────────────────────────────────


def strip(world: LapWorld) -> None:
    for object_name in ("Account", "Contact", "Task"):
        for name in [one for one in world.crm.definition(object_name).fields if one.startswith("Afterword_")]:
            world.crm.remove_field(object_name, name)


def errors(world: LapWorld) -> list[Problem]:
    return [one for one in problems(world) if one.severity == "error"]


def test_live_with_none_of_our_fields_is_an_error_that_names_what_makes_them(world: LapWorld) -> None:
    assert errors(world) == []
    strip(world)
    (error,) = errors(world)
    assert error.where == "config.toml: crm.acme"
    assert "none of our fields is there" in error.what
    assert "afterword setup-crm" in error.remedy
    endpoint = replace(world.installation.endpoints[0], mode_live=False)
    world.installation = replace(world.installation, endpoints=[endpoint])
    assert errors(world) == []


def test_with_some_of_our_fields_there_the_others_are_a_warning(world: LapWorld) -> None:
    strip(world)
    world.crm.add_field("Task", FieldSchema("Afterword_Key__c", "Key", "text", unique=True, external_id=True))
    assert errors(world) == []
