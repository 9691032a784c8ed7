"""`check` names surveys that no follow-up rule is about, and rules that no answer can meet."""

from pathlib import Path

import pytest

from connector.app.adapter_packages import installed_adapters
from connector.commands.check.rule_coverage import uncovered
from connector.commands.init import write_project
from connector.settings import load

CRM = '[crm.acme]\nadapter = "hubspot"\naccess_token = "x"\n'


def found(folder: Path, surveys: dict[str, str], *rules: str) -> list[str]:
    """Return where the coverage has something to say."""
    tables = [f'[surveys.{name}]\non = "case.closed"\nmetric = "{metric}"\n' for name, metric in surveys.items()]
    tables += [f'[follow_up.r{number}]\nwhen = "{rule}"\n' for number, rule in enumerate(rules)]
    (folder / "config.toml").write_text(CRM + "".join(tables), encoding="utf-8")
    settings = load(folder / "config.toml", environ={}, adapters=installed_adapters())
    problems = [*uncovered(settings)]
    assert {problem.severity for problem in problems} <= {"warning"}
    return [problem.where.partition(": ")[2] for problem in problems]


@pytest.mark.parametrize("metric", ["csat", "nps", "ces", "composite"])
def test_low_covers_every_survey(tmp_path: Path, metric: str) -> None:
    assert found(tmp_path, {"s": metric}, "low") == []


def test_a_survey_whose_worst_answer_no_rule_is_about_is_named(tmp_path: Path) -> None:
    assert found(tmp_path, {"a": "csat", "b": "nps"}, "csat <= 2") == ["surveys.b"]
    assert found(tmp_path, {"a": "csat"}) == ["surveys.a"]
    assert found(tmp_path, {"a": "csat"}, "csat <= 2 and mood = unhappy") == ["surveys.a"]


@pytest.mark.parametrize("rule", ["ces <= 3", "low and csat >= 3", "low and high", "speed <= 2"])
def test_a_rule_that_no_answer_can_meet_is_named(tmp_path: Path, rule: str) -> None:
    assert found(tmp_path, {"a": "csat"}, "low", rule) == ["follow_up.r1.when"]


def test_a_rule_that_some_answer_can_meet_is_not(tmp_path: Path) -> None:
    fine = ("low", "speed <= 2 and csat >= 4", "mood = unhappy", "silence >= 2", "high")
    assert found(tmp_path, {"a": "composite"}, *fine) == []


def test_without_surveys_there_is_nothing_to_cover(tmp_path: Path) -> None:
    assert found(tmp_path, {}, "ces <= 2") == []


@pytest.mark.parametrize("metric", ["csat", "nps", "ces", "composite"])
def test_what_init_writes_covers_whatever_the_admin_asks(tmp_path: Path, metric: str) -> None:
    write_project(tmp_path, "hubspot", installed_adapters()["hubspot"])
    path = tmp_path / "config.toml"
    path.write_text(
        path.read_text(encoding="utf-8").replace('metric = "csat"', f'metric = "{metric}"'), encoding="utf-8"
    )
    settings = load(path, environ={"AFTERWORD_CRM__HUBSPOT__ACCESS_TOKEN": "x"}, adapters=installed_adapters())
    assert [*uncovered(settings)] == []
